import type { JSONSchema7 } from "@ai-sdk/provider";

// Everything under these is itself a schema, a list of schemas or a map of them.
const single = ["items", "not", "additionalProperties", "contains", "propertyNames"] as const;
const listed = ["anyOf", "oneOf", "allOf", "prefixItems"] as const;
const mapped = ["properties", "$defs", "definitions", "patternProperties"] as const;

/** What OpenAI's strict structured outputs understand; a schema with anything else is refused outright. */
const strictWords: ReadonlySet<string> = new Set([
  ..."type title description properties required additionalProperties items enum const anyOf $ref $defs format pattern".split(
    " ",
  ),
  ..."minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minItems maxItems".split(" "),
]);
const strictFormats: ReadonlySet<string> = new Set([
  "date-time",
  "date",
  "time",
  "duration",
  "email",
  "hostname",
  "ipv4",
  "ipv6",
  "uuid",
]);

/** A schema as providers take it: without its dialect, and closed: an object has the properties that it names and no others. */
export function toWireSchema(schema: Readonly<Record<string, unknown>>): JSONSchema7 {
  const { $schema: _, ...rest } = schema;
  const closed = close(rest);
  return isSchema(closed) ? closed : {};
}

function close(schema: unknown): unknown {
  if (!isObject(schema)) return schema;
  const closed: Record<string, unknown> = { ...schema };
  for (const name of single) if (isObject(closed[name])) closed[name] = close(closed[name]);
  for (const name of listed) if (Array.isArray(closed[name])) closed[name] = closed[name].map(close);
  for (const name of mapped) {
    const map = closed[name];
    if (isObject(map)) closed[name] = Object.fromEntries(Object.entries(map).map(([key, part]) => [key, close(part)]));
  }
  if (closed["type"] === "object" && isObject(closed["properties"])) closed["additionalProperties"] ??= false;
  return closed;
}

/** Whether OpenAI takes the schema as strict: every property required, every object closed, no word that it does not know. */
export function isStrictSchema(schema: unknown): boolean {
  if (!isObject(schema) || Object.keys(schema).some((word) => !strictWords.has(word))) return false;
  const { format, properties, required } = schema;
  if (typeof format === "string" && !strictFormats.has(format)) return false;
  if (schema["type"] === "object" || isObject(properties)) {
    const names = isObject(properties) ? Object.keys(properties) : [];
    if (
      schema["additionalProperties"] !== false ||
      !Array.isArray(required) ||
      names.some((name) => !required.includes(name))
    )
      return false;
  }
  const parts: unknown[] = ["properties", "$defs"].flatMap((name) =>
    isObject(schema[name]) ? Object.values(schema[name]) : [],
  );
  if ("items" in schema) parts.push(schema["items"]);
  if (Array.isArray(schema["anyOf"])) parts.push(...schema["anyOf"]);
  return parts.every(isStrictSchema);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSchema(value: unknown): value is JSONSchema7 {
  return isObject(value);
}
