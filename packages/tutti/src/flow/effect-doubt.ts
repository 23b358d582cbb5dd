import { describeThrown, toStoredError, type TuttiError } from "../base/errors.ts";
import type { NewEntry } from "../ledger/ledger.ts";
import type { Driver, PersonsVerdict } from "./driver.ts";
import {
  recordNoEffect,
  recordUnasked,
  settleEffect,
  toHosted,
  toToolHost,
  type EffectCall,
} from "./effect-outcome.ts";
import { takeReport } from "./report.ts";
import { toPersonsNote } from "./steering.ts";
import { toBody } from "./stored-value.ts";

export interface Doubt {
  /** The ledger already says that it is in doubt, and a person may be looking at it. */
  readonly alreadyTold: boolean;
  /** What the tool threw, if it threw. Without it, the process died in between. */
  readonly error?: TuttiError;
  readonly attempt?: number;
}

/**
 * Nobody knows whether the effect happened. In this order: an idempotent tool is called again under its key (after a crash; if it threw,
 * its retries are used up); a tool with a `check` is asked; a person is asked.
 */
export function resolveDoubt(driver: Driver, call: EffectCall, doubt: Doubt): void {
  const askFirst = (call.unwanted || call.pending.over) && call.tool.check !== undefined;
  if (call.tool.effect === "idempotent" && doubt.error === undefined && !doubt.alreadyTold && !askFirst) {
    call.repeat();
    return;
  }
  if (call.tool.check === undefined) {
    askPerson(driver, call, {
      ...doubt,
      why:
        doubt.error === undefined
          ? `the process died while ${call.tool.name} was at work, and it has no check`
          : describeThrown(doubt.error),
    });
    return;
  }
  driver.begin();
  void askTool(driver, call).then((answer) => {
    if (!driver.stopped) {
      if (answer.kind === "done") settleEffect(driver, call, { value: answer.output, by: "check" });
      else if (answer.kind === "not-done") onNotDone(driver, call, doubt);
      else askPerson(driver, call, { ...doubt, why: `its check can't tell: ${answer.why}` });
    }
    driver.finish();
  });
}

type CheckAnswer =
  | { readonly kind: "done"; readonly output: unknown }
  | { readonly kind: "not-done" }
  | { readonly kind: "unknown"; readonly why: string };

/** A check that does not answer in this time is one that can't tell. A tool's own limit comes first. */
const checkTimeoutMs = 60_000;

async function askTool(driver: Driver, call: EffectCall): Promise<CheckAnswer> {
  const limitMs = call.tool.timeoutMs ?? checkTimeoutMs;
  const { promise: late, resolve } = Promise.withResolvers<CheckAnswer>();
  const controller = new AbortController();
  const forget = driver.host.clock.after(limitMs, () => {
    controller.abort();
    resolve({ kind: "unknown", why: `it did not answer in ${limitMs} ms` });
  });
  try {
    return await Promise.race([askCheck(driver, call, controller.signal), late]);
  } finally {
    forget();
  }
}

async function askCheck(driver: Driver, call: EffectCall, signal: AbortSignal): Promise<CheckAnswer> {
  const host = toToolHost(driver, toHosted(call, "check"), { step: call.key, attempt: 1, signal });
  try {
    const output = await call.tool.check?.(call.input, host);
    return output === undefined || output === null ? { kind: "not-done" } : { kind: "done", output };
  } catch (error) {
    return { kind: "unknown", why: describeThrown(error) };
  }
}

/** It certainly did not happen. After a crash it is intended anew and done; after an error of the tool, the error is what the flow gets. */
function onNotDone(driver: Driver, call: EffectCall, doubt: Doubt): void {
  if (doubt.error !== undefined) {
    recordNoEffect(driver, call, { error: doubt.error, attempt: doubt.attempt });
    return;
  }
  if (call.pending.over || call.unwanted) {
    recordUnasked(driver, call);
    return;
  }
  void driver
    .append({
      kind: "effect-resolved",
      key: call.key,
      body: toBody({ effect: call.effect, by: "check" }),
      effect: { kind: "change", key: call.effect, state: "intended" },
    })
    .then(() => call.intend());
}

/** Says so in the ledger first, so that whoever sees the run in doubt also finds the effect there. */
function askPerson(driver: Driver, call: EffectCall, doubt: Doubt & { readonly why: string }): void {
  if (doubt.alreadyTold) {
    waitForPerson(driver, call, doubt);
    return;
  }
  const error = doubt.error === undefined ? {} : { error: toStoredError(doubt.error) };
  const entry: NewEntry = {
    kind: "effect-in-doubt",
    key: call.key,
    body: toBody({ effect: call.effect, why: doubt.why, ...error, ...takeReport(call.called) }),
    status: "in-doubt",
    effect: { kind: "change", key: call.effect, state: "in-doubt" },
  };
  driver.begin();
  void driver.append(entry).then(() => {
    if (!driver.stopped) waitForPerson(driver, call, doubt);
    driver.finish();
  });
}

function waitForPerson(driver: Driver, call: EffectCall, doubt: Doubt): void {
  const release = driver.wait({ kind: "doubt", key: call.effect });
  driver.doubts.set(call.effect, (verdict) => {
    driver.doubts.delete(call.effect);
    release();
    if (verdict.kind === "done")
      settleEffect(driver, call, { value: verdict.output, by: "person", note: toPersonsNote(verdict) });
    else onPersonSaysNotDone(driver, call, { doubt, verdict });
  });
  if (driver.delivery.idle && driver.busy === 0) driver.host.onRest(driver);
}

function onPersonSaysNotDone(
  driver: Driver,
  call: EffectCall,
  said: { readonly doubt: Doubt; readonly verdict: PersonsVerdict },
): void {
  if (call.pending.over || call.unwanted) {
    recordUnasked(driver, call);
    return;
  }
  void driver
    .append({
      kind: "effect-resolved",
      key: call.key,
      body: toBody({ effect: call.effect, by: "person", note: toPersonsNote(said.verdict) }),
      status: "running",
      effect: { kind: "change", key: call.effect, state: "intended" },
    })
    .then(() => {
      if (said.doubt.error === undefined) call.intend();
      else recordNoEffect(driver, call, { error: said.doubt.error, attempt: said.doubt.attempt });
    });
}
