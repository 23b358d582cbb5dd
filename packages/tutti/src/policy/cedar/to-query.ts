import type { PolicyRequest } from "../../contracts/policy.ts";
import type { InputFields, InputType } from "../rule.ts";
import { actionType, principalTypes, resourceKinds, resourceTypes, roleType } from "./schema.ts";
import { CedarRecord, CedarSet, Entity, type CedarValue, type KnownEntity, type Query } from "./value.ts";

/** A request that the rules can't be asked about: it is denied. */
export class UnfitRequest extends Error {}

/** Of any list that rules see. Sets are compared item by item. */
const itemsMax = 1_000;

type Fields = Map<string, CedarValue>;

/**
 * The request in Cedar's terms, in the shape of the schema by construction.
 * @throws UnfitRequest
 */
export function toQuery(request: PolicyRequest, inputs: InputFields): Query {
  const { action, context } = request;
  const fields: Fields = new Map<string, CedarValue>([
    ["run", context.run],
    ["flow", context.flow],
    ["labels", toSet(context.labels ?? [], "context.labels")],
    ["input", toInput(context.input, inputs)],
  ]);
  if (context.tenant !== undefined) fields.set("tenant", context.tenant);
  if (context.initiator !== undefined) fields.set("initiator", context.initiator);
  if (context.costCents !== undefined) fields.set("costCents", context.costCents);
  if (context.depth !== undefined) fields.set("depth", context.depth);
  return {
    principal: toPrincipal(request.principal),
    action: new Entity(actionType, action),
    resource: toResource(request),
    context: new CedarRecord(fields),
  };
}

const nothing: readonly Entity[] = [];

function toPrincipal(principal: PolicyRequest["principal"]): KnownEntity {
  const fields: Fields = new Map();
  switch (principal.kind) {
    case "agent":
      fields.set("name", principal.name).set("version", principal.version);
      fields.set("autonomy", principal.autonomy).set("run", principal.run);
      return toKnown(principalTypes.agent, principal.name, fields);
    case "run":
      return toKnown(principalTypes.run, principal.run, fields.set("flow", principal.flow));
    case "person": {
      refuseLong(principal.roles, "principal.roles");
      const roles = principal.roles.map((role) => new Entity(roleType, role));
      return { ...toKnown(principalTypes.person, principal.person, fields), parents: roles };
    }
  }
}

function toResource({ action, resource }: PolicyRequest): KnownEntity {
  const { kind, name, effect } = resource;
  if (resourceKinds[action] !== kind) throw new UnfitRequest(`${action} is not done to a ${kind}`);
  const fields: Fields = new Map<string, CedarValue>([
    ["name", name],
    ["dataClasses", toSet(resource.dataClasses ?? [], "resource.dataClasses")],
  ]);
  if (kind === "tool") {
    if (effect === undefined) throw new UnfitRequest(`the tool ${name} does not say what effect it has`);
    fields.set("effect", effect).set("reversible", resource.reversible === true);
  }
  return toKnown(resourceTypes[kind], name, fields);
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
  refuseLong(items, where);
  return new CedarSet(items);
}

function refuseLong(items: readonly unknown[], where: string): void {
  if (items.length > itemsMax)
    throw new UnfitRequest(`${where} holds ${items.length} items; rules look at ${itemsMax} at most`);
}
