import { fields as record, flag, integer, listOf, oneOf, ShapeError, text } from "../../base/shape.ts";
import { policyApprovalsShape, type PolicyRequest } from "../../contracts/policy.ts";
import type { InputFields, InputType } from "../rule.ts";
import { actionType, principalTypes, resourceKinds, resourceTypes, roleType } from "./schema.ts";
import { CedarRecord, CedarSet, Entity, type CedarValue, type KnownEntity, type Query } from "./value.ts";

/** A request that the rules can't be asked about: it is denied. */
export class UnfitRequest extends Error {}

/** Of any list that rules see. Sets are compared item by item. */
const itemsMax = 1_000;

type Fields = Map<string, CedarValue>;

const requestShape = record({ principal: record({}), action: text, resource: record({}), context: record({}) });
const effects = oneOf("read", "local", "idempotent", "once");
const texts = listOf(text);

/**
 * The request in Cedar's terms, in the shape of the schema by construction. Everything is checked on the way, because a request may come from
 * anywhere; a parsed copy of the whole would cost as much as all the rules.
 * @throws UnfitRequest
 */
export function toQuery(request: PolicyRequest, inputs: InputFields): Query {
  try {
    requestShape(request, "");
    const { approvals } = request.context;
    if (!Array.isArray(approvals) || approvals.length > 0) policyApprovalsShape(approvals, "context.approvals");
    return {
      principal: toPrincipal(request.principal),
      action: new Entity(actionType, request.action),
      resource: toResource(request),
      context: toContext(request.context, inputs),
    };
  } catch (error) {
    if (error instanceof ShapeError) throw new UnfitRequest(`the request can't be judged: ${error.message}`);
    throw error;
  }
}

function toContext(context: PolicyRequest["context"], inputs: InputFields): CedarRecord {
  const found: Fields = new Map<string, CedarValue>([
    ["run", text(context.run, "context.run")],
    ["flow", text(context.flow, "context.flow")],
    ["labels", toTexts(context.labels, "context.labels")],
    ["input", toInput(context.input, inputs)],
  ]);
  const { tenant, initiator, costCents, depth, injectionRisk } = context;
  if (tenant !== undefined) found.set("tenant", text(tenant, "context.tenant"));
  if (initiator !== undefined) found.set("initiator", text(initiator, "context.initiator"));
  if (costCents !== undefined) found.set("costCents", integer(costCents, "context.costCents"));
  if (injectionRisk !== undefined) found.set("injectionRisk", integer(injectionRisk, "context.injectionRisk"));
  if (depth !== undefined) found.set("depth", integer(depth, "context.depth"));
  return new CedarRecord(found);
}

const nothing: readonly Entity[] = [];

function toPrincipal(principal: PolicyRequest["principal"]): KnownEntity {
  const found: Fields = new Map();
  switch (principal.kind) {
    case "agent": {
      const name = text(principal.name, "principal.name");
      found.set("name", name).set("version", text(principal.version, "principal.version"));
      found.set("autonomy", integer(principal.autonomy, "principal.autonomy"));
      found.set("run", text(principal.run, "principal.run"));
      return toKnown(principalTypes.agent, name, found);
    }
    case "run":
      found.set("flow", text(principal.flow, "principal.flow"));
      return toKnown(principalTypes.run, text(principal.run, "principal.run"), found);
    case "person": {
      const roles = refuseLong(texts(principal.roles, "principal.roles"), "principal.roles");
      const known = toKnown(principalTypes.person, text(principal.person, "principal.person"), found);
      return { ...known, parents: roles.map((role) => new Entity(roleType, role)) };
    }
    default:
      throw new UnfitRequest("the principal is neither an agent, nor a run, nor a person");
  }
}

function toResource({ action, resource }: PolicyRequest): KnownEntity {
  const { kind } = resource;
  if (!Object.hasOwn(resourceKinds, action)) throw new UnfitRequest(`there is no action "${action}"`);
  if (resourceKinds[action] !== kind) throw new UnfitRequest(`${action} is not done to a ${kind}`);
  const name = text(resource.name, "resource.name");
  const found: Fields = new Map<string, CedarValue>([
    ["name", name],
    ["dataClasses", toTexts(resource.dataClasses, "resource.dataClasses")],
  ]);
  if (kind === "tool") {
    found.set("effect", effects(resource.effect, "resource.effect"));
    found.set("accepts", toTexts(resource.accepts, "resource.accepts"));
    found.set("reversible", flag(resource.reversible ?? false, "resource.reversible"));
  }
  return toKnown(resourceTypes[kind], name, found);
}

const noTexts = new CedarSet([]);

function toTexts(items: readonly string[] | undefined, where: string): CedarSet {
  return items === undefined ? noTexts : toSet(texts(items, where), where);
}

function toKnown(type: string, id: string, fields: Fields): KnownEntity {
  return { entity: new Entity(type, id), attributes: new CedarRecord(fields), parents: nothing };
}

const noInput = new CedarRecord(new Map());

/** The fields of the input that rules declare. One that is absent, or null, is absent for them too. */
function toInput(input: unknown, inputs: InputFields): CedarRecord {
  if (inputs.size === 0) return noInput;
  const found: Fields = new Map();
  for (const [path, type] of inputs) {
    const value = lookUp(input, path);
    if (value !== undefined && value !== null) found.set(path, toTyped(value, type, path));
  }
  return new CedarRecord(found);
}

function lookUp(input: unknown, path: string): unknown {
  let value: unknown = input;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the line above found the name in this very object
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

function toTyped(value: unknown, type: InputType, path: string): CedarValue {
  switch (type) {
    case "Bool":
      if (typeof value === "boolean") return value;
      break;
    case "Long":
      if (isWhole(value)) return value;
      break;
    case "String":
      if (typeof value === "string") return value;
      break;
    case "Set<Long>":
      if (Array.isArray(value) && value.every(isWhole)) return toSet(value, `input.${path}`);
      break;
    case "Set<String>":
      if (Array.isArray(value) && value.every(isText)) return toSet(value, `input.${path}`);
      break;
  }
  const got = typeof value === "number" ? String(value) : Array.isArray(value) ? "a list" : `a ${typeof value}`;
  throw new UnfitRequest(`input.${path} is ${got}, and the rules take it as ${type}; numbers must be whole and exact`);
}

const isText = (value: unknown): value is string => typeof value === "string";
const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);

function toSet(items: readonly (number | string)[], where: string): CedarSet {
  return new CedarSet(refuseLong(items, where));
}

function refuseLong<Item>(items: readonly Item[], where: string): readonly Item[] {
  if (items.length <= itemsMax) return items;
  throw new UnfitRequest(`${where} holds ${items.length} items; rules look at ${itemsMax} at most`);
}
