import { TuttiError } from "../base/errors.ts";
import type { EffectKey } from "../contracts/ids.ts";
import type { NewEntry } from "../ledger/ledger.ts";
import { refuseExposing } from "../ledger/refuse-exposing.ts";
import type { Driver, OutgoingSignal, PersonsVerdict } from "./driver.ts";
import { noLabels, toLabelField } from "./labels.ts";
import { toCancellation } from "./recorded.ts";
import { toBlobs } from "./step.ts";
import { toBody, toSeen, toStoredValue } from "./stored-value.ts";

export interface IncomingSignal extends Omit<OutgoingSignal, "from"> {
  readonly from?: OutgoingSignal["from"];
}

/** The entry of a signal, for a run that is driven here or for one that is not. */
export function toSignalEntry(signal: IncomingSignal): NewEntry {
  const { name, id, from, labels = noLabels } = signal;
  const payload = toStoredValue("payload", signal.payload, `signal ${name}`);
  const body = toBody({ name, id, from, ...toLabelField(labels) }, payload);
  return { kind: "signal-received", key: "", body, ...toBlobs(payload) };
}

/** Records a signal and hands it to the flow's code in its turn. Resolves when it is durable; the same id twice is one signal. */
export function receiveSignal(driver: Driver, signal: IncomingSignal): Promise<void> {
  const { id, name, labels } = signal;
  if (driver.signalIds.has(id)) return driver.log.durable();
  return new Promise((resolve) => {
    const entry = toSignalEntry(signal);
    refuseExposing(entry); // what is refused is not received: its id may come again
    driver.signalIds.add(id);
    const payload = toSeen(JSON.stringify(signal.payload), signal.payload);
    resolve(driver.accept(entry, (seq) => driver.signals.receive(name, { seq, payload, labels })));
  });
}

export function toCancelEntry(cancel: { readonly by: string; readonly reason: string }): NewEntry {
  return { kind: "cancel-requested", key: "", body: toBody(cancel), status: "running" };
}

/** Records the wish and cancels everything that the flow waits for. Resolves when it is durable. */
export async function requestCancel(
  driver: Driver,
  cancel: { readonly by: string; readonly reason: string },
): Promise<void> {
  if (driver.root.cancelled !== undefined) return;
  await driver.accept(toCancelEntry(cancel), () => driver.root.cancel(toCancellation(cancel.reason)));
}

/** Passes a person's verdict to the call that waits for it. False when none does. */
export function settleDoubt(driver: Driver, effect: EffectKey, verdict: PersonsVerdict): boolean {
  const settle = driver.doubts.get(effect);
  settle?.(verdict);
  return settle !== undefined;
}

/** The entry of a verdict on an effect whose run is not driven here. */
export function toVerdictEntry(
  effect: { readonly key: EffectKey; readonly step: string },
  verdict: PersonsVerdict,
): NewEntry {
  const note = toPersonsNote(verdict);
  if (verdict.kind === "done") {
    const out = toStoredValue("out", verdict.output, effect.key);
    const body = toBody({ effect: effect.key, by: "person", note }, out);
    return {
      kind: "effect-settled",
      key: effect.step,
      body,
      status: "running",
      ...toBlobs(out),
      effect: { kind: "change", key: effect.key, state: "settled" },
    };
  }
  const body = toBody({ effect: effect.key, by: "person", note });
  return {
    kind: "effect-resolved",
    key: effect.step,
    body,
    status: "running",
    effect: { kind: "change", key: effect.key, state: "intended" },
  };
}

export function toPersonsNote(verdict: PersonsVerdict): string {
  return verdict.note === undefined ? `by ${verdict.by}` : `by ${verdict.by}: ${verdict.note}`;
}

export function toRunOver(run: string): TuttiError {
  return new TuttiError("RUN_OVER", `run ${run} has ended`, {
    hint: "Start a new run, or fork this one.",
    facts: { run },
  });
}
