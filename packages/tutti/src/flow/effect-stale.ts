import type { StaleRead } from "../contracts/document.ts";
import { toConflictError } from "./conflict.ts";
import type { Driver } from "./driver.ts";
import type { EffectCall } from "./effect-outcome.ts";
import { recordRefused } from "./effect-share.ts";

type Refused = Pick<EffectCall, "tool" | "scope" | "key" | "called" | "pending" | "onSettled">;

/**
 * What the caller knows of documents is no longer true, so the tool was not called. A transaction that read them itself is tried again;
 * anybody else is told.
 */
export function refuseStale(driver: Driver, call: Refused, stale: readonly StaleRead[]): void {
  const attempt = driver.documents.attemptAt(call.scope);
  if (attempt !== undefined && !attempt.over && !attempt.ended && attempt.hasReadAll(stale)) {
    call.onSettled();
    attempt.stop(stale);
  } else recordRefused(driver, call, toConflictError(`${call.tool.name} was not called`, stale));
}
