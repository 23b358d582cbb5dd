import { spawnSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import type * as core from "../packages/tutti/src/index.ts";
import { resultsFolder } from "./folder.ts";

const repository = join(import.meta.dirname, "..");
const builtFolder = join(resultsFolder, "out");

/** The entry as users get it: plain JavaScript, one file per source file. */
export const builtEntry = join(builtFolder, "index.js");

/** Builds the package beside its own `dist`, so that measuring disturbs nobody who works with that. */
export function build(): void {
  rmSync(builtFolder, { recursive: true, force: true });
  const tsc = join(repository, "node_modules", "typescript", "bin", "tsc");
  const project = join(repository, "packages", "tutti", "tsconfig.build.json");
  const result = spawnSync(process.execPath, [tsc, "-p", project, "--outDir", builtFolder], { encoding: "utf8" });
  if (result.status === 0) return;
  if (!existsSync(builtEntry)) throw new Error(`the package could not be built: ${result.stdout}${result.stderr}`);
  process.stderr.write(`The package has type errors; it is measured as it is.\n${result.stdout.slice(0, 500)}\n`);
}

/** The built package, with the types of the source that it was built from. */
export async function loadBuilt(): Promise<typeof core> {
  const loaded: typeof core = await import(pathToFileURL(builtEntry).href);
  return loaded;
}
