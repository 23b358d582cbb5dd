import { writeFileSync } from "node:fs";

import type { Reporter, TestModule } from "vitest/node";

/** What a run of the tests showed: the counts, and for every promise the tests that ran and passed. */
export interface TestResults {
  readonly passed: number;
  readonly failed: number;
  readonly testsByPromise: Readonly<Record<string, readonly string[]>>;
}

/** Writes the results to the file that TUTTI_TEST_RESULTS names, for `scripts/test.mjs` and `npm run requirements`. */
export default class ResultsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const file = process.env["TUTTI_TEST_RESULTS"];
    if (file === undefined) return;
    writeFileSync(file, `${JSON.stringify(toResults(modules, unhandledErrors.length), null, 2)}\n`);
  }
}

function toResults(modules: readonly TestModule[], unhandledErrors: number): TestResults {
  const testsByPromise: Record<string, string[]> = {};
  let passed = 0;
  let failed = unhandledErrors;
  for (const module of modules) {
    failed += module.errors().length + [...module.children.allTests("failed")].length;
    for (const suite of module.children.allSuites()) failed += suite.errors().length;
    for (const test of module.children.allTests("passed")) {
      passed += 1;
      for (const id of test.meta().verifies ?? []) {
        (testsByPromise[id] ??= []).push(`${module.relativeModuleId}: ${test.fullName}`);
      }
    }
  }
  return { passed, failed, testsByPromise };
}
