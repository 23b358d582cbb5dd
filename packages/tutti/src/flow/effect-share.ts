import { TuttiError, toReplayable, toStoredError } from "../base/errors.ts";
import type { EffectRecord } from "../contracts/run-record.ts";
import type { Driver } from "./driver.ts";
import type { EffectCall } from "./effect-outcome.ts";
import { learn, noLabels, toLabelField, type Labels } from "./labels.ts";
import { toBlobs, toCalledFields } from "./step.ts";
import { toBody, toSeen, toStoredValue } from "./stored-value.ts";

/**
 * Another step, agent or run owns the key. Once it has settled, this step gets its output, and the ledger says so; while it is in flight
 * or in doubt, this step waits; if it failed or was undone, the action is free again and this step takes it.
 */
export function shareEffect(driver: Driver, call: EffectCall, owner: EffectRecord): void {
  if (owner.digest !== (call.way?.digest ?? call.called.digest)) {
    recordConflict(driver, call, owner);
    return;
  }
  switch (owner.state) {
    case "settled":
      driver.begin();
      void driver.host.settledOutput(owner).then(
        (settled) => {
          if (!driver.stopped) recordShared(driver, call, { owner, ...settled });
          driver.finish();
        },
        (error: unknown) =>
          driver.park(error instanceof Error ? asParked(error) : asParked(new Error(String(error))), call.key),
      );
      return;
    case "intended":
    case "in-doubt":
      waitForOwner(driver, call);
      return;
    case "failed":
    case "undone":
      call.intend();
  }
}

function asParked(error: Error): TuttiError {
  return new TuttiError("LEDGER_CORRUPT", `the output of a shared effect can't be read: ${error.message}`, {
    cause: error,
  });
}

function waitForOwner(driver: Driver, call: EffectCall): void {
  const release = driver.wait({ kind: "effect", key: call.effect });
  const { pending } = call;
  const outer = pending.onCancel;
  const stop = (): void => {
    pending.onCancel = outer;
    release();
    forget();
  };
  const forget = driver.host.watchEffect(call.effect, () => {
    stop();
    if (driver.stopped) return;
    if (pending.over) {
      call.onSettled();
      return;
    }
    call.intend();
  });
  // Nothing was dispatched here, so a cancelled waiter simply leaves.
  pending.onCancel = () => {
    outer?.();
    stop();
    call.onSettled();
  };
}

function recordShared(
  driver: Driver,
  call: EffectCall,
  shared: { readonly owner: EffectRecord; readonly output: unknown; readonly labels: Labels | undefined },
): void {
  const out = toStoredValue("out", shared.output, call.key);
  const seen = toSeen(out.json, shared.output);
  const { called, effect, key } = call;
  const from = { run: shared.owner.run, step: shared.owner.step };
  const labels = shared.labels ?? noLabels;
  const body = toBody({ effect, from, ...toLabelField(labels), ...toCalledFields(called) }, called.input, out);
  driver.hand({ kind: "effect-shared", key, body, ...toBlobs(called.input, out) }, "awaited", () => {
    call.onSettled();
    learn(call.scope, labels);
    driver.produced(call.key, seen);
    call.pending.resolve(seen);
  });
}

function recordConflict(driver: Driver, call: EffectCall, owner: EffectRecord): void {
  const error = new TuttiError(
    "EFFECT_CONFLICT",
    `${call.effect} was already used by ${owner.step} of run ${owner.run} for different content`,
    {
      hint: "Let the tool's key name everything that makes two actions different, or send the same content.",
      facts: { effect: call.effect, run: owner.run, step: owner.step },
    },
  );
  recordRefused(driver, call, error);
}

/** What a call is refused by that was not even intended. `onSettled` is told when that is recorded, or nobody wants to know. */
export interface Refusable extends Pick<EffectCall, "called" | "key" | "pending"> {
  readonly onSettled?: () => void;
}

/** The call fails before anything of its effect was written down. */
export function recordRefused(driver: Driver, call: Refusable, error: TuttiError): void {
  const { called, key, pending } = call;
  if (pending.over) {
    call.onSettled?.();
    return;
  }
  const body = toBody({ error: toStoredError(error), call: called.call, digest: called.digest }, called.input);
  driver.hand({ kind: "step-failed", key, body, ...toBlobs(called.input) }, "awaited", () => {
    call.onSettled?.();
    pending.reject(toReplayable(error));
  });
}
