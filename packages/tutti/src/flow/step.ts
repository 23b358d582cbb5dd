import { toReplayable, toStoredError, type TuttiError } from "../base/errors.ts";
import type { Retry } from "../contracts/callable.ts";
import type { StepKey } from "../contracts/ids.ts";
import { toStepError, tryRepeatedly, type AttemptHost } from "./attempts.ts";
import type { Driver } from "./driver.ts";
import { takeRecorded } from "./recorded.ts";
import { openPending, type Pending, type Scope } from "./scope.ts";
import { toBody, toSeen, toStoredOutput, type StoredValue } from "./stored-value.ts";

/** A step that changes nothing outside: its result is its only entry. */
export interface StepRequest {
  readonly key: StepKey;
  readonly scope: Scope;
  readonly effect: "read" | "local";
  readonly retry: Retry | undefined;
  readonly timeoutMs: number | undefined;
  readonly work: (host: AttemptHost) => unknown;
  /** For a tool: its name, its input and where that came from. */
  readonly called?: Called;
}

export interface Called {
  readonly call: string;
  readonly digest: string;
  readonly input: StoredValue;
  readonly uses: readonly StepKey[];
}

/** Runs a step, or hands over what it returned before. */
export function runStep<Output>(driver: Driver, request: StepRequest): Promise<Output> {
  const { key, scope, called } = request;
  if (scope.cancelled !== undefined) return Promise.reject(scope.cancelled);
  const recorded = takeRecorded<Output>(driver, scope, {
    key,
    kinds: ["step-done", "step-failed"],
    verb: called === undefined ? "a step" : `a call of ${called.call}`,
    ...(called === undefined ? {} : { digest: called.digest }),
  });
  if (recorded !== undefined) return recorded;
  const { pending, promise } = openPending<Output>(scope, key);
  driver.delivery.whenLive(() => {
    // A branch that was cancelled while the recorded part was replayed starts nothing.
    if (pending.over) return;
    tryRepeatedly(driver, {
      key,
      scope,
      retry: request.retry,
      timeoutMs: request.timeoutMs,
      repeatable: true,
      pending,
      work: request.work,
      onDone: (value, attempt) => recordDone(driver, request, { pending, value, attempt }),
      onFailed: (error, attempt) => recordFailed(driver, request, { pending, error, attempt }),
    });
  });
  return promise;
}

function recordDone(
  driver: Driver,
  request: StepRequest,
  done: { readonly pending: Pending; readonly value: unknown; readonly attempt: number },
): void {
  if (done.pending.over) return;
  let out: StoredValue;
  try {
    out = toStoredOutput(done.value, request.key);
  } catch (error) {
    recordFailed(driver, request, {
      pending: done.pending,
      error: toStepError(request.key, error),
      attempt: done.attempt,
    });
    return;
  }
  const seen = toSeen(out.json, done.value);
  const ahead = request.effect === "read";
  void driver.hand(
    {
      kind: "step-done",
      key: request.key,
      body: toDoneBody(request, out, done.attempt),
      ...toBlobs(request.called?.input, out),
    },
    ahead,
    () => {
      if (typeof seen === "object" || typeof seen === "string") driver.provenance.produced(request.key, seen);
      done.pending.resolve(seen);
    },
  );
}

function toDoneBody(request: StepRequest, out: StoredValue, attempt: number): string {
  const { called } = request;
  if (called === undefined && attempt === 1 && request.effect === "local")
    return out.field === "" ? "{}" : `{${out.field}}`;
  return toBody(
    { ...toCalledFields(called), effect: request.effect, ...(attempt === 1 ? {} : { attempt }) },
    ...(called === undefined ? [out] : [called.input, out]),
  );
}

/** What an entry says of the call that led to it, but for its input. */
export function toCalledFields(called: Called | undefined): Readonly<Record<string, unknown>> {
  if (called === undefined) return {};
  return { call: called.call, digest: called.digest, ...(called.uses.length === 0 ? {} : { uses: called.uses }) };
}

function recordFailed(
  driver: Driver,
  request: StepRequest,
  failed: { readonly pending: Pending; readonly error: TuttiError; readonly attempt: number },
): void {
  if (failed.pending.over) return;
  const { called } = request;
  const fields = {
    error: toStoredError(failed.error),
    ...(called === undefined ? {} : { call: called.call, digest: called.digest }),
    ...(failed.attempt === 1 ? {} : { attempt: failed.attempt }),
  };
  const body = toBody(fields, ...(called === undefined ? [] : [called.input]));
  void driver.hand({ kind: "step-failed", key: request.key, body, ...toBlobs(called?.input) }, false, () =>
    failed.pending.reject(toReplayable(failed.error)),
  );
}

/** The blobs of several stored values, as the field of a new entry. */
export function toBlobs(...values: readonly (StoredValue | undefined)[]): {
  readonly blobs?: NonNullable<StoredValue["blobs"]>;
} {
  const blobs = values.flatMap((value) => value?.blobs ?? []);
  return blobs.length === 0 ? {} : { blobs };
}
