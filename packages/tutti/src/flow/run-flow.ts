import { TuttiError, toStoredError, withoutSecrets } from "../base/errors.ts";
import { toStepKey } from "../contracts/ids.ts";
import type { Flow } from "../contracts/run.ts";
import { parseWith } from "../contracts/schema.ts";
import type { NewEntry } from "../ledger/ledger.ts";
import { settleLost } from "./admission.ts";
import { toStepError } from "./attempts.ts";
import { toNonDurableAwait } from "./delivery.ts";
import type { Driver } from "./driver.ts";
import { clearLabels, joinLabels, labelsAt, toBroughtIn, toLabelField, type Labels } from "./labels.ts";
import { settleOpenEffects } from "./open-effects.ts";
import { openRun } from "./open-run.ts";
import { toUndoError, undoAll } from "./rollback.ts";
import { toBlobs } from "./step.ts";
import { fromStored, toBody, toSeen, toStoredOutput, type StoredValue } from "./stored-value.ts";

export type RunEnd = { readonly labels?: Labels | undefined } & (
  | { readonly kind: "done"; readonly output: unknown }
  | { readonly kind: "failed"; readonly error: TuttiError }
  | { readonly kind: "cancelled"; readonly reason: string }
);

type CodeEnd =
  | { readonly kind: "returned"; readonly returned: Returned }
  | { readonly kind: "threw"; readonly error: TuttiError };

/**
 * Runs a flow's function against its ledger, from the beginning: what is recorded is handed over, what is new is done and recorded. Calls
 * `onOver` once the end is durable. Where the run waits, nothing is called; where it can't go on, the driver says so to its host.
 */
export function runFlow(driver: Driver, flow: Flow, onOver: (end: RunEnd) => void): void {
  settleLost(driver);
  driver.delivery.begin(() => {
    startCode(driver, flow).then(
      (returned) => onCodeEnd(driver, flow, { end: { kind: "returned", returned }, onOver }),
      (error: unknown) =>
        onCodeEnd(driver, flow, { end: { kind: "threw", error: toStepError(toStepKey(flow.name), error) }, onOver }),
    );
  });
}

interface Returned {
  readonly output: unknown;
  readonly stored: StoredValue;
}

async function startCode(driver: Driver, flow: Flow): Promise<Returned> {
  const { input, inputRef } = driver.history.started;
  const parsed = parseWith(flow.input, fromStored(input, inputRef, driver.blobs), {
    code: "INPUT_INVALID",
    what: `the input of ${flow.name}`,
  });
  const output = await flow.run(openRun(driver, driver.root), parsed instanceof Promise ? await parsed : parsed);
  const checked = await parseWith(flow.output, output, { code: "OUTPUT_INVALID", what: `the output of ${flow.name}` });
  return { output: checked, stored: toStoredOutput(checked, `the flow ${flow.name}`) };
}

interface Ending {
  readonly end: CodeEnd;
  readonly onOver: (end: RunEnd) => void;
}

function onCodeEnd(driver: Driver, flow: Flow, ending: Ending): void {
  if (driver.stopped) return;
  if (!driver.delivery.windowOpen) {
    driver.park(toNonDurableAwait("its end", undefined));
    return;
  }
  driver.root.close();
  driver.ended();
  driver.delivery.whenLive(() => {
    endRun(driver, flow, ending).catch((error: unknown) => driver.park(toUndoError("", error)));
  });
}

async function endRun(driver: Driver, flow: Flow, { end, onOver }: Ending): Promise<void> {
  const { root } = driver;
  // Branches that lost a race may still be at work; effects among them are waited for, because their outcome has to be known.
  root.abort(() => new TuttiError("FLOW_ENDED", `${flow.name} has ended`));
  await settleOpenEffects(driver, "");
  if (driver.stopped) return;
  const { directiveInUse: directive, history } = driver;
  const failed = directive?.handedBack === undefined && (end.kind === "threw" || root.cancelled !== undefined);
  // Who stops a run is asked what is to become of what it did.
  const undoes = history.undoRequested || (flow.onFailure === "undo" && directive?.stopped === undefined);
  if (failed && undoes) await undoRun(driver, end);
  if (driver.stopped) return;
  if (driver.openChildren.size > 0) await cancelChildren(driver);
  if (driver.stopped) return;
  const { entry, over } = toEnd(driver, await toHandedEnd(driver, flow, end), flow);
  const parent = driver.history.started.parent?.run;
  await driver.end(parent === undefined ? entry : { ...entry, wakes: parent });
  onOver(over);
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
  const uses = driver.provenance.usedBy(output);
  const labels = toLabelField(joinLabels(clearLabels(labelsAt(driver.root), flow.clears), toBroughtIn(flow)));
  const body = toBody({ ...(uses.length === 0 ? {} : { uses }), ...labels }, stored);
  return {
    over: { kind: "done", output: toSeen(stored.json, output), ...labels },
    entry: { kind: "run-done", key: "", body, status: "done", ...toBlobs(stored) },
  };
}
