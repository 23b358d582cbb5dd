export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a JSON Schema asks for, in the shapes that can be filled. Children are read when they are needed: schemas may refer to themselves. */
export type SchemaNode = { readonly description: string } & (
  | { readonly kind: "fixed"; readonly value: unknown }
  | { readonly kind: "choice"; readonly options: readonly unknown[] }
  | TextNode
  | NumberNode
  | { readonly kind: "flag" }
  | { readonly kind: "nothing" }
  | ListNode
  | FieldsNode
  | { readonly kind: "either"; readonly branches: readonly (() => SchemaNode)[] }
  | { readonly kind: "anything" }
);

/** A node at its place in the answer. */
export interface Wanted<Node = SchemaNode> {
  readonly node: Node;
  /** The property that it is for, or the list that it is in. */
  readonly name: string;
  /** What the schema says about it. */
  readonly description: string;
  readonly depth: number;
}

export interface TextNode {
  readonly kind: "text";
  readonly lengthMin: number;
  readonly lengthMax: number;
  readonly pattern: RegExp | undefined;
  readonly format: string;
}

export interface NumberNode {
  readonly kind: "number";
  readonly whole: boolean;
  readonly min: number;
  readonly max: number;
  readonly step: number | undefined;
}

export interface ListNode {
  readonly kind: "list";
  readonly first: readonly (() => SchemaNode)[];
  readonly item: () => SchemaNode;
  readonly min: number;
  readonly max: number;
  readonly unique: boolean;
}

export interface FieldsNode {
  readonly kind: "fields";
  readonly fields: readonly SchemaField[];
}

export interface SchemaField {
  readonly name: string;
  readonly required: boolean;
  readonly node: () => SchemaNode;
}

// The smallest distance that an exclusive bound of a decimal number keeps.
const nearest = 1e-6;

/** Reads a JSON Schema (draft 2020-12, or what older drafts share with it). What is not understood asks for anything. */
export function toSchemaNode(schema: unknown, root: unknown = schema): SchemaNode {
  const resolved = resolve(schema, root);
  const description = ["title", "description"]
    .map((name) => resolved[name])
    .filter((text) => typeof text === "string")
    .join(" ");
  const child = (part: unknown) => (): SchemaNode => toSchemaNode(part, root);
  if ("const" in resolved) return { kind: "fixed", value: resolved["const"], description };
  const options = resolved["enum"];
  if (Array.isArray(options)) return { kind: "choice", options, description };
  const branches = resolved["anyOf"] ?? resolved["oneOf"];
  if (Array.isArray(branches)) return { kind: "either", branches: branches.map(child), description };
  const type = resolved["type"];
  if (Array.isArray(type))
    return { kind: "either", branches: type.map((one) => child({ ...resolved, type: one })), description };
  if (type === "string") return { ...toTextNode(resolved), description };
  if (type === "number" || type === "integer") return { ...toNumberNode(resolved), description };
  if (type === "boolean") return { kind: "flag", description };
  if (type === "null") return { kind: "nothing", description };
  if (type === "array" || "items" in resolved) {
    const first = Array.isArray(resolved["prefixItems"]) ? resolved["prefixItems"].map(child) : [];
    const { min, max } = {
      min: toCount(resolved["minItems"], 0),
      max: toCount(resolved["maxItems"], Number.MAX_SAFE_INTEGER),
    };
    const item = child(resolved["items"] === false ? { type: "null" } : resolved["items"]);
    return { kind: "list", first, item, min, max, unique: resolved["uniqueItems"] === true, description };
  }
  if (type === "object" || isObject(resolved["properties"])) {
    const required: readonly unknown[] = Array.isArray(resolved["required"]) ? resolved["required"] : [];
    const properties = isObject(resolved["properties"]) ? resolved["properties"] : {};
    const fields = Object.entries(properties).map(([name, part]) => ({
      name,
      required: required.includes(name),
      node: child(part),
    }));
    return { kind: "fields", fields, description };
  }
  return { kind: "anything", description };
}

// Follows references inside the schema and lays the parts of `allOf` over each other.
function resolve(schema: unknown, root: unknown, depth = 0): JsonObject {
  if (!isObject(schema) || depth > 16) return {};
  const reference = schema["$ref"];
  if (typeof reference === "string") {
    const { $ref: _, ...beside } = schema;
    return { ...resolve(follow(reference, root), root, depth + 1), ...beside };
  }
  const parts = schema["allOf"];
  if (!Array.isArray(parts)) return schema;
  const { allOf: _, ...beside } = schema;
  return parts.map((part) => resolve(part, root, depth + 1)).reduce<JsonObject>(merge, beside);
}

function merge(left: JsonObject, right: JsonObject): JsonObject {
  const objects = (name: string): JsonObject => ({
    ...(isObject(left[name]) ? left[name] : {}),
    ...(isObject(right[name]) ? right[name] : {}),
  });
  const lists = (name: string): unknown[] =>
    [left[name], right[name]].flatMap((part: unknown) => (Array.isArray(part) ? part : []));
  const merged: Record<string, unknown> = { ...left, ...right };
  if ("properties" in merged) merged["properties"] = objects("properties");
  if ("required" in merged) merged["required"] = lists("required");
  return merged;
}

export function follow(reference: string, root: unknown): unknown {
  if (!reference.startsWith("#")) return undefined;
  let at: unknown = root;
  for (const part of reference
    .slice(1)
    .split("/")
    .filter((name) => name !== "")) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    at = isObject(at) ? at[name] : undefined;
  }
  return at;
}

function toTextNode(schema: JsonObject): TextNode {
  const { pattern, format } = schema;
  return {
    kind: "text",
    lengthMin: toCount(schema["minLength"], 0),
    lengthMax: toCount(schema["maxLength"], Number.MAX_SAFE_INTEGER),
    pattern: typeof pattern === "string" ? toPattern(pattern) : undefined,
    format: typeof format === "string" ? format : "",
  };
}

function toPattern(source: string): RegExp | undefined {
  try {
    return new RegExp(source, "u");
  } catch {
    return undefined; // a pattern of another dialect: whoever asked for it will check it
  }
}

function toNumberNode(schema: JsonObject): NumberNode {
  const whole = schema["type"] === "integer";
  const beyond = whole ? 1 : nearest;
  const bound = (name: string): number | undefined => (typeof schema[name] === "number" ? schema[name] : undefined);
  const above = bound("exclusiveMinimum");
  const below = bound("exclusiveMaximum");
  return {
    kind: "number",
    whole,
    min: Math.max(bound("minimum") ?? -Number.MAX_VALUE, above === undefined ? -Number.MAX_VALUE : above + beyond),
    max: Math.min(bound("maximum") ?? Number.MAX_VALUE, below === undefined ? Number.MAX_VALUE : below - beyond),
    step: bound("multipleOf"),
  };
}

function toCount(value: unknown, otherwise: number): number {
  return typeof value === "number" && value >= 0 ? value : otherwise;
}

// Deep enough for real answers; a schema that refers to itself ends here.
export const schemaDepthMax = 10;

/** Whether a value can stand where the schema asks for something. */
export function fits(node: SchemaNode, value: unknown, depth = 0): boolean {
  if (depth > schemaDepthMax) return false;
  switch (node.kind) {
    case "anything":
      return value !== undefined;
    case "fixed":
      return isSame(node.value, value);
    case "choice":
      return node.options.some((option) => isSame(option, value));
    case "text":
      // A format is the business of whoever checks the answer; of those, only what `fill` takes over as it stands matters here.
      return (
        typeof value === "string" &&
        hasLength(value, node) &&
        (node.pattern?.test(value) ?? true) &&
        hasFormat(value, node.format)
      );
    case "number":
      return (
        typeof value === "number" &&
        value >= node.min &&
        value <= node.max &&
        (!node.whole || Number.isSafeInteger(value)) &&
        isStep(value, node.step)
      );
    case "flag":
      return typeof value === "boolean";
    case "nothing":
      return value === null;
    case "list":
      return (
        Array.isArray(value) &&
        value.length >= node.min &&
        value.length <= node.max &&
        value.every((item, index) => fits((node.first[index] ?? node.item)(), item, depth + 1))
      );
    case "fields":
      return (
        isObject(value) &&
        node.fields.every(({ name, required, node: field }) =>
          value[name] === undefined ? !required : fits(field(), value[name], depth + 1),
        )
      );
    case "either":
      return node.branches.some((branch) => fits(branch(), value, depth + 1));
  }
}

function isSame(left: unknown, right: unknown): boolean {
  return (
    left === right || (typeof left === "object" && left !== null && JSON.stringify(left) === JSON.stringify(right))
  );
}

function hasLength(value: string, node: TextNode): boolean {
  return value.length >= node.lengthMin && value.length <= node.lengthMax;
}

function isStep(value: number, step: number | undefined): boolean {
  return step === undefined || step === 0 || Math.abs(value / step - Math.round(value / step)) < nearest;
}

const formats: Readonly<Record<string, RegExp>> = {
  "date-time": /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})$/,
  date: /^\d{4}-\d{2}-\d{2}$/,
  email: /^[^\s@]+@[^\s@]+\.[^\s@]+$/,
  uri: /^[a-z][a-z0-9+.-]*:\S+$/i,
  url: /^[a-z][a-z0-9+.-]*:\S+$/i,
  uuid: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
};

export function hasFormat(value: string, format: string): boolean {
  return formats[format]?.test(value) ?? true;
}
