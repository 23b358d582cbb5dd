import type { RunId } from "../contracts/ids.ts";
import type { SignalOf } from "../contracts/run.ts";
import { parseWith } from "../contracts/schema.ts";
import type { Driver } from "./driver.ts";
import { labelsAt, toLabelField } from "./labels.ts";
import { takeRecorded } from "./recorded.ts";
import { openPending, type Pending, type Scope } from "./scope.ts";
import { runStep } from "./step.ts";
import { toBody } from "./stored-value.ts";

const never = new Promise<never>(() => {});

/** Waits until a moment. The moment is recorded once, so a crash does not start the wait anew. */
export function sleep(driver: Driver, scope: Scope, until: number | Date): Promise<void> {
  const key = driver.enter(scope, "sleep", "run.sleep()");
  if (key === undefined) return never;
  if (scope.cancelled !== undefined) return Promise.reject(scope.cancelled);
  const recorded = takeRecorded<void>(driver, scope, { key, kinds: ["timer-fired"], verb: "a sleep" });
  if (recorded !== undefined) return recorded;
  const pending = openPending<void>(scope, key);
  driver.delivery.whenLive(() => {
    if (!pending.over) setTimer(driver, pending, until);
  }, key);
  return pending.promise;
}

/** Arms a durable timer that resolves the pending. */
function setTimer(driver: Driver, pending: Pending, until: number | Date): void {
  const { key } = pending;
  const dueAt =
    driver.history.timers.get(key) ??
    (typeof until === "number" ? driver.host.clock.now() + Math.max(0, until) : until.getTime());
  if (!driver.history.timers.has(key))
    void driver.append({ kind: "timer-set", key, body: toBody({ dueAt: Math.round(dueAt) }) });
  pending.onCancel = driver.at(dueAt, () => {
    driver.hand({ kind: "timer-fired", key, body: "{}" }, "lazy", () => pending.resolve(undefined));
  });
}

/** Waits for a signal, or `undefined` when `timeoutMs` is over first. */
export function waitForSignal<Payload>(
  driver: Driver,
  scope: Scope,
  wanted: { readonly signal: SignalOf<Payload>; readonly timeoutMs?: number; readonly stepName?: string },
): Promise<Payload | undefined> {
  const name = typeof wanted.signal === "string" ? wanted.signal : wanted.signal.name;
  const key = driver.enter(scope, wanted.stepName ?? `wait-${name}`, "run.wait()");
  if (key === undefined) return never;
  if (scope.cancelled !== undefined) return Promise.reject(scope.cancelled);
  const kept = driver.signals.take(name, scope);
  if (kept !== undefined) return Promise.resolve(kept.payload).then((payload) => toPayload(wanted.signal, payload));
  const pending = openPending<unknown>(scope, key);
  const release = driver.wait({ kind: "signal", name });
  const disarm = wanted.timeoutMs === undefined ? undefined : limitWait(driver, pending, wanted.timeoutMs);
  const leave = (): void => {
    release();
    disarm?.();
  };
  pending.onCancel = leave;
  driver.signals.wait(name, pending);
  return pending.promise.then((woken) => {
    leave();
    return woken === timeOver ? undefined : toPayload(wanted.signal, woken);
  });
}

/** What a wait ends with instead of a payload. */
const timeOver = Symbol("time over");

function toPayload<Payload>(signal: SignalOf<Payload>, payload: unknown): Payload | Promise<Payload> {
  if (typeof signal === "string")
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a signal by name alone is untyped: Payload is what its caller wrote
    return payload as Payload;
  return parseWith(signal.payload, payload, { code: "INPUT_INVALID", what: `the payload of signal ${signal.name}` });
}

/** The other end of a wait. Whichever comes first in the ledger wins; a record of the other is passed over. */
function limitWait(driver: Driver, waiting: Pending, timeoutMs: number): () => void {
  const { key, scope } = waiting;
  const recorded = takeRecorded<void>(driver, scope, { key, kinds: ["timer-fired"], verb: "a wait with a limit" });
  if (recorded !== undefined) {
    void recorded.then(
      () => waiting.resolve(timeOver),
      () => {},
    );
    return () => driver.delivery.abandon(key);
  }
  const limit = openPending<void>(scope, key);
  void limit.promise.then(
    () => waiting.resolve(timeOver),
    () => {},
  );
  driver.delivery.whenLive(() => {
    if (!waiting.over) setTimer(driver, limit, timeoutMs);
  });
  return () => {
    driver.delivery.abandon(key);
    limit.onCancel?.();
    limit.drop();
  };
}

/** Sends a signal once, however often the step is repeated: its id is the step's path. */
export function emit(
  driver: Driver,
  scope: Scope,
  outgoing: { readonly to: RunId; readonly signal: SignalOf<unknown>; readonly payload: unknown },
): Promise<void> {
  const name = typeof outgoing.signal === "string" ? outgoing.signal : outgoing.signal.name;
  const key = driver.enter(scope, `emit-${name}`, "run.emit()");
  if (key === undefined) return never;
  const id = `${driver.run}${key}`;
  const labels = labelsAt(scope);
  return runStep<void>(driver, {
    key,
    scope,
    effect: "local",
    retry: undefined,
    timeoutMs: undefined,
    // Nothing may leave this run before what led to it is on disk.
    work: async () => {
      await driver.log.durable();
      await driver.host.emit(outgoing.to, {
        name,
        payload: outgoing.payload,
        id,
        from: { run: driver.run, step: key },
        ...toLabelField(labels),
      });
    },
  });
}
