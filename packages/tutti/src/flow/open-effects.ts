import { TuttiError } from "../base/errors.ts";
import { toStepKey } from "../contracts/ids.ts";
import type { Driver } from "./driver.ts";
import { takeUp } from "./effect-call.ts";
import type { OpenIntent } from "./history.ts";
import { labelsAt } from "./labels.ts";
import { isUnder, openPending, openScope } from "./scope.ts";
import { fromStored } from "./stored-value.ts";

/**
 * Waits until every effect under `path` has a known outcome: those in flight, and those that a crash left open in a branch whose code nobody
 * runs any more. One that is in doubt waits for a person, and the run with it.
 */
export async function settleOpenEffects(driver: Driver, path: string): Promise<void> {
  for (const intent of driver.history.openIntents.values()) {
    const key = toStepKey(intent.key);
    if (isUnder(intent.key, path) && !driver.inFlight.has(key) && !driver.taken.has(key))
      takeUpUnwanted(driver, intent);
  }
  while (true) {
    const open = [...driver.inFlight].filter(([key]) => isUnder(key, path));
    if (open.length === 0) return;
    await Promise.all(open.map(([, settled]) => settled));
  }
}

function takeUpUnwanted(driver: Driver, intent: OpenIntent): void {
  const key = toStepKey(intent.key);
  const tool = driver.tools.get(intent.body.tool);
  if (tool === undefined) {
    throw new TuttiError(
      "UNDO_IMPOSSIBLE",
      `the outcome of ${intent.body.effect} is unknown, and the tool ${intent.body.tool} is not known to this process`,
      { hint: "Pass it to openTutti({ tools: [...] }), and resume the run." },
    );
  }
  const scope = openScope(key, undefined);
  const pending = openPending<unknown>(scope, key);
  pending.promise.catch(() => {}); // only its record matters
  const input = fromStored(intent.body.input, intent.body.inputRef, driver.blobs);
  takeUp(
    driver,
    {
      tool,
      input,
      key,
      scope,
      effect: intent.body.effect,
      called: {
        call: tool.name,
        digest: intent.body.digest,
        input: { field: "", json: undefined, blobs: undefined },
        uses: [],
        labels: labelsAt(driver.root),
      },
      timeoutMs: tool.timeoutMs ?? driver.host.toolTimeoutMs,
      retry: tool.retry,
      limited: undefined,
    },
    { pending, unwanted: true },
  );
}
