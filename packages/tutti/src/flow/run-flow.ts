import { TuttiError, toStoredError, withoutSecrets } from "../base/errors.ts";
import { toStepKey } from "../contracts/ids.ts";
import type { Flow } from "../contracts/run.ts";
import { parseWith } from "../contracts/schema.ts";
import type { NewEntry } from "../ledger/ledger.ts";
import { settleLost } from "./admission.ts";
import { toStepError } from "./attempts.ts";
import { toNonDurableAwait } from "./delivery.ts";
import type { Driver, RunEnd } from "./driver.ts";
import { clearLabels, joinLabels, labelsAt, toBroughtIn, toLabelField } from "./labels.ts";
import { settleOpenEffects } from "./open-effects.ts";
import { openRun } from "./open-run.ts";
import { toUndoError, undoAll } from "./rollback.ts";
import { toBlobs } from "./step.ts";
import { fromStored, toBody, toSeen, toStoredOutput, type StoredValue } from "./stored-value.ts";

type CodeEnd =
  | { readonly kind: "returned"; readonly returned: Returned }
  | { readonly kind: "threw"; readonly error: TuttiError };

/**
 * Runs a flow's function against its ledger, from the beginning: what is recorded is handed over, what is new is done and recorded. Once the
 * end is durable the driver tells its host. Where the run waits, nothing is told; where it can't go on, the driver says so too.
 */
export function runFlow(driver: Driver, flow: Flow): void {
  settleLost(driver);
  driver.delivery.begin(() => {
    startCode(driver, flow).then(
      (returned) => onCodeEnd(driver, flow, { kind: "returned", returned }),
      (error: unknown) => onCodeEnd(driver, flow, { kind: "threw", error: toStepError(toStepKey(flow.name), error) }),
    );
  });
}

interface Returned {
  readonly output: unknown;
  readonly stored: StoredValue;
}

// Small, because what it holds stays in memory as long as the flow's code waits.
async function startCode(driver: Driver, flow: Flow): Promise<Returned> {
  const input = toInput(driver, flow);
  return toReturned(flow, await flow.run(openRun(driver, driver.root), input instanceof Promise ? await input : input));
}

function toInput(driver: Driver, flow: Flow): unknown {
  const { input, inputRef } = driver.history.started;
  const what = `the input of ${flow.name}`;
  return parseWith(flow.input, fromStored(input, inputRef, driver.blobs), { code: "INPUT_INVALID", what });
}

function toReturned(flow: Flow, output: unknown): Returned | Promise<Returned> {
  const toStored = (value: unknown): Returned => ({
    output: value,
    stored: toStoredOutput(value, `the flow ${flow.name}`),
  });
  const checked = parseWith(flow.output, output, { code: "OUTPUT_INVALID", what: `the output of ${flow.name}` });
  return checked instanceof Promise ? checked.then(toStored) : toStored(checked);
}

function onCodeEnd(driver: Driver, flow: Flow, end: CodeEnd): void {
  if (driver.stopped) return;
  if (!driver.delivery.windowOpen) {
    driver.park(toNonDurableAwait("its end", undefined));
    return;
  }
  driver.root.close();
  driver.ended();
  driver.delivery.whenLive(() => endRun(driver, flow, end));
}

function endRun(driver: Driver, flow: Flow, end: CodeEnd): void {
  // Branches that lost a race may still be at work.
  driver.root.abort(() => new TuttiError("FLOW_ENDED", `${flow.name} has ended`));
  const isHandedBack = driver.directiveInUse?.handedBack !== undefined;
  // Most runs leave nothing behind.
  if (!driver.hasOpenEffects && !driver.hasOpenChildren && !isHandedBack && !mustUndo(driver, flow, end))
    writeEnd(driver, flow, end);
  else windUp(driver, flow, end).catch((error: unknown) => driver.park(toUndoError("", error)));
}

/** Effects are waited for, because their outcome has to be known. What people say until the end is written down counts too. */
async function windUp(driver: Driver, flow: Flow, end: CodeEnd): Promise<void> {
  for (let isUndone = false; ;) {
    await settleOpenEffects(driver, "");
    if (driver.stopped) return;
    if (!isUndone && mustUndo(driver, flow, end)) {
      isUndone = true;
      await undoRun(driver, end);
      if (driver.stopped) return;
    }
    if (driver.hasOpenChildren) await cancelChildren(driver);
    if (driver.stopped) return;
    const handedBack = driver.directiveInUse?.handedBack;
    const last = await toHandedEnd(driver, flow, end);
    if (driver.stopped) return;
    if (handedBack !== driver.directiveInUse?.handedBack) continue;
    if (isUndone || !mustUndo(driver, flow, end)) {
      writeEnd(driver, flow, last);
      return;
    }
  }
}

function mustUndo(driver: Driver, flow: Flow, end: CodeEnd): boolean {
  const { directiveInUse: directive, history, root } = driver;
  const failed = directive?.handedBack === undefined && (end.kind === "threw" || root.cancelled !== undefined);
  // Who stops a run is asked what is to become of what it did.
  return failed && (history.undoRequested || (flow.onFailure === "undo" && directive?.stopped === undefined));
}

function writeEnd(driver: Driver, flow: Flow, end: CodeEnd): void {
  const { entry, over } = toEnd(driver, end, flow);
  const parent = driver.history.started.parent?.run;
  driver.end(parent === undefined ? entry : { ...entry, wakes: parent }, over);
}

/** A person's result stands for what the code returned or threw. */
async function toHandedEnd(driver: Driver, flow: Flow, end: CodeEnd): Promise<CodeEnd> {
  const handed = driver.directiveInUse?.handedBack;
  if (handed === undefined) return end;
  try {
    const what = `the result that was handed in for ${flow.name}`;
    const output = await parseWith(flow.output, handed.output, { code: "INPUT_INVALID", what });
    return { kind: "returned", returned: { output, stored: toStoredOutput(output, `the flow ${flow.name}`) } };
  } catch (error) {
    return { kind: "threw", error: toStepError(toStepKey(flow.name), error) };
  }
}

async function undoRun(driver: Driver, end: CodeEnd): Promise<void> {
  const key = driver.root.nextKey("undo");
  if (!driver.history.written.has(key)) {
    const error =
      end.kind === "threw" ? end.error : new TuttiError("RUN_CANCELLED", driver.root.cancelled?.message ?? "cancelled");
    void driver.append({ kind: "rollback-started", key, body: toBody({ error: toStoredError(error) }) });
  }
  await undoAll(driver, { key, path: "" });
}

async function cancelChildren(driver: Driver): Promise<void> {
  await driver.log.durable(); // the last of them may just have been written down
  const left = [...driver.openChildren].filter(([, onParentEnd]) => onParentEnd === "cancel");
  await Promise.all(left.map(([child]) => driver.host.cancelRun(child, `${driver.run} has ended`)));
}

function toEnd(driver: Driver, end: CodeEnd, flow: Flow): { readonly entry: NewEntry; readonly over: RunEnd } {
  const learned = toLabelField(labelsAt(driver.root));
  if (driver.root.cancelled !== undefined && driver.directiveInUse?.handedBack === undefined) {
    const reason = driver.root.cancelled.message;
    return {
      over: { kind: "cancelled", reason, ...learned },
      entry: { kind: "run-cancelled", key: "", body: toBody({ reason, ...learned }), status: "cancelled" },
    };
  }
  if (end.kind === "threw") {
    const error = toStoredError(end.error);
    return {
      over: { kind: "failed", error: withoutSecrets(end.error), ...learned },
      entry: { kind: "run-failed", key: "", body: toBody({ error, ...learned }), status: "failed" },
    };
  }
  const { output, stored } = end.returned;
  const uses = driver.usedBy(output);
  const labels = toLabelField(joinLabels(clearLabels(labelsAt(driver.root), flow.clears), toBroughtIn(flow)));
  const body = toBody({ ...(uses.length === 0 ? {} : { uses }), ...labels }, stored);
  return {
    over: { kind: "done", output: toSeen(stored.json, output), ...labels },
    entry: { kind: "run-done", key: "", body, status: "done", ...toBlobs(stored) },
  };
}
