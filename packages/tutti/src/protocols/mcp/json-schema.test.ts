import { assert, jsonValue, property } from "fast-check";
import { expect, test } from "vitest";

import { toCanonicalJson } from "../../base/json.ts";
import { findSchemaProblem, fromJsonSchema, type JsonSchema } from "./json-schema.ts";

const isValid = (schema: JsonSchema, value: unknown): boolean => {
  const validated = fromJsonSchema(schema)["~standard"].validate(value);
  return !(validated instanceof Promise) && validated.issues === undefined;
};
const complaintOf = (schema: JsonSchema, value: unknown): string => {
  const validated = fromJsonSchema(schema)["~standard"].validate(value);
  return validated instanceof Promise ? "" : (validated.issues ?? []).map((issue) => issue.message).join("; ");
};

test("a value that fits comes back as it was; nothing is filled in, cut off or converted", () => {
  assert(
    property(jsonValue(), (value) => {
      const schema = fromJsonSchema({ properties: { missing: { default: 1 } } });
      expect(schema["~standard"].validate(value)).toEqual({ value });
    }),
  );
});

test("a value fits the schema of itself, and no other does, but for an empty list and an empty object", () => {
  assert(
    property(jsonValue(), jsonValue(), (one, other) => {
      expect(isValid({ const: one }, one)).toBe(true);
      expect(isAlike(one, other) || !isValid({ const: one }, other)).toBe(true);
    }),
    // Found by the property: the validator takes {} for the constant [], and not the other way round; a server checks its arguments once more.
    {
      examples: [
        [[], {}],
        [{}, []],
      ],
    },
  );
});

const isAlike = (one: unknown, other: unknown): boolean =>
  toCanonicalJson(withoutLists(one)) === toCanonicalJson(withoutLists(other));

function withoutLists(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withoutLists(item)]));
}

test("models are shown the schema as the server wrote it", () => {
  const written = {
    type: "object",
    "x-mcp-header": "kept",
    properties: { a: { $ref: "#/$defs/a" } },
    $defs: { a: {} },
  };
  expect(fromJsonSchema(written)["~standard"].jsonSchema?.input({ target: "draft-2020-12" })).toEqual(written);
});

test("a complaint names the place", () => {
  const schema = { type: "object", properties: { a: { type: "number" } }, required: ["b"] };
  expect(complaintOf(schema, { a: "x" })).toContain("#/a");
  expect(complaintOf(schema, { a: 1 })).toContain('"b"');
});

test("two schemas that claim one name are two", () => {
  const $id = "https://example.org/one";
  expect(isValid({ $id, type: "string" }, "a")).toBe(true);
  expect(isValid({ $id, type: "number" }, "a")).toBe(false);
});

test("older dialects are understood, unknown ones refused", () => {
  const old = { $schema: "http://json-schema.org/draft-07/schema#", definitions: { a: { type: "number" } } };
  expect(isValid({ ...old, properties: { a: { $ref: "#/definitions/a" } } }, { a: "x" })).toBe(false);
  expect(findSchemaProblem({ $schema: "https://example.org/my-dialect" })).toContain("dialect");
});

test("references are followed inside of a schema only", () => {
  expect(findSchemaProblem({ properties: { a: { $ref: "#/$defs/a" } }, $defs: { a: {} } })).toBeUndefined();
  expect(
    findSchemaProblem({ $defs: { a: { $id: "https://example.org/a" } }, $ref: "https://example.org/a" }),
  ).toBeUndefined();
  for (const reference of ["http://127.0.0.1/a.json", "file:///etc/passwd", "a.json"]) {
    expect(findSchemaProblem({ anyOf: [{ items: { $ref: reference } }] })).toContain("nothing is fetched");
  }
  expect(findSchemaProblem({ const: { $ref: "http://127.0.0.1/is-data" } })).toBeUndefined();
});

test("a schema that is too large or too deep is refused", () => {
  expect(findSchemaProblem({ description: "x".repeat(256_001) })).toContain("256000");
  let deep: JsonSchema = {};
  for (let level = 0; level < 100; level++) deep = { items: deep };
  expect(findSchemaProblem(deep)).toContain("64 levels");
});

test("a pattern that would take years, a circle and a web of references are refused, and the process goes on", () => {
  expect(complaintOf({ type: "string", pattern: "^(a+)+$" }, `${"a".repeat(60)}!`)).toContain("over 1000 ms");
  expect(complaintOf({ $ref: "#" }, 1)).toContain("can't be used");
  const levels = Array.from({ length: 40 }, (_unused, level) => [
    `l${level}`,
    { allOf: [{ $ref: `#/$defs/l${level + 1}` }, { $ref: `#/$defs/l${level + 1}` }] },
  ]);
  const web = { $ref: "#/$defs/l0", $defs: { ...Object.fromEntries(levels), l40: { type: "number" } } };
  expect(complaintOf(web, 1)).toContain("over 1000 ms");
  expect(isValid({ type: "string" }, "still here")).toBe(true);
});
