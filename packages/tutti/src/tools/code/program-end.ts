import type { Json } from "../../base/json.ts";
import { fields, oneOf, text } from "../../base/shape.ts";
import { codeLimits, type CodeFailure, type CodeLimit } from "./code-provider.ts";

/** How a program ended, without what it printed. */
export type ProgramEnd =
  | { readonly kind: "done"; readonly result: Json }
  | { readonly kind: "failed"; readonly failure: CodeFailure }
  | { readonly kind: "stopped"; readonly limit: CodeLimit };

const end = fields(
  { kind: oneOf("done", "failed", "stopped") },
  { name: text, message: text, stack: text, limit: text },
);

/** What wraps the end that QuickJS reports, at most. */
const frameCharsMax = 8_000;

/** Reads what came out of a sandbox. A program can shape it as it likes, so nothing in it is believed but its form. */
export function parseProgramEnd(reported: string): ProgramEnd {
  if (reported.length > codeLimits.resultCharsMax + frameCharsMax) return { kind: "stopped", limit: "output" };
  let parsed: unknown;
  try {
    parsed = parseJsonSafely(reported);
    const { kind, name = "Error", message = "", stack = "", limit } = end(parsed, "");
    if (kind === "stopped") return { kind, limit: toLimit(limit) };
    if (kind === "done") return { kind, result: resultOf(parsed) };
    const overflown = limitOf(name, message);
    if (overflown !== undefined) return { kind: "stopped", limit: overflown };
    return { kind, failure: { name, message, ...lineOf(stack) } };
  } catch {
    // Only a program that got hold of our own code in the sandbox can report something else.
    return { kind: "stopped", limit: "crash" };
  }
}

/** JSON without `__proto__` as a name: a copy made with `Object.assign` would take it as the copy's prototype. */
export function parseJsonSafely(reported: string): unknown {
  return JSON.parse(reported, (name, value: unknown) => (name === "__proto__" ? undefined : value));
}

function resultOf(parsed: unknown): Json {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it came out of JSON.parse
  return (parsed as { readonly result?: Json }).result ?? null;
}

function toLimit(limit: string | undefined): CodeLimit {
  return limit === "time" || limit === "memory" || limit === "output" ? limit : "crash";
}

// QuickJS says by these errors that one of its limits was met.
function limitOf(name: string, message: string): CodeLimit | undefined {
  if (name !== "InternalError") return undefined;
  if (message === "stack overflow") return "stack";
  return message === "out of memory" || message === "string too long" ? "memory" : undefined;
}

// The program is the body of a function that QuickJS prints with two lines before it.
const linesBefore = 2;

function lineOf(stack: string): { readonly line?: number } {
  const found = /<input>:(\d{1,6}):/.exec(stack)?.[1];
  const line = found === undefined ? 0 : Number(found) - linesBefore;
  return line >= 1 ? { line } : {};
}
