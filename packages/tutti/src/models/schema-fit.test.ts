import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";

import { verifies } from "../../../../test/verifies.ts";
import { findMisfit } from "./schema-fit.ts";

const shapes: fc.Arbitrary<z.ZodType> = fc.letrec<{ shape: z.ZodType }>((tie) => ({
  shape: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    fc.constantFrom<z.ZodType>(
      z.string(),
      z.string().min(2).max(5),
      z.number().min(0).max(10),
      z.int().gt(1).lt(9),
      z.boolean(),
      z.null(),
      z.enum(["a", "b"]),
      z.literal(7),
    ),
    fc.array(tie("shape"), { minLength: 1, maxLength: 3 }).map((parts) => z.union(parts)),
    tie("shape").map((item) => z.array(item).max(3)),
    tie("shape").map((item) => z.record(z.string(), item)),
    fc.tuple(tie("shape"), tie("shape")).map(([first, second]) => z.tuple([first, second])),
    fc.tuple(tie("shape"), tie("shape")).map(([a, b]) => z.object({ a, b: b.optional() })),
    fc.tuple(tie("shape"), tie("shape")).map(([a, b]) => z.strictObject({ a, b })),
    fc.tuple(tie("shape"), tie("shape")).map(([a, b]) => z.intersection(z.object({ a }), z.object({ b }))),
  ),
})).shape;

const values = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.record({ a: fc.jsonValue({ maxDepth: 1 }), b: fc.jsonValue({ maxDepth: 1 }) }, { requiredKeys: [] }),
  fc.array(fc.oneof(fc.constantFrom("a", "b", "aa", 7, 2, null, true), fc.jsonValue({ maxDepth: 1 }))),
  fc.constantFrom<unknown>("a", "abc", 0, 5, 7, 2.5, null, true, {}, []),
);

test("a value is found unfit exactly when the library that made the schema refuses it", verifies("M2"), () => {
  fc.assert(
    fc.property(shapes, values, (shape, value) => {
      const schema = z.toJSONSchema(shape, { io: "input" });
      expect([schema, value, findMisfit(schema, value) === undefined]).toEqual([
        schema,
        value,
        shape.safeParse(value).success,
      ]);
    }),
    { numRuns: 2_000 },
  );
});

test("what is wrong is named by its place", () => {
  const schema = z.toJSONSchema(z.object({ list: z.array(z.object({ name: z.string() })) }));
  expect(findMisfit(schema, { list: [{ name: "a" }, { name: 1 }] })).toBe("the answer.list[1].name should be string");
  expect(findMisfit(schema, { list: [{}] }, "it")).toBe("it.list[0].name is missing");
  expect(findMisfit(schema, { list: [], more: 1 })).toBe("the answer.more should not be there");
});

test("schemas that refer to themselves are followed, and one that goes in circles ends", () => {
  interface Node {
    readonly child?: Node | undefined;
  }
  const Node: z.ZodType<Node> = z.object({
    get child() {
      return Node.optional();
    },
  });
  const schema = z.toJSONSchema(Node);
  expect(findMisfit(schema, { child: { child: {} } })).toBeUndefined();
  expect(findMisfit(schema, { child: { child: 1 } })).toBe("the answer.child.child should be object");
  expect(findMisfit({ $ref: "#" }, 1)).toBeUndefined();
});

test("words that are not known here accept: only what is certainly wrong is wrong", () => {
  expect(findMisfit({ type: "string", format: "email", pattern: "^x$" }, "no address")).toBeUndefined();
  expect(findMisfit({ unknownWord: true }, 1)).toBeUndefined();
  expect(findMisfit(true, 1)).toBeUndefined();
});
