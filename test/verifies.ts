import type { TestOptions } from "vitest";

import { requirements } from "./requirements.ts";

declare module "vitest" {
  interface TaskMeta {
    /** Ids of the promises that the test proves. */
    verifies?: readonly string[];
  }
}

const knownIds: ReadonlySet<string> = new Set(requirements.map((requirement) => requirement.id));

/**
 * Says which promises a test proves: `test("a finished step is not run again", verifies("D2"), async () => { … })`.
 * An id that is not in `requirements.ts` stops the test file at once, so that a typing error proves nothing.
 */
export function verifies(...ids: readonly [string, ...string[]]): TestOptions {
  for (const id of ids) {
    if (!knownIds.has(id)) throw new Error(`verifies("${id}"): test/requirements.ts knows no such promise`);
  }
  return { meta: { verifies: ids } };
}
