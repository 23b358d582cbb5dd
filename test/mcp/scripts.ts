import { fileURLToPath } from "node:url";

import type { Tool } from "../../packages/tutti/src/contracts/callable.ts";
import type { Flow } from "../../packages/tutti/src/contracts/run.ts";
import type { Schema } from "../../packages/tutti/src/contracts/schema.ts";
import { flow } from "../../packages/tutti/src/flow/flow.ts";

/** How a script of this folder is started. */
export function toScript(name: string, ...args: readonly string[]): { command: string; args: string[] } {
  const script = fileURLToPath(new URL(name, import.meta.url));
  return { command: process.execPath, args: ["--conditions=tutti-source", script, ...args] };
}

const anything: Schema = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } };

/** A flow that two processes agree on: it has one tool write the line "a". */
export function toWritingFlow(tool: Tool): Flow {
  return flow({ name: "writes", input: anything, output: anything, run: (run) => run.call(tool, { line: "a" }) });
}
