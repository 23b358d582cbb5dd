import { rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import type * as core from "../packages/tutti/src/index.ts";
import { resultsFolder } from "./folder.ts";

const builtFolder = join(resultsFolder, "out");

/** The entry as users get it. */
export const builtEntry = join(builtFolder, "index.js");

/** Builds the package beside its own `dist`, so that measuring disturbs nobody who works with that. */
export async function build(): Promise<void> {
  rmSync(builtFolder, { recursive: true, force: true });
  const { bundle } = await import("../scripts/bundle.ts"); // weighs more than all that is measured, and no cell needs it
  await bundle(builtFolder);
}

/** The built package, with the types of the source that it was built from. */
export async function loadBuilt(): Promise<typeof core> {
  const loaded: typeof core = await import(pathToFileURL(builtEntry).href);
  return loaded;
}
