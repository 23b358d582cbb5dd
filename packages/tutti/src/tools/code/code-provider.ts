import type { Json } from "../../base/json.ts";
import { ShapeError, fields, integer, listOf, oneOf, text, type Shape } from "../../base/shape.ts";
import type { Schema } from "../../contracts/schema.ts";
import { schemaOf } from "../../contracts/schema.ts";
import type { Provider } from "../provider.ts";

/** `javascript` is plain ECMAScript without any host; the others are programs of this machine in a sandbox. */
export type CodeLanguage = "javascript" | "python" | "bash" | "node";

export interface CodeInput {
  /** The tool's first language if it is not said. */
  readonly language?: CodeLanguage;
  readonly code: string;
  /** JSON for the program. */
  readonly input?: Json;
}

/** Which limit a program ran into. `crash`: it brought its sandbox down. */
export type CodeLimit = "time" | "memory" | "stack" | "output" | "crash";

export interface CodeFailure {
  readonly name: string;
  readonly message: string;
  /** Counted from 1 in the program, where it is known. */
  readonly line?: number;
}

interface Printed {
  /** What the program printed, line by line, up to the limits. */
  readonly console: readonly string[];
  /** Lines that did not fit any more: at least so many. */
  readonly consoleDropped: number;
}

/** A program that fails is an answer, not an error: whoever wrote it reads why and writes another. */
export type CodeOutput =
  | (Printed & { readonly kind: "done"; readonly result: Json })
  | (Printed & { readonly kind: "failed"; readonly failure: CodeFailure })
  | (Printed & { readonly kind: "stopped"; readonly limit: CodeLimit });

/** A way of running code of some languages. */
export interface CodeProvider extends Provider<CodeInput, CodeOutput> {
  readonly languages: readonly CodeLanguage[];
}

/** Limits that hold in every sandbox. Characters are UTF-16 code units. */
export const codeLimits = {
  codeCharsMax: 100_000,
  inputCharsMax: 1_000_000,
  resultCharsMax: 256_000,
  consoleLinesMax: 200,
  consoleLineCharsMax: 2_000,
} as const;

const json: Shape<Json> = (value, path) => {
  if (value === undefined || typeof value === "function") throw new ShapeError(path, "JSON", value);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- inputs and outputs of tools are JSON; the ledger refuses anything else
  return value as Json;
};

/** What a tool of these languages takes; a model is shown only those. */
export function codeInputOf(languages: readonly CodeLanguage[]): Schema<CodeInput> {
  return schemaOf<CodeInput>(fields({ code: text }, { language: oneOf(...languages), input: json }), {
    type: "object",
    properties: {
      ...(languages.length > 1 ? { language: { type: "string", enum: languages } } : {}),
      code: { type: "string", maxLength: codeLimits.codeCharsMax, description: languages.map(describeUse).join(" ") },
      input: { description: "Any JSON value that the program needs." },
    },
    required: ["code"],
    additionalProperties: false,
  });
}

function describeUse(language: CodeLanguage): string {
  if (language === "javascript")
    return "javascript: the body of an async function: `input` holds the input, `return` gives the result. No clock, timers, files or network.";
  return `${language}: a program that reads input.json and writes its result as JSON to result.json. No network; files are gone afterwards.`;
}

const printed = { console: listOf(text), consoleDropped: integer };
const done = fields({ kind: oneOf("done"), result: json, ...printed });
const failed = fields({
  kind: oneOf("failed"),
  failure: fields({ name: text, message: text }, { line: integer }),
  ...printed,
});
const stopped = fields({
  kind: oneOf("stopped"),
  limit: oneOf("time", "memory", "stack", "output", "crash"),
  ...printed,
});

export const codeOutput: Schema<CodeOutput> = schemaOf<CodeOutput>(
  (value, path) => {
    const { kind } = fields({ kind: oneOf("done", "failed", "stopped") })(value, path);
    if (kind === "done") return done(value, path);
    return kind === "failed" ? failed(value, path) : stopped(value, path);
  },
  { type: "object" },
);
