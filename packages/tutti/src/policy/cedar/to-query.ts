import { flag, integer, listOf, object, oneOf, ShapeError, text } from "../../base/shape.ts";
import { policyApprovalsShape, type PolicyRequest } from "../../contracts/policy.ts";
import type { InputFields, InputType } from "../rule.ts";
import { toText } from "./operand.ts";
import { actionType, principalTypes, resourceKinds, resourceTypes, roleType } from "./schema.ts";
import { CedarRecord, CedarSet, Entity, type CedarValue, type KnownEntity, type Query } from "./value.ts";

/** A request that the rules can't be asked about: it is denied. */
export class UnfitRequest extends Error {}

/** Of any list that rules see. Sets are compared item by item. */
const itemsMax = 1_000;

const texts = listOf(text);
const effects = oneOf("read", "local", "idempotent", "once");

/**
 * The request in Cedar's terms, in the shape of the schema by construction. Everything is checked on the way, because a request may come from
 * anywhere; a parsed copy of the whole would cost as much as all the rules.
 * @throws UnfitRequest
 */
export function toQuery(request: PolicyRequest, inputs: InputFields): Query {
  try {
    object(request, "");
    object(request.principal, "principal");
    object(request.resource, "resource");
    object(request.context, "context");
    const { approvals } = request.context;
    if (!Array.isArray(approvals) || approvals.length > 0) policyApprovalsShape(approvals, "context.approvals");
    return {
      principal: toPrincipal(request.principal),
      action: toAction(text(request.action, "action")),
      resource: toResource(request),
      context: toContext(request.context, inputs),
    };
  } catch (error) {
    if (error instanceof ShapeError) throw new UnfitRequest(`the request can't be judged: ${error.message}`);
    throw error;
  }
}

function toContext(context: PolicyRequest["context"], inputs: InputFields): CedarRecord {
  const { tenant, initiator, costCents, depth, injectionRisk } = context;
  return new CedarRecord({
    run: text(context.run, "context.run"),
    flow: text(context.flow, "context.flow"),
    labels: toTexts(context.labels, "context.labels"),
    input: inputs.size === 0 ? noFields : toInput(context.input, inputs), // reading it may cost a lot
    tenant: tenant === undefined ? undefined : text(tenant, "context.tenant"),
    initiator: initiator === undefined ? undefined : text(initiator, "context.initiator"),
    costCents: costCents === undefined ? undefined : integer(costCents, "context.costCents"),
    injectionRisk: injectionRisk === undefined ? undefined : integer(injectionRisk, "context.injectionRisk"),
    depth: depth === undefined ? undefined : integer(depth, "context.depth"),
  });
}

const actions = new Map<string, Entity>(Object.keys(resourceKinds).map((name) => [name, new Entity(actionType, name)]));

function toAction(name: string): Entity {
  const action = actions.get(name);
  if (action === undefined) throw new UnfitRequest(`there is no action "${name}"`);
  return action;
}

const nothing: readonly Entity[] = [];
const noFields = new CedarRecord({});

function toPrincipal(principal: PolicyRequest["principal"]): KnownEntity {
  switch (principal.kind) {
    case "agent": {
      const name = text(principal.name, "principal.name");
      const attributes = new CedarRecord({
        name,
        version: text(principal.version, "principal.version"),
        autonomy: integer(principal.autonomy, "principal.autonomy"),
        run: text(principal.run, "principal.run"),
      });
      return { entity: new Entity(principalTypes.agent, name), attributes, parents: nothing };
    }
    case "run": {
      const attributes = new CedarRecord({ flow: text(principal.flow, "principal.flow") });
      const entity = new Entity(principalTypes.run, text(principal.run, "principal.run"));
      return { entity, attributes, parents: nothing };
    }
    case "person": {
      const parents = toTexts(principal.roles, "principal.roles").items.map(
        (role) => new Entity(roleType, toText(role)),
      );
      const entity = new Entity(principalTypes.person, text(principal.person, "principal.person"));
      return { entity, attributes: noFields, parents };
    }
    default:
      throw new UnfitRequest("the principal is neither an agent, nor a run, nor a person");
  }
}

function toResource({ action, resource }: PolicyRequest): KnownEntity {
  const { kind } = resource;
  if (resourceKinds[action] !== kind) throw new UnfitRequest(`${action} is not done to a ${kind}`);
  const known = knownByResource.get(resource);
  if (known !== undefined) return known;
  const made = describeResource(resource);
  if (isFixed(resource)) knownByResource.set(resource, made);
  return made;
}

/** What can't change is put into Cedar's terms once. */
const knownByResource = new WeakMap<PolicyRequest["resource"], KnownEntity>();

function isFixed(resource: PolicyRequest["resource"]): boolean {
  return Object.isFrozen(resource) && Object.isFrozen(resource.dataClasses) && Object.isFrozen(resource.accepts);
}

function describeResource(resource: PolicyRequest["resource"]): KnownEntity {
  const { kind } = resource;
  const name = text(resource.name, "resource.name");
  const isTool = kind === "tool";
  const attributes = new CedarRecord({
    name,
    dataClasses: toTexts(resource.dataClasses, "resource.dataClasses"),
    effect: isTool ? effects(resource.effect, "resource.effect") : undefined,
    accepts: isTool ? toTexts(resource.accepts, "resource.accepts") : undefined,
    reversible: isTool ? flag(resource.reversible ?? false, "resource.reversible") : undefined,
  });
  return { entity: new Entity(resourceTypes[kind], name), attributes, parents: nothing };
}

const noTexts = new CedarSet([]);

function toTexts(items: readonly string[] | undefined, where: string): CedarSet {
  return items === undefined ? noTexts : toSet(texts(items, where), where);
}

/** The fields of the input that rules declare. One that is absent, or null, is absent for them too. */
function toInput(input: unknown, inputs: InputFields): CedarRecord {
  const found: Record<string, CedarValue> = {};
  inputs.forEach((type, path) => {
    const value = lookUp(input, path);
    if (value !== undefined && value !== null) found[path] = toTyped(value, type, path);
  });
  return new CedarRecord(found);
}

function lookUp(input: unknown, path: string): unknown {
  return path.includes(".") ? path.split(".").reduce(lookInto, input) : lookInto(input, path);
}

function lookInto(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the line above found the name in this very object
  return (value as Record<string, unknown>)[name];
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
