import { expect, test } from "vitest";
import { z } from "zod";

import { verifies } from "../../../../test/verifies.ts";
import { isTuttiError } from "../base/errors.ts";
import { tool, type ToolDefinition } from "./tool.ts";

const lookUp = {
  name: "page.find",
  does: "Finds a page.",
  input: z.object({ slug: z.string() }),
  output: z.object({ url: z.string() }),
  effect: "read",
  run: ({ slug }: { slug: string }) => ({ url: `/${slug}` }),
} as const satisfies ToolDefinition<{ slug: string }, { url: string }>;

const publish = { ...lookUp, name: "page.publish", effect: "once" } as const;

test("a declared tool says in full what it will do", verifies("P2"), () => {
  expect(tool(lookUp)).toMatchObject({
    kind: "tool",
    name: "page.find",
    scope: "run",
    retry: undefined,
    timeoutMs: undefined,
  });
});

test("an effect counts for everyone when it has a key of its own, else for its run", () => {
  expect(tool(publish).scope).toBe("run");
  expect(tool({ ...publish, key: ({ slug }) => slug }).scope).toBe("everyone");
  expect(tool({ ...publish, key: ({ slug }) => slug, scope: "step" }).scope).toBe("step");
});

test("a declared tool can be declared again with a change", () => {
  expect(tool({ ...tool(lookUp), name: "page.look" })).toMatchObject({ name: "page.look", effect: "read" });
});

const isSo = { name: "x", check: () => true } as const;

const broken: readonly [promise: string, definition: unknown, says: string][] = [
  ["an empty name", { ...lookUp, name: "" }, "name"],
  ["a name that would break a path", { ...lookUp, name: "page/find" }, "name"],
  ["a name that is too long", { ...lookUp, name: `a${"b".repeat(64)}` }, "name"],
  ["no name at all", { ...lookUp, name: undefined }, "name"],
  ["no sentence about it", { ...lookUp, does: " " }, "what it does"],
  ["an input that is no schema", { ...lookUp, input: { slug: "string" } }, "input"],
  ["an output that is no schema", { ...lookUp, output: undefined }, "output"],
  ["an unknown effect", { ...lookUp, effect: "write" }, "effect"],
  ["an unknown scope", { ...publish, scope: "team" }, "scope"],
  ["no function", { ...lookUp, run: undefined }, "function"],
  ["a check of a read", { ...lookUp, check: () => undefined }, "`check`"],
  ["an undo of a local tool", { ...lookUp, effect: "local", undo: () => undefined }, "`undo`"],
  ["a key of a read", { ...lookUp, key: () => "k" }, "`key`"],
  ["an undo that can't be called", { ...publish, undo: "later" }, "undo"],
  ["a timeout of nothing", { ...lookUp, timeoutMs: 0 }, "timeoutMs"],
  ["a timeout that is no number", { ...lookUp, timeoutMs: Number.NaN }, "timeoutMs"],
  ["no attempt", { ...lookUp, retry: { attemptsMax: 0 } }, "attemptsMax"],
  ["half an attempt", { ...lookUp, retry: { attemptsMax: 1.5 } }, "attemptsMax"],
  ["a pause before the failure", { ...lookUp, retry: { attemptsMax: 2, delayMs: -1 } }, "-1 ms"],
  ["needs that are no list", { ...lookUp, needs: {} }, "`needs` is not a list"],
  ["a need without a name", { ...lookUp, needs: [{ name: " ", check: () => true }] }, "no name"],
  ["a need that is nothing", { ...lookUp, needs: [null] }, "no name"],
  ["a guarantee that can't be asked", { ...lookUp, ensures: [{ name: "x" }] }, '"x" has no check'],
  ["two guarantees of one name", { ...lookUp, ensures: [isSo, isSo] }, 'two `ensures` named "x"'],
  ["a negative price", { ...lookUp, guarantees: { costUsd: -1 } }, "guarantees.costUsd is -1"],
  ["a latency that is no number", { ...lookUp, guarantees: { latencyMs: "fast" } }, "latencyMs"],
  ["a failure mode that is no code", { ...lookUp, failureModes: { OOPS: "It breaks." } }, "OOPS"],
  ["a failure mode without words", { ...lookUp, failureModes: { TOOL_FAILED: "" } }, "TOOL_FAILED"],
  ["tags that are no words", { ...lookUp, tags: [1] }, "`tags`"],
  ["a document that is no name", { ...lookUp, writes: "site" }, "`writes`"],
  ["shrinking pauses", { ...lookUp, retry: { attemptsMax: 2, factor: 0.5 } }, "factor"],
];

for (const [promise, definition, says] of broken) {
  test(`a tool with ${promise} is refused when it is declared, with a hint`, verifies("K4"), () => {
    const error = catchError(() => Reflect.apply(tool, undefined, [definition])); // as plain JavaScript would call it
    expect(isTuttiError(error) && error.code).toBe("DEFINITION_INVALID");
    expect(isTuttiError(error) && error.message).toContain(says);
    expect(isTuttiError(error) && error.hint).toBeTruthy();
  });
}

function catchError(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}
