import { toReplayable, toStoredError, type TuttiError } from "../base/errors.ts";
import type { Acted } from "../contracts/callable.ts";
import type { StepKey } from "../contracts/ids.ts";
import { toStepError } from "./attempts.ts";
import type { Driver } from "./driver.ts";
import { clearLabels, labelsAt, learn, toLabelField } from "./labels.ts";
import { takeRecorded, toActed } from "./recorded.ts";
import { openPending, type Pending, type Scope } from "./scope.ts";
import { toBlobs } from "./step.ts";
import { toBody, toSeen, toStoredOutput, type StoredValue } from "./stored-value.ts";

/** A part of the flow that replays as one record once it is closed: a scope, or an agent at work. */
export interface ScopedRequest {
  readonly key: StepKey;
  readonly scope: Scope;
  readonly verb: string;
  readonly agent?: string;
  readonly digest?: string;
  /** Labels that what it returns does not carry. */
  readonly clears?: readonly string[] | undefined;
  readonly body: (inner: Scope) => Promise<Acted<unknown>>;
}

/** Runs the part, or hands over what it returned before. Its own steps replay while it is still open. */
export function runScoped(driver: Driver, request: ScopedRequest): Promise<Acted<unknown>> {
  const { key, scope } = request;
  if (scope.cancelled !== undefined) return Promise.reject(scope.cancelled);
  const recorded = takeRecorded<Acted<unknown>>(driver, scope, {
    key,
    kinds: ["scope-closed"],
    verb: request.verb,
    ...(request.digest === undefined ? {} : { digest: request.digest }),
  });
  if (recorded !== undefined) return recorded;
  const pending = openPending<Acted<unknown>>(scope, key);
  const inner = scope.open(key);
  const close = (end: ScopedEnd): void => {
    inner.close();
    driver.delivery.whenLive(() => {
      if (!pending.over) recordClosed(driver, request, { pending, inner, end });
    });
  };
  request.body(inner).then(
    (acted) => close({ kind: "returned", acted }),
    (error: unknown) => close({ kind: "threw", error: toStepError(key, error) }),
  );
  return pending.promise;
}

type ScopedEnd =
  | { readonly kind: "returned"; readonly acted: Acted<unknown> }
  | { readonly kind: "threw"; readonly error: TuttiError };

interface Closing {
  readonly pending: Pending;
  readonly inner: Scope;
  readonly end: ScopedEnd;
}

// What happened inside is already recorded, so losing this entry only means replaying the inner steps.
function recordClosed(driver: Driver, request: ScopedRequest, { pending, inner, end }: Closing): void {
  const reads = driver.documentsInUse?.reads.inside(request.key);
  const fields = {
    ...(reads === undefined || reads.size === 0 ? {} : { reads: Object.fromEntries(reads) }),
    ...(request.agent === undefined ? {} : { agent: request.agent }),
    ...(request.digest === undefined ? {} : { digest: request.digest }),
    ...(inner.consumed.length === 0 ? {} : { consumed: inner.consumed }),
  };
  const learned = labelsAt(inner);
  const fail = (error: TuttiError): void => {
    const body = toBody({ ...fields, ...toLabelField(learned), error: toStoredError(error) });
    driver.hand({ kind: "scope-closed", key: request.key, body }, driver.endPace, () => {
      learn(request.scope, learned);
      pending.reject(toReplayable(error));
    });
  };
  if (end.kind === "threw") {
    fail(end.error);
    return;
  }
  let out: StoredValue;
  try {
    out = toStoredOutput(end.acted.output, request.key);
  } catch (error) {
    fail(toStepError(request.key, error));
    return;
  }
  const seen = toActed(toSeen(out.json, end.acted.output), end.acted);
  const labels = clearLabels(learned, request.clears);
  const body = toBody({ ...fields, ...toLabelField(labels), ...toActed(undefined, end.acted) }, out);
  driver.hand({ kind: "scope-closed", key: request.key, body, ...toBlobs(out) }, driver.endPace, () => {
    learn(request.scope, labels);
    driver.produced(request.key, seen.output);
    pending.resolve(seen);
  });
}
