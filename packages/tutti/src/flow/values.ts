import { toUuid } from "../base/chance.ts";
import { TuttiError } from "../base/errors.ts";
import type { DirectiveState } from "../contracts/directive.ts";
import { bodies } from "../contracts/entry-bodies.ts";
import type { BodyOf, RecordKind } from "../contracts/entry.ts";
import { toStepKey, type StepKey } from "../contracts/ids.ts";
import { toNonDurableAwait, callerLine } from "./delivery.ts";
import type { Driver } from "./driver.ts";
import type { Scope } from "./scope.ts";
import { toBlobs } from "./step.ts";
import { toBody, toStoredValue } from "./stored-value.ts";

/** A value that is drawn once and then remembered, so that it can be had without waiting. */
function draw<Value>(
  driver: Driver,
  place: { readonly scope: Scope; readonly name: string },
  make: () => Value,
): Value {
  const key = enterAtOnce(driver, place);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by this very line
  if (driver.history.values.has(key)) return driver.history.values.get(key) as Value;
  const value = make();
  void driver.append({ kind: "value-drawn", key, body: JSON.stringify({ value }) });
  return value;
}

const patchPattern = /^[A-Za-z][\w.-]{0,63}$/u;

/** One answer for a run, wherever in it somebody asks first: what is recorded already was done by the code before the patch. */
export function isPatched(driver: Driver, scope: Scope, id: string): boolean {
  if (!patchPattern.test(id))
    throw new TuttiError("INPUT_INVALID", `"${id}" can't name a patch`, {
      hint: "Start with a letter; then letters, digits, dot, dash or underscore, at most 64.",
    });
  requireWindow(driver, scope, "run.patched()");
  const key = toStepKey(`/patched:${id}`);
  const known = driver.patches.get(id) ?? driver.history.values.get(key);
  if (typeof known === "boolean") return known;
  const value = driver.delivery.live;
  driver.patches.set(id, value);
  void driver.append({ kind: "value-drawn", key, body: JSON.stringify({ value }) });
  return value;
}

// These verbs answer at once and can't leave the code hanging, so a parked run is left by throwing.
function enterAtOnce(driver: Driver, { scope, name }: { readonly scope: Scope; readonly name: string }): StepKey {
  requireWindow(driver, scope, `run.${name}()`);
  return scope.nextKey(name);
}

function requireWindow(driver: Driver, scope: Scope, verb: string): void {
  if (driver.delivery.windowOpen) return;
  const error = toNonDurableAwait(verb, callerLine(new Error(verb).stack));
  driver.park(error, toStepKey(scope.path));
  throw error;
}

export function drawNow(driver: Driver, scope: Scope): number {
  return draw(driver, { scope, name: "now" }, () => driver.host.clock.now());
}

export function drawRandom(driver: Driver, scope: Scope): number {
  return draw(driver, { scope, name: "random" }, driver.host.chance);
}

export function drawUuid(driver: Driver, scope: Scope): string {
  return draw(driver, { scope, name: "uuid" }, () => toUuid(driver.host.chance));
}

/** Says the same on every replay, because directives are handed over in ledger order. */
export function drawDirective(driver: Driver, scope: Scope): DirectiveState {
  enterAtOnce(driver, { scope, name: "directive" });
  return driver.directive.read(scope);
}

export function writeNote(driver: Driver, scope: Scope, note: { readonly text: string; readonly data: unknown }): void {
  const key = enterAtOnce(driver, { scope, name: "note" });
  if (driver.history.written.has(key)) return;
  const data = toStoredValue("data", note.data, key);
  void driver.append({ kind: "note-written", key, body: toBody({ text: note.text }, data), ...toBlobs(data) });
}

const recordBytesMax = 64 * 1024;

export function writeRecord(
  driver: Driver,
  scope: Scope,
  { kind, body }: { readonly kind: RecordKind; readonly body: BodyOf<RecordKind> },
): StepKey {
  const key = enterAtOnce(driver, { scope, name: kind });
  if (driver.history.written.has(key)) return key;
  const text = toRecordText(kind, body);
  void driver.append({ kind, key, body: text });
  return key;
}

function toRecordText(kind: RecordKind, body: BodyOf<RecordKind>): string {
  const hint = "Say it in short fields; large values belong into a step, which the record can name.";
  try {
    const text = JSON.stringify(bodies[kind](body, ""));
    if (Buffer.byteLength(text) <= recordBytesMax) return text;
  } catch (error) {
    throw new TuttiError("INPUT_INVALID", `run.record("${kind}") can't be written`, { hint, cause: error });
  }
  throw new TuttiError("INPUT_INVALID", `run.record("${kind}") would take more than ${recordBytesMax} bytes`, { hint });
}
