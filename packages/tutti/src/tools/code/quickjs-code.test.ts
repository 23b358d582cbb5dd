import fc from "fast-check";
import { expect, test } from "vitest";

import { verifies } from "../../../../../test/verifies.ts";
import { isTuttiError } from "../../base/errors.ts";
import { toJsonSchema } from "../../contracts/schema.ts";
import { toToolHost } from "../../testing/tool-host.ts";
import { codeLimits, type CodeInput, type CodeOutput } from "./code-provider.ts";
import { codeTool } from "./code-tool.ts";
import { openPlaces } from "./places.ts";
import { parseJsonSafely } from "./program-end.ts";
import { quickJsCode } from "./quickjs-code.ts";

const code = codeTool();
const run = async (input: CodeInput): Promise<CodeOutput> => code.run(input, toToolHost());

test("a program gets its input and gives back its result and what it printed", verifies("K2", "K5"), async () => {
  const program = `
    console.log("rows", input.rows.length, { of: input.name });
    const sum = input.rows.reduce((left, right) => left + right, 0);
    console.error("sum", sum);
    return { sum, mean: sum / input.rows.length };`;
  expect(await run({ code: program, input: { name: "sales", rows: [1, 2, 6] } })).toEqual({
    kind: "done",
    result: { sum: 9, mean: 3 },
    console: ['rows 3 {"of":"sales"}', "sum 9"],
    consoleDropped: 0,
  });
  expect(await run({ code: "await null; return await Promise.all([1, Promise.resolve(2)])" })).toMatchObject({
    kind: "done",
    result: [1, 2],
  });
  expect(await run({ code: "" })).toMatchObject({ kind: "done", result: null });
});

test("any JSON comes back as it went in", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 50 }), async (values) => {
      const sent: unknown = parseJsonSafely(JSON.stringify(values));
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- made by JSON.parse in the line above
      const input = sent as NonNullable<CodeInput["input"]>;
      expect(await run({ code: "return input", input })).toMatchObject({ kind: "done", result: sent });
    }),
    { numRuns: 6 },
  );
});

test("a name that would set a prototype when it is copied does not come out", verifies("K5"), async () => {
  const ran = await run({ code: `return JSON.parse('{"a":{"__proto__":{"x":1},"b":2}}')` });
  const names = ran.kind === "done" ? JSON.stringify(ran.result) : ran.kind;
  expect(names).toBe('{"a":{"b":2}}');
});

test("a program that fails says what is wrong, and in which of its lines", async () => {
  expect(await run({ code: "const a = 1;\nnull.x" })).toMatchObject({
    kind: "failed",
    failure: { name: "TypeError", message: "cannot read property 'x' of null", line: 2 },
  });
  expect(await run({ code: "const a = ;" })).toMatchObject({
    kind: "failed",
    failure: { name: "SyntaxError", line: 1 },
  });
  expect(await run({ code: "console.log('before'); throw 'text'" })).toMatchObject({
    kind: "failed",
    failure: { name: "Error", message: "text" },
    console: ["before"],
  });
});

test("what was printed before a program was stopped is kept", async () => {
  const hurried = codeTool([quickJsCode({ timeoutMs: 200 })]);
  const program = "console.log('working'); for (;;) [].concat(Array(1e9))";
  expect(await hurried.run({ code: program }, toToolHost())).toMatchObject({
    kind: "stopped",
    limit: "time",
    console: ["working"],
  });
});

test("the same program gives the same result: there is no clock, and chance starts alike", async () => {
  const program = `
    const dates = [new Date(2024, 5, 1).toISOString(), new Date(0).toString(), new Date("2024-06-01").getHours()];
    return [Math.random(), Math.random(), ...dates]`;
  const [first, second] = await Promise.all([run({ code: program }), run({ code: program })]);
  expect(first).toEqual(second);
  expect(first).toMatchObject({
    result: [
      expect.any(Number),
      expect.any(Number),
      "2024-06-01T00:00:00.000Z",
      "Thu Jan 01 1970 00:00:00 GMT+0000",
      0,
    ],
  });
  for (const clock of ["Date.now()", "new Date()", "Date()"])
    expect(await run({ code: `return ${clock}` })).toMatchObject({ kind: "failed" });
});

test("a program that is too long, and an input that is too long, are refused before anything runs", async () => {
  await expect(run({ code: "1;".repeat(codeLimits.codeCharsMax) })).rejects.toMatchObject({ code: "INPUT_INVALID" });
  const input = "x".repeat(codeLimits.inputCharsMax);
  await expect(run({ code: "return 1", input })).rejects.toMatchObject({ code: "INPUT_INVALID", effect: "none" });
});

test("a language that nobody runs is refused, and a tool without providers can't be declared", async () => {
  await expect(run({ code: "1", language: "python" })).rejects.toMatchObject({ code: "INPUT_INVALID" });
  expect(() => codeTool([])).toThrow(expect.objectContaining({ code: "DEFINITION_INVALID" }));
  expect(await code.input["~standard"].validate({ code: "1", language: "python" })).toHaveProperty("issues");
  expect(toJsonSchema(code.input, "input", "code.run")).toMatchObject({ required: ["code"] });
  expect(JSON.stringify(toJsonSchema(code.input, "input", "code.run"))).not.toContain("python");
});

test("an aborted call ends its program at once, running or waiting", async () => {
  const provider = quickJsCode({ concurrency: 1, timeoutMs: 600_000 });
  const controller = new AbortController();
  const host = toToolHost({ signal: controller.signal });
  const programs = ["for (;;);", "return 1"].map(async (program) => provider.run({ code: program }, host));
  const reason = new Error("nobody wants it any more");
  controller.abort(reason);
  for (const outcome of await Promise.allSettled(programs)) expect(outcome).toEqual({ status: "rejected", reason });
  expect(await provider.run({ code: "return 2" }, toToolHost())).toMatchObject({ kind: "done", result: 2 });
});

test("more programs than may wait are turned away with an error that may be tried again", async () => {
  const places = openPlaces(1, 1);
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const { signal } = new AbortController();
  const working = places.use(signal, () => promise);
  const waiting = places.use(signal, () => Promise.resolve("second"));
  const refused = await places.use(signal, () => Promise.resolve()).catch((error: unknown) => error);
  expect(isTuttiError(refused) && [refused.code, refused.effect]).toEqual(["TOOL_UNAVAILABLE", "none"]);
  resolve(undefined);
  await working;
  expect(await waiting).toBe("second");
  expect(await places.use(signal, () => Promise.resolve("third"))).toBe("third");
});
