// One line for every promise in test/requirements.ts: how many tests of the last whole run proved it.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

import { missingById, requirements } from "../test/requirements.ts";

const root = path.resolve(import.meta.dirname, "..");
const resultsFile = path.join(root, "node_modules/.cache/tutti/test-results.json");

if (!existsSync(resultsFile)) {
  console.log("The tests have not run yet; running them first.");
  spawnSync(process.execPath, [path.join(root, "scripts/test.mjs")], { cwd: root, stdio: "inherit" });
}
report(readProofs());

function report(testsByPromise: Readonly<Record<string, readonly unknown[]>>): void {
  let proved = 0;
  let inPart = 0;
  for (const { id } of requirements) {
    const tests = testsByPromise[id]?.length ?? 0;
    const missing = missingById[id];
    if (tests > 0 && missing === undefined) proved += 1;
    if (tests > 0 && missing !== undefined) inPart += 1;
    console.log(toLine(id, tests, missing));
  }
  console.log(`${proved} of ${requirements.length} promises proved, ${inPart} in part, by the last run of all tests`);
}

function toLine(id: string, tests: number, missing: string | undefined): string {
  if (tests === 0) return `${id} NOT PROVED`;
  return missing === undefined ? `${id} proved ${tests}` : `${id} proved ${tests} in part; missing: ${missing}`;
}

function readProofs(): Readonly<Record<string, readonly unknown[]>> {
  if (!existsSync(resultsFile)) throw new Error("The tests left no results; run `npm test` to see why.");
  const results: { testsByPromise?: Record<string, readonly unknown[]> } = JSON.parse(
    readFileSync(resultsFile, "utf8"),
  );
  return results.testsByPromise ?? {};
}
