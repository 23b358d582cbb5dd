type JsonSchema = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** References inside a schema are followed so often. */
const followMax = 16;

/** A part of a schema with the whole, which its references name. `undefined` where nothing is known. */
export interface Typed {
  readonly root: JsonSchema;
  readonly part: JsonSchema;
}

export function toTyped(schema: JsonSchema | undefined): Typed | undefined {
  return schema === undefined ? undefined : follow({ root: schema, part: schema });
}

function follow(typed: Typed): Typed | undefined {
  let { part } = typed;
  for (let left = followMax; typeof part["$ref"] === "string"; left--) {
    const reference: string = part["$ref"];
    if (left === 0 || !reference.startsWith("#")) return undefined;
    let target: unknown = typed.root;
    for (const name of reference.slice(1).split("/").slice(1)) {
      const key = name.replaceAll("~1", "/").replaceAll("~0", "~");
      target = isObject(target) ? target[key] : undefined;
    }
    if (!isObject(target)) return undefined;
    part = target;
  }
  return { root: typed.root, part };
}

export type Found =
  | { readonly kind: "known"; readonly typed: Typed }
  | { readonly kind: "unknown" }
  /** The schema leaves no room for such a field. */
  | { readonly kind: "impossible"; readonly field: string };

/** The type of a field of a field. */
export function typeAt(typed: Typed | undefined, path: readonly string[]): Found {
  let at = typed;
  for (const name of path) {
    if (at === undefined || isBranched(at.part)) return { kind: "unknown" };
    const step = stepInto(at, name);
    if (step.kind !== "known") return step;
    at = follow(step.typed);
  }
  return at === undefined ? { kind: "unknown" } : { kind: "known", typed: at };
}

function isBranched(part: JsonSchema): boolean {
  return ["anyOf", "oneOf", "allOf", "if"].some((word) => word in part);
}

function stepInto({ root, part }: Typed, name: string): Found {
  const { properties, items, additionalProperties } = part;
  const types = typesOf(part);
  if (types !== undefined && !types.has("object") && !types.has("array")) return { kind: "impossible", field: name };
  if (types?.has("array") === true) {
    if (!types.has("object") && !/^\d+$/u.test(name)) return { kind: "impossible", field: name };
    return isObject(items) ? { kind: "known", typed: { root, part: items } } : { kind: "unknown" };
  }
  const property = isObject(properties) ? properties[name] : undefined;
  if (isObject(property)) return { kind: "known", typed: { root, part: property } };
  if (isObject(additionalProperties)) return { kind: "known", typed: { root, part: additionalProperties } };
  return additionalProperties === false && !("patternProperties" in part)
    ? { kind: "impossible", field: name }
    : { kind: "unknown" };
}

/** The JSON types that a schema allows; `undefined` when it does not say. */
function typesOf(part: JsonSchema): ReadonlySet<string> | undefined {
  const branches = part["anyOf"] ?? part["oneOf"];
  if (Array.isArray(branches)) {
    const each = branches.map((branch) => (isObject(branch) ? typesOf(branch) : undefined));
    return each.includes(undefined) ? undefined : new Set(each.flatMap((types) => [...(types ?? [])]));
  }
  const type: readonly unknown[] = [part["type"]].flat();
  const named = type.filter((word) => typeof word === "string");
  return named.length === 0 ? undefined : new Set(named);
}

/** Why a value of the one type can certainly not stand where the other is wanted; `undefined` when it may. */
export function findTypeMisfit(given: Typed, wanted: Typed): string | undefined {
  const givenTypes = typesOf(given.part);
  const wantedTypes = typesOf(wanted.part);
  if (givenTypes === undefined || wantedTypes === undefined) return undefined;
  const canBe = (type: string): boolean =>
    wantedTypes.has(type) ||
    (type === "integer" && wantedTypes.has("number")) ||
    (type === "number" && wantedTypes.has("integer"));
  return [...givenTypes].some(canBe)
    ? undefined
    : `it is ${[...givenTypes].join(" or ")}, and ${[...wantedTypes].join(" or ")} is wanted`;
}

export function requiredOf({ part }: Typed): readonly string[] {
  const required = part["required"];
  return Array.isArray(required) ? required.filter((name) => typeof name === "string") : [];
}
