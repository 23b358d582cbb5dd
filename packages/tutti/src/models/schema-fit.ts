import { toCanonicalJson } from "../base/json.ts";
import { follow, isObject, type JsonObject } from "./offline/schema-node.ts";

// A schema that goes deeper than this around itself is not followed any further.
const depthMax = 64;

interface Place {
  readonly root: unknown;
  readonly path: string;
  readonly depth: number;
}

/**
 * Why a value certainly does not fit a JSON Schema: `answer.name is missing`. `undefined` when it may fit: patterns, formats and words that
 * are not known here are left to who owns the schema.
 */
export function findMisfit(schema: unknown, value: unknown, path = "the answer"): string | undefined {
  return misfit(schema, value, { root: schema, path, depth: 0 });
}

function misfit(schema: unknown, value: unknown, place: Place): string | undefined {
  if (schema === false) return `${place.path} should not be there`;
  if (!isObject(schema) || place.depth > depthMax) return undefined;
  const inner = { ...place, depth: place.depth + 1 };
  const reference = schema["$ref"];
  return (
    (typeof reference === "string" ? misfit(follow(reference, place.root), value, inner) : undefined) ??
    misfitWords(schema, value, place) ??
    misfitBranches(schema, value, inner) ??
    (Array.isArray(value)
      ? misfitList(schema, value, inner)
      : isObject(value)
        ? misfitObject(schema, value, inner)
        : misfitBounds(schema, value, place))
  );
}

function misfitWords(schema: JsonObject, value: unknown, { path }: Place): string | undefined {
  if ("const" in schema && !isSame(schema["const"], value)) return `${path} should be ${show(schema["const"])}`;
  const options = schema["enum"];
  if (Array.isArray(options) && !options.some((option) => isSame(option, value)))
    return `${path} should be one of ${show(options)}`;
  const types: readonly unknown[] = [schema["type"]].flat();
  if (types[0] === undefined || types.some((type) => isOfType(value, type))) return undefined;
  return `${path} should be ${types.join(" or ")}`;
}

function misfitBranches(schema: JsonObject, value: unknown, place: Place): string | undefined {
  const all = schema["allOf"];
  if (Array.isArray(all)) {
    for (const part of all) {
      const found = misfit(part, value, place);
      if (found !== undefined) return found;
    }
  }
  for (const name of ["anyOf", "oneOf"]) {
    const branches = schema[name];
    if (!Array.isArray(branches) || branches.length === 0) continue;
    const found = branches.map((branch) => misfit(branch, value, place));
    if (!found.includes(undefined)) return found[0];
  }
  return undefined;
}

function misfitObject(schema: JsonObject, value: JsonObject, place: Place): string | undefined {
  const required: readonly unknown[] = Array.isArray(schema["required"]) ? schema["required"] : [];
  const missing = required.filter((name) => typeof name === "string").find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) return `${place.path}.${missing} is missing`;
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  const patterned = isObject(schema["patternProperties"]);
  for (const [name, item] of Object.entries(value)) {
    const part = Object.hasOwn(properties, name)
      ? properties[name]
      : patterned
        ? undefined
        : schema["additionalProperties"];
    const found = misfit(part, item, { ...place, path: `${place.path}.${name}` });
    if (found !== undefined) return found;
  }
  return undefined;
}

function misfitList(schema: JsonObject, value: readonly unknown[], place: Place): string | undefined {
  const { minItems: min, maxItems: max } = schema;
  if (typeof min === "number" && value.length < min) return `${place.path} should have at least ${min} items`;
  if (typeof max === "number" && value.length > max) return `${place.path} should have at most ${max} items`;
  const first: readonly unknown[] = Array.isArray(schema["prefixItems"]) ? schema["prefixItems"] : [];
  for (const [index, item] of value.entries()) {
    const part = index < first.length ? first[index] : schema["items"];
    const found = misfit(part, item, { ...place, path: `${place.path}[${index}]` });
    if (found !== undefined) return found;
  }
  return undefined;
}

function misfitBounds(schema: JsonObject, value: unknown, { path }: Place): string | undefined {
  const bound = (name: string): number | undefined => {
    const given = schema[name];
    return typeof given === "number" ? given : undefined;
  };
  if (typeof value === "string") {
    // Some count characters, others halves of them: only what is wrong by both counts is certainly wrong.
    if (value.length < (bound("minLength") ?? 0)) return `${path} is too short`;
    return Array.from(value).length > (bound("maxLength") ?? Infinity) ? `${path} is too long` : undefined;
  }
  if (typeof value !== "number") return undefined;
  const tooSmall = value < (bound("minimum") ?? -Infinity) || value <= (bound("exclusiveMinimum") ?? -Infinity);
  if (tooSmall) return `${path} is too small`;
  return value > (bound("maximum") ?? Infinity) || value >= (bound("exclusiveMaximum") ?? Infinity)
    ? `${path} is too large`
    : undefined;
}

function isOfType(value: unknown, type: unknown): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    case "integer":
      return Number.isInteger(value);
    case "string":
    case "number":
    case "boolean":
      return typeof value === type;
    default:
      return true;
  }
}

function isSame(left: unknown, right: unknown): boolean {
  return toCanonicalJson(left) === toCanonicalJson(right);
}

const shownMax = 120;

function show(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, shownMax);
}
