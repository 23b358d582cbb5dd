import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";

import type { Assignment } from "./assignment.ts";
import { resultsFolder } from "./folder.ts";
import type { Measures } from "./numbers.ts";

/** Stands in front of the line with the measures. */
export const resultMark = "RESULT ";

export type Spawned =
  | { readonly kind: "measured"; readonly measures: Measures }
  | { readonly kind: "failed"; readonly why: string };

export interface CellProcess {
  readonly child: ChildProcess;
  /** Resolves when the process has ended, or, with `killWhenMeasured`, was killed. */
  readonly ended: Promise<Spawned>;
}

export interface SpawnOptions {
  readonly limitMs: number;
  readonly killWhenMeasured?: boolean;
}

const program = join(import.meta.dirname, "cell.ts");
const environment = { NODE_ENV: "production", MASTRA_TELEMETRY_DISABLED: "1" };
const nodeFlags = ["--disable-warning=ExperimentalWarning"];
const keptErrorLength = 600;
// Node strips the bench's own types with a program that weighs 25 MB; what it made is kept, so that peaks of memory are the contestant's.
const cacheFolder = join(resultsFolder, "compiled");
// The start of a process is measured here, as it is without a cache.
const coldCells: ReadonlySet<string> = new Set(["return"]);

/** Starts one cell in a process of its own. */
export function spawnCell(assignment: Assignment, { limitMs, killWhenMeasured }: SpawnOptions): CellProcess {
  const isCold = coldCells.has(assignment.cell);
  const child = spawn(process.execPath, [...nodeFlags, program, JSON.stringify(assignment)], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...environment, ...(isCold ? {} : { NODE_COMPILE_CACHE: cacheFolder }) },
  });
  let output = "";
  let errors = "";
  let isLate = false;
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString("utf8");
    if (killWhenMeasured === true && readMeasures(output) !== undefined) child.kill("SIGKILL");
  });
  child.stderr.on("data", (chunk: Buffer) => {
    errors = (errors + chunk.toString("utf8")).slice(0, keptErrorLength);
  });
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, limitMs);
  const ended = new Promise<Spawned>((resolve) => {
    child.on("close", () => {
      clearTimeout(timer);
      const measures = readMeasures(output);
      if (measures !== undefined) resolve({ kind: "measured", measures });
      else resolve({ kind: "failed", why: isLate ? `not done within ${limitMs / 1000} s` : errors.trim() });
    });
  });
  return { child, ended };
}

function readMeasures(output: string): Measures | undefined {
  const line = output.split("\n").find((each) => each.startsWith(resultMark));
  if (line === undefined || !line.endsWith("}")) return undefined;
  const measures: Measures = JSON.parse(line.slice(resultMark.length));
  return measures;
}
