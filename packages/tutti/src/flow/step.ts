import { toReplayable, toStoredError, type TuttiError } from "../base/errors.ts";
import type { Retry } from "../contracts/callable.ts";
import type { StepKey } from "../contracts/ids.ts";
import type { StepHost } from "../contracts/run.ts";
import type { NewEntry, Pace } from "../ledger/ledger.ts";
import type { AttemptGuard } from "./admission.ts";
import { toStepError, toTook, tryRepeatedly, type Attempts } from "./attempts.ts";
import type { Driver } from "./driver.ts";
import type { Labels } from "./labels.ts";
import { takeRecorded } from "./recorded.ts";
import { takeReport, type Reported } from "./report.ts";
import { openPending, type Pending, type Scope } from "./scope.ts";
import { toBody, toSeen, toStoredOutput, type StoredValue } from "./stored-value.ts";

/** A step that changes nothing outside: its result is its only entry. */
export interface StepRequest {
  readonly key: StepKey;
  readonly scope: Scope;
  readonly effect: "read" | "local";
  readonly retry: Retry | undefined;
  readonly timeoutMs: number | undefined;
  readonly work: (host: StepHost) => unknown;
  /** Made when the step begins; absent where nothing is limited. */
  readonly guard?: ((pending: Pending) => AttemptGuard) | undefined;
  /** What stands in front of it all; calls `go` when it may begin. Absent where nobody has a say. */
  readonly admit?: ((pending: Pending, go: () => void) => void) | undefined;
  /** For a tool: its name, its input and where that came from. */
  readonly called?: Called;
}

export interface Called extends Reported {
  readonly call: string;
  readonly digest: string;
  readonly input: StoredValue;
  readonly uses: readonly StepKey[];
  /** What its input may carry. */
  readonly labels: Labels;
}

const stepKinds = ["step-done", "step-failed"] as const;

/** Runs a step, or hands over what it returned before. */
export function runStep<Output>(driver: Driver, request: StepRequest): Promise<Output> {
  const { key, scope, called } = request;
  if (scope.cancelled !== undefined) return Promise.reject(scope.cancelled);
  if (driver.history.recorded.has(key)) {
    const verb = called === undefined ? "a step" : `a call of ${called.call}`;
    const digest = called === undefined ? {} : { digest: called.digest };
    const recorded = takeRecorded<Output>(driver, scope, { key, kinds: stepKinds, verb, ...digest });
    if (recorded !== undefined) return recorded;
  }
  const pending = openPending<Output>(scope, key);
  const step = new Step(driver, request, pending);
  if (driver.delivery.live) step.start();
  else driver.delivery.whenLive(() => step.start(), key);
  return pending.promise;
}

/** A step at work. One object for all that its attempts and its record need: a run of thousands of steps makes one of these for each. */
class Step implements Attempts {
  readonly key: StepKey;
  readonly scope: Scope;
  readonly retry: Retry | undefined;
  readonly timeoutMs: number | undefined;
  readonly repeatable = true;
  readonly pending: Pending;
  readonly work: StepRequest["work"];
  readonly reported: Reported | undefined;
  readonly guard: AttemptGuard | undefined;
  startedAt: number | undefined;
  private readonly driver: Driver;
  private readonly request: StepRequest;

  constructor(driver: Driver, request: StepRequest, pending: Pending) {
    this.driver = driver;
    this.request = request;
    this.pending = pending;
    this.key = request.key;
    this.scope = request.scope;
    this.retry = request.retry;
    this.timeoutMs = request.timeoutMs;
    this.work = request.work;
    this.reported = request.called;
    this.guard = request.guard?.(pending);
  }

  start(): void {
    // A branch that was cancelled while the recorded part was replayed starts nothing.
    if (this.pending.over) return;
    const { admit } = this.request;
    if (admit === undefined) tryRepeatedly(this.driver, this);
    else admit(this.pending, () => tryRepeatedly(this.driver, this));
  }

  onDone(value: unknown, attempt: number): void {
    const { driver, request, pending, key } = this;
    if (pending.over) return;
    let out: StoredValue;
    try {
      out = toStoredOutput(value, key);
    } catch (error) {
      this.onFailed(toStepError(key, error), attempt);
      return;
    }
    const seen = toSeen(out.json, value);
    driver.hand(toDoneEntry(request, out, { attempt, ...toTook(driver, this) }), toPace(request), () => {
      driver.produced(key, seen);
      pending.resolve(seen);
    });
  }

  onFailed(error: TuttiError, attempt: number): void {
    const { driver, request, pending, key } = this;
    if (pending.over) return;
    const { called } = request;
    const fields = {
      error: toStoredError(error),
      ...(called === undefined ? {} : { call: called.call, digest: called.digest }),
      ...takeReport(called),
      ...toTook(driver, this),
      ...(attempt === 1 ? {} : { attempt }),
    };
    const body = toBody(fields, ...(called === undefined ? [] : [called.input]));
    driver.hand({ kind: "step-failed", key, body, ...toBlobs(called?.input) }, "awaited", () =>
      pending.reject(toReplayable(error)),
    );
  }
}

/**
 * What an agent's own tool told is for the model that it asks next, whose answer waits for both to be on disk, as the end of the agent
 * does (`endPace`). So neither the flow nor anything outside hears of it before.
 */
function toPace({ effect, called, scope }: StepRequest): Pace {
  if (effect === "read") return "lazy";
  return called !== undefined && scope.agent !== undefined ? "prompt" : "awaited";
}

/** The attempt that worked. */
interface Last {
  readonly attempt: number;
  readonly tookMs?: number;
}

function toDoneEntry(request: StepRequest, out: StoredValue, last: Last): NewEntry {
  const { key, called } = request;
  const body = toDoneBody(request, out, last);
  if (out.blobs === undefined && called?.input.blobs === undefined) return { kind: "step-done", key, body };
  return { kind: "step-done", key, body, ...toBlobs(called?.input, out) };
}

function toDoneBody(request: StepRequest, out: StoredValue, { attempt, tookMs }: Last): string {
  const { called } = request;
  if (called === undefined && attempt === 1 && request.effect === "local") {
    if (tookMs === undefined) return out.field === "" ? "{}" : `{${out.field}}`;
    return out.field === "" ? `{"tookMs":${tookMs}}` : `{"tookMs":${tookMs},${out.field}}`;
  }
  return toBody(
    {
      ...toCalledFields(called),
      ...takeReport(called),
      effect: request.effect,
      ...(attempt === 1 ? {} : { attempt }),
      ...(tookMs === undefined ? {} : { tookMs }),
    },
    ...(called === undefined ? [out] : [called.input, out]),
  );
}

/** What an entry says of the call that led to it, but for its input. */
export function toCalledFields(called: Called | undefined): Readonly<Record<string, unknown>> {
  if (called === undefined) return {};
  return { call: called.call, digest: called.digest, ...(called.uses.length === 0 ? {} : { uses: called.uses }) };
}

/** The blobs of several stored values, as the field of a new entry. */
export function toBlobs(...values: readonly (StoredValue | undefined)[]): {
  readonly blobs?: NonNullable<StoredValue["blobs"]>;
} {
  const blobs = values.flatMap((value) => value?.blobs ?? []);
  return blobs.length === 0 ? {} : { blobs };
}
