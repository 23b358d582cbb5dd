import { TuttiError, toReplayable, toStoredError } from "../base/errors.ts";
import type { Tool, ToolHost } from "../contracts/callable.ts";
import type { EffectKey, StepKey } from "../contracts/ids.ts";
import { parseWith } from "../contracts/schema.ts";
import type { findLimited } from "./admission.ts";
import { toStepError, type AttemptHost } from "./attempts.ts";
import { ensure } from "./conditions.ts";
import type { Driver } from "./driver.ts";
import { mintCapability, type Dispatch } from "./govern/capability.ts";
import type { Way } from "./govern/govern-call.ts";
import { conditionTimeoutMs, inTime } from "./in-time.ts";
import { toLabelField } from "./labels.ts";
import { addReport, takeReport, type Reported } from "./report.ts";
import type { Pending, Scope } from "./scope.ts";
import { toBlobs, type Called } from "./step.ts";
import { toBody, toSeen, toStoredOutput, type StoredValue } from "./stored-value.ts";

/** A call that changes the outside world, from its intent to its outcome. */
export interface EffectCall {
  readonly tool: Tool;
  readonly input: unknown;
  readonly key: StepKey;
  readonly scope: Scope;
  readonly effect: EffectKey;
  readonly called: Called;
  readonly timeoutMs: number | undefined;
  readonly retry: Tool["retry"];
  /** What limits its attempts, if anything does. */
  readonly limited: ReturnType<typeof findLimited>;
  /** What the policy and people made of it; nothing where nobody had a say, or in an earlier process. */
  readonly way?: Way | undefined;
  /** Decides anew whether it may be done. */
  readonly again?: (() => void) | undefined;
  readonly pending: Pending;
  /** Nobody asks for it any more; it is only taken up because its outcome has to be known. */
  readonly unwanted: boolean;
  /** Writes the intent, and goes on from there. */
  readonly intend: () => void;
  /** Calls the tool. */
  readonly dispatch: () => void;
  /** Calls an idempotent tool again under its key, to know the outcome. */
  readonly repeat: () => void;
  /** Told when the outcome is recorded, whoever still wants it. */
  readonly onSettled: () => void;
}

/** What a tool is told of the call that it works for, and where it reports. */
export interface HostedCall extends Dispatch {
  readonly called: Reported;
}

export function toHosted(call: EffectCall, use: Dispatch["use"]): HostedCall {
  const { effect, called, tool, scope, way } = call;
  return { effect, called, tool: tool.name, class: tool.effect, scope, digest: way?.digest ?? called.digest, use };
}

export function toToolHost(driver: Driver, call: HostedCall, host: AttemptHost): ToolHost {
  let capability: Promise<string> | undefined;
  return {
    idempotencyKey: call.effect,
    runId: driver.run,
    step: host.step,
    attempt: host.attempt,
    report: (report) => addReport(call.called, report),
    capability: () => (capability ??= mintCapability(driver, call, host)),
    get signal() {
      return host.signal;
    },
  };
}

export interface Happened {
  readonly value: unknown;
  readonly attempt?: number;
  readonly by: "tool" | "check" | "person";
  readonly note?: string;
}

/**
 * Records that the effect happened. An output that does not fit its schema or breaks a guarantee is recorded with the complaint: the
 * effect is done all the same.
 */
export function settleEffect(driver: Driver, call: EffectCall, happened: Happened): void {
  const record = (value: unknown, error: TuttiError | undefined): void =>
    recordSettled(driver, call, { ...happened, value, error });
  const complain = (error: unknown): void => record(undefined, toStepError(call.key, error));
  try {
    const kept = toKept(call, happened.value);
    if (!(kept instanceof Promise)) {
      record(kept, undefined);
      return;
    }
    driver.begin();
    void keptInTime(driver, call, kept).then((end) => {
      if (!driver.stopped) {
        if (end.kind === "kept") record(end.value, undefined);
        else complain(end.error);
      }
      driver.finish();
    });
  } catch (error) {
    complain(error);
  }
}

/** The output, parsed, if it keeps what the tool ensures; at once where everything answers at once. */
function toKept({ tool, input }: EffectCall, value: unknown): unknown {
  const parsed = parseWith(tool.output, value, { code: "OUTPUT_INVALID", what: `the output of ${tool.name}` });
  return parsed instanceof Promise ? parsed.then((output) => ensure(tool, output, input)) : ensure(tool, parsed, input);
}

type Kept = { readonly kind: "kept"; readonly value: unknown } | { readonly kind: "broken"; readonly error: unknown };

function keptInTime(driver: Driver, { tool }: EffectCall, kept: Promise<unknown>): Promise<Kept> {
  const limitMs = tool.timeoutMs ?? conditionTimeoutMs;
  return inTime<Kept>(driver, limitMs, {
    work: () =>
      kept.then(
        (value): Kept => ({ kind: "kept", value }),
        (error: unknown): Kept => ({ kind: "broken", error }),
      ),
    onLate: () => ({
      kind: "broken",
      error: new TuttiError(
        "OUTPUT_INVALID",
        `whether the output of ${tool.name} holds could not be told in ${limitMs} ms`,
      ),
    }),
  });
}

function recordSettled(
  driver: Driver,
  call: EffectCall,
  happened: Happened & { readonly error: TuttiError | undefined },
): void {
  let out: StoredValue = { field: "", json: undefined, blobs: undefined };
  let error = happened.error;
  try {
    out = toStoredOutput(happened.value, call.key);
  } catch (thrown) {
    error = toStepError(call.key, thrown);
  }
  const seen = toSeen(out.json, happened.value);
  const body = toBody(
    {
      effect: call.effect,
      by: happened.by,
      ...toAttempt(happened.attempt),
      ...takeReport(call.called),
      ...toLabelField(call.called.labels),
      ...(happened.note === undefined ? {} : { note: happened.note }),
      ...(error === undefined ? {} : { error: toStoredError(error) }),
    },
    out,
  );
  const change = { kind: "change", key: call.effect, state: "settled" } as const;
  driver.hand({ kind: "effect-settled", key: call.key, body, ...toBlobs(out), effect: change }, "awaited", () => {
    call.onSettled();
    if (error !== undefined) {
      call.pending.reject(toReplayable(error));
      return;
    }
    driver.produced(call.key, seen);
    call.pending.resolve(seen);
  });
}

/** Records that the effect certainly did not happen, and why; the key is free again. */
export function recordNoEffect(
  driver: Driver,
  call: EffectCall,
  failed: { readonly error: TuttiError; readonly attempt?: number | undefined },
): void {
  const body = toBody({
    effect: call.effect,
    error: toStoredError(failed.error),
    ...toAttempt(failed.attempt),
    ...takeReport(call.called),
  });
  const change = { kind: "change", key: call.effect, state: "failed" } as const;
  driver.hand({ kind: "effect-failed", key: call.key, body, effect: change }, "awaited", () => {
    call.onSettled();
    call.pending.reject(toReplayable(failed.error));
  });
}

/** Intended, and frozen before the tool was asked: certainly nothing happened, and it is intended anew when it goes on. */
export function recordUnsent(driver: Driver, call: EffectCall): void {
  const change = { kind: "change", key: call.effect, state: "intended" } as const;
  const body = toBody({ effect: call.effect, by: "freeze" });
  void driver.append({ kind: "effect-resolved", key: call.key, body, effect: change });
}

/** A cancelled call whose tool was never asked: certainly nothing happened. */
export function recordUnasked(driver: Driver, call: EffectCall): void {
  recordNoEffect(driver, call, {
    error: new TuttiError("RUN_CANCELLED", `${call.key} was cancelled before ${call.tool.name} did anything`),
  });
}

function toAttempt(attempt: number | undefined): { readonly attempt?: number } {
  return attempt === undefined || attempt === 1 ? {} : { attempt };
}
