import { toReplayable, toStoredError } from "../base/errors.ts";
import type { StaleRead } from "../contracts/document.ts";
import { toConflictError } from "./conflict.ts";
import type { Driver } from "./driver.ts";
import type { EffectCall } from "./effect-outcome.ts";
import { toBlobs } from "./step.ts";
import { toBody } from "./stored-value.ts";

/**
 * What the caller knows of documents is no longer true, so the tool was not called. A transaction that read them itself is tried again;
 * anybody else is told.
 */
export function refuseStale(driver: Driver, call: EffectCall, stale: readonly StaleRead[]): void {
  const attempt = driver.documents.attemptAt(call.scope);
  if (attempt !== undefined && !attempt.over && !attempt.ended && attempt.hasReadAll(stale)) {
    call.onSettled();
    attempt.stop(stale);
    return;
  }
  const error = toConflictError(`${call.tool.name} was not called`, stale);
  const { called } = call;
  const body = toBody({ error: toStoredError(error), call: called.call, digest: called.digest }, called.input);
  driver.hand({ kind: "step-failed", key: call.key, body, ...toBlobs(called.input) }, false, () => {
    call.onSettled();
    call.pending.reject(toReplayable(error));
  });
}
