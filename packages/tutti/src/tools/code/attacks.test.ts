import { expect, test } from "vitest";

import { verifies } from "../../../../../test/verifies.ts";
import { toToolHost } from "../../testing/tool-host.ts";
import type { CodeOutput } from "./code-provider.ts";
import { codeTool } from "./code-tool.ts";
import { quickJsCode } from "./quickjs-code.ts";

const hurried = codeTool([quickJsCode({ timeoutMs: 300, memoryBytesMax: 16_000_000 })]);
const patient = codeTool([quickJsCode({ timeoutMs: 60_000, memoryBytesMax: 4_000_000 })]);
const run = async (program: string, code = hurried): Promise<CodeOutput> => code.run({ code: program }, toToolHost());

/** What a program tries, and what comes of it. */
type Attempt = readonly [what: string, program: string, outcome: Record<string, unknown>];

const time = { kind: "stopped", limit: "time" };
const memory = { kind: "stopped", limit: "memory" };
const stack = { kind: "stopped", limit: "stack" };
const crash = { kind: "stopped", limit: "crash" };
const output = { kind: "stopped", limit: "output" };
const failed = (name: string): Record<string, unknown> => ({
  kind: "failed",
  failure: expect.objectContaining({ name }),
});
const done = (result: unknown): Record<string, unknown> => ({ kind: "done", result });

const escapes: readonly Attempt[] = [
  [
    "names of the host",
    "return [typeof process, typeof require, typeof fetch, typeof Buffer, typeof setTimeout, typeof global]",
    done(Array(6).fill("undefined")),
  ],
  [
    "more names of the host",
    "return [typeof WebAssembly, typeof Atomics, typeof Worker, typeof importScripts, typeof postMessage, typeof structuredClone]",
    done(Array(6).fill("undefined")),
  ],
  ["the chain of constructors", 'return this.constructor.constructor("return typeof process")()', done("undefined")],
  [
    "the constructor of console.log",
    'return console.log.constructor("return typeof process + typeof require")()',
    done("undefinedundefined"),
  ],
  ["Function", 'return Function("return typeof globalThis.process")()', done("undefined")],
  ["indirect eval", 'return (0, eval)("typeof process")', done("undefined")],
  ["import() of a module of Node", 'return import("node:fs")', failed("ReferenceError")],
  ["import() of a file", 'return import("file:///etc/passwd")', failed("ReferenceError")],
  ["an import statement", 'import fs from "node:fs"; return 1', failed("SyntaxError")],
  [
    "leaving the function that wraps it",
    "}); if (typeof process !== typeof print) throw 1; (async () => {",
    done(null),
  ],
  ["the caller", "return (function f() { return typeof f.caller; })()", done("undefined")],
  [
    "the stack's frames",
    "Error.prepareStackTrace = (error, frames) => frames; return typeof new Error().stack?.[0]?.getThis",
    done("undefined"),
  ],
  [
    "the real clock behind Date",
    "return Object.getPrototypeOf(Date).now() + new (Object.getPrototypeOf(Date))().getTime()",
    done(0),
  ],
  ["Atomics.wait", "return Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0)", failed("ReferenceError")],
  ["__proto__ in the result", `return JSON.parse('{"__proto__":{"polluted":true},"a":1}')`, done({ a: 1 })],
  [
    "constructor.prototype in the result",
    `return JSON.parse('{"constructor":{"prototype":{"polluted":true}}}')`,
    done({ constructor: { prototype: { polluted: true } } }),
  ],
  [
    "prototypes of its own",
    "Object.prototype.polluted = true; Array.prototype.toJSON = () => 'mine'; return { list: [1] }",
    done({ list: "mine" }),
  ],
  ["another JSON.stringify", `JSON.stringify = () => '{"kind":"done","result":"forged"}'; return 1`, done(1)],
  ["another Promise.then", "Promise.prototype.then = () => { throw 1; }; return 1", done(1)],
  ["another String.slice", "String.prototype.slice = () => 'x'.repeat(1e6); console.log('line'); return 1", done(1)],
  ["toJSON", "return { toJSON: () => ({ kind: 'stopped', limit: 'time' }) }", done({ kind: "stopped", limit: "time" })],
  ["a getter in the result", "return { get a() { return 1; } }", done({ a: 1 })],
  ["a getter that throws", "return { get a() { throw new RangeError('no'); } }", failed("RangeError")],
  [
    "a proxy that answers everything",
    "return new Proxy({}, { ownKeys: () => ['a'], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }), get: (_, name) => (name === 'toJSON' ? undefined : 7) })",
    done({ a: 7 }),
  ],
  ["a symbol", "return Symbol('s')", done(null)],
  ["a function", "return () => 1", done(null)],
  ["a bigint", "return 1n", failed("TypeError")],
  ["a cycle", "const a = {}; a.a = a; return a", failed("TypeError")],
  ["throwing a proxy", "throw new Proxy({}, { get() { throw 1; } })", { kind: "failed" }],
  ["throwing nothing", "throw undefined", { kind: "failed" }],
  ["throwing null", "throw null", { kind: "failed" }],
  ["a name that is an object", "throw { name: { toString: () => { throw 1; } }, message: 1 }", failed("Error")],
  ["lone surrogates", "return '\\ud800'", done("\ud800")],
];

const exhaustions: readonly Attempt[] = [
  ["an endless loop", "for (;;);", time],
  ["an endless loop after an await", "await null; for (;;);", time],
  ["an endless loop that catches everything", "for (;;) { try { for (;;); } catch {} finally { continue; } }", time],
  ["a regular expression that backtracks", "return /^(a+)+$/.test('a'.repeat(40) + 'b')", time],
  ["a flood of microtasks", "const again = () => Promise.resolve().then(again); await again()", time],
  [
    "a flood of microtasks beside a result",
    "(async () => { for (;;) await null; })(); await new Promise(() => {})",
    time,
  ],
  ["a getter that never returns", "return { get a() { for (;;); } }", time],
  ["toJSON that never returns", "return { toJSON() { for (;;); } }", time],
  ["a message that never returns", "throw { get message() { for (;;); } }", time],
  ["a proxy that never returns", "return new Proxy({}, { ownKeys() { for (;;); } })", time],
  ["one long built-in call", "return new Array(2 ** 32 - 1).join('x')", time],
  ["another long built-in call", "return [].concat(Array(1e9))", time],
  [
    "buffers caught at the limit, for ever",
    "const list = []; for (;;) try { list.push(new ArrayBuffer(1e6)); } catch {}",
    time,
  ],
  ["a generator without an end", "return [...(function* () { for (;;) yield 1; })()]", memory],
  ["objects without an end", "const list = []; for (;;) list.push({})", memory],
  ["one huge string", "return 'x'.repeat(2 ** 29)", memory],
  ["a string that doubles", "let text = 'x'; for (;;) text += text", memory],
  ["one huge buffer", "return new ArrayBuffer(2 ** 31)", failed("RangeError")],
  ["a bigint that squares", "let n = 2n; for (;;) n *= n", failed("RangeError")],
  ["recursion", "const down = () => down() + 1; return down()", stack],
  ["recursion in JSON", "let o = []; for (let i = 0; i < 2e4; i++) o = [o]; return o", stack],
  ["recursion of the parser", "return eval('('.repeat(2e4))", crash],
  ["a promise that nothing settles", "await new Promise(() => {})", failed("NeverSettled")],
  ["a result that is too long", "return 'x'.repeat(300_000)", output],
  [
    "a flood of lines",
    "const line = 'x'.repeat(1e4); for (let i = 0; i < 2e3; i++) console.log(line); return 1",
    { kind: "done", console: Array(200).fill("x".repeat(2_000)), consoleDropped: 1 },
  ],
];

test("a program that tries to get out finds nothing", verifies("K5"), async () => {
  expect(await attempt(escapes)).toEqual([]);
  expect(Object.prototype).not.toHaveProperty("polluted");
});

test(
  "a program that uses up time, memory, stack or output is stopped, and says by which limit",
  verifies("K5"),
  async () => {
    expect(await attempt(exhaustions)).toEqual([]);
  },
);

test("while a program does its worst, the main loop goes on", verifies("K5"), async () => {
  let turns = 0;
  let isOver = false;
  const turn = (): void => {
    turns += 1;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  const bomb = "const list = []; for (;;) try { list.push(new ArrayBuffer(1e6)); } catch {}";
  expect(await run(bomb)).toMatchObject(time);
  isOver = true;
  expect(turns).toBeGreaterThan(50);
});

test("nothing of a program is left for the next one", verifies("K5"), async () => {
  await run(
    "globalThis.left = 1; Object.prototype.left = 2; Array.prototype.push = () => 3; console.log = 4; return 1",
  );
  expect(await run("const list = []; list.push(typeof left, typeof console.log); return list")).toMatchObject(
    done(["undefined", "function"]),
  );
});

/** The attempts whose outcome is another one than expected. */
async function attempt(attempts: readonly Attempt[]): Promise<unknown[]> {
  const surprises = await Promise.all(
    attempts.map(async ([what, program, expected]) => {
      const came = await run(program, expected === time ? hurried : patient);
      try {
        expect(came).toMatchObject(expected);
        return [];
      } catch {
        return [{ what, came: { ...came, console: came.console.slice(0, 3) } }];
      }
    }),
  );
  return surprises.flat();
}
