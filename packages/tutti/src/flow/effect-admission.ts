import { isTuttiError, TuttiError } from "../base/errors.ts";
import { checkNeeds } from "./conditions.ts";
import type { Driver } from "./driver.ts";
import type { EffectCall } from "./effect-outcome.ts";
import { recordRefused } from "./effect-share.ts";
import { conditionTimeoutMs, inTime } from "./in-time.ts";

type Admitted = Pick<EffectCall, "tool" | "input" | "key" | "scope" | "called" | "pending">;

/**
 * Asks what must hold before an effect is even intended. If it does not, that is recorded as a failed step: no key was taken. A run that
 * ends meanwhile waits for the answer, as it would for the effect.
 */
export function admitEffect(driver: Driver, call: Admitted, go: () => void): void {
  const { promise: answered, resolve } = Promise.withResolvers<void>();
  driver.inFlight.set(call.key, answered);
  driver.begin();
  void findRefusalInTime(driver, call).then((refusal) => {
    driver.inFlight.delete(call.key);
    if (!driver.stopped && !driver.halted && !call.pending.over) {
      if (refusal === undefined) go();
      else recordRefused(driver, call, refusal);
    }
    resolve();
    driver.finish();
  });
}

function findRefusalInTime(driver: Driver, call: Admitted): Promise<TuttiError | undefined> {
  const limitMs = call.tool.timeoutMs ?? conditionTimeoutMs;
  return inTime(driver, limitMs, {
    work: (signal) => findRefusal(driver, call, AbortSignal.any([signal, call.scope.signal()])),
    onLate: () =>
      new TuttiError("PRECONDITION_FAILED", `what ${call.tool.name} needs could not be told in ${limitMs} ms`, {
        hint: "Let its `needs` answer sooner, or raise its timeoutMs.",
        facts: { callable: call.tool.name, limitMs },
      }),
  });
}

async function findRefusal(driver: Driver, call: Admitted, signal: AbortSignal): Promise<TuttiError | undefined> {
  try {
    await checkNeeds(call.tool, call.input, { runId: driver.run, step: call.key, signal });
    return undefined;
  } catch (error) {
    if (isTuttiError(error)) return error;
    throw error;
  }
}
