import { isTuttiError, TuttiError, toReplayable, toStoredError } from "../base/errors.ts";
import { checkNeeds } from "./conditions.ts";
import type { Driver } from "./driver.ts";
import type { EffectCall } from "./effect-outcome.ts";
import { toBlobs } from "./step.ts";
import { toBody } from "./stored-value.ts";

type Admitted = Pick<EffectCall, "tool" | "input" | "key" | "scope" | "called" | "pending">;

/** What a tool needs has to answer in this time; a tool's own limit comes first. */
const needsTimeoutMs = 60_000;

/** Asks what must hold before an effect is even intended. If it does not, that is recorded as a failed step: no key was taken. */
export function admitEffect(driver: Driver, call: Admitted, go: () => void): void {
  const wants = (): boolean => !driver.stopped && !driver.halted && !call.pending.over;
  driver.begin();
  void findRefusalInTime(driver, call).then((refusal) => {
    if (wants()) {
      if (refusal === undefined) go();
      else recordRefused(driver, call, refusal);
    }
    driver.finish();
  });
}

async function findRefusalInTime(driver: Driver, call: Admitted): Promise<TuttiError | undefined> {
  const limitMs = call.tool.timeoutMs ?? needsTimeoutMs;
  const { promise: late, resolve } = Promise.withResolvers<TuttiError>();
  const controller = new AbortController();
  const forget = driver.host.clock.after(limitMs, () => {
    controller.abort();
    resolve(
      new TuttiError("PRECONDITION_FAILED", `what ${call.tool.name} needs could not be told in ${limitMs} ms`, {
        hint: "Let its `needs` answer sooner, or raise its timeoutMs.",
        facts: { callable: call.tool.name, limitMs },
      }),
    );
  });
  const signal = AbortSignal.any([controller.signal, call.scope.signal()]);
  try {
    return await Promise.race([findRefusal(driver, call, signal), late]);
  } finally {
    forget();
  }
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

function recordRefused(driver: Driver, call: Admitted, error: TuttiError): void {
  const { called, key } = call;
  const body = toBody({ error: toStoredError(error), call: called.call, digest: called.digest }, called.input);
  void driver.hand({ kind: "step-failed", key, body, ...toBlobs(called.input) }, false, () =>
    call.pending.reject(toReplayable(error)),
  );
}
