import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import type * as core from "../packages/tutti/src/index.ts";
import { resultsFolder } from "./folder.ts";

const builtFolder = join(resultsFolder, "out");

/** The entry as users get it. */
export const builtEntry = join(builtFolder, "index.js");

const bundler = join(import.meta.dirname, "..", "scripts", "bundle.ts");

/**
 * Builds the package beside its own `dist`, so that measuring disturbs nobody who works with that. In a process of its own: Linux counts the
 * memory of a parent as a peak of its children's.
 */
export function build(): void {
  rmSync(builtFolder, { recursive: true, force: true });
  const built = spawnSync(process.execPath, [bundler, builtFolder], { encoding: "utf8" });
  if (built.status !== 0) throw new Error(`the package could not be built: ${built.stderr}`);
}

/** The built package, with the types of the source that it was built from. */
export async function loadBuilt(): Promise<typeof core> {
  const loaded: typeof core = await import(pathToFileURL(builtEntry).href);
  return loaded;
}
