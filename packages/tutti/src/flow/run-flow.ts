import { TuttiError, toStoredError } from "../base/errors.ts";
import type { Flow } from "../contracts/callable.ts";
import { toStepKey } from "../contracts/ids.ts";
import { parseWith } from "../contracts/schema.ts";
import { toStepError } from "./attempts.ts";
import { toNonDurableAwait } from "./delivery.ts";
import type { Driver } from "./driver.ts";
import { settleOpenEffects } from "./open-effects.ts";
import { openRun } from "./open-run.ts";
import { rollback } from "./rollback.ts";
import { toBlobs } from "./step.ts";
import { fromStored, toBody, toStoredValue } from "./stored-value.ts";

export type RunEnd =
  | { readonly kind: "done"; readonly output: unknown }
  | { readonly kind: "failed"; readonly error: TuttiError }
  | { readonly kind: "cancelled"; readonly reason: string };

type CodeEnd = { readonly kind: "returned"; readonly output: unknown } | { readonly kind: "threw"; readonly error: TuttiError };

/**
 * Runs a flow's function against its ledger, from the beginning: what is recorded is handed over, what is new is done and recorded. Calls
 * `onOver` once the end is durable. Where the run waits, nothing is called; where it can't go on, the driver says so to its host.
 */
export function runFlow(driver: Driver, flow: Flow, onOver: (end: RunEnd) => void): void {
  driver.delivery.begin(() => {
    startCode(driver, flow).then(
      (output) => onCodeEnd(driver, flow, { end: { kind: "returned", output }, onOver }),
      (error: unknown) => onCodeEnd(driver, flow, { end: { kind: "threw", error: toStepError(toStepKey(flow.name), error) }, onOver }),
    );
  });
}

async function startCode(driver: Driver, flow: Flow): Promise<unknown> {
  const { input, inputRef } = driver.history.started;
  const parsed = parseWith(flow.input, fromStored(input, inputRef, driver.blobs), { code: "INPUT_INVALID", what: `the input of ${flow.name}` });
  const output = await flow.run(openRun(driver, driver.root), parsed instanceof Promise ? await parsed : parsed);
  return parseWith(flow.output, output, { code: "OUTPUT_INVALID", what: `the output of ${flow.name}` });
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
    driver.begin();
    void endRun(driver, flow, ending).then(
      () => driver.finish(),
      (error: unknown) => driver.park(toStepError(toStepKey(flow.name), error)),
    );
  });
}

async function endRun(driver: Driver, flow: Flow, { end, onOver }: Ending): Promise<void> {
  const { root } = driver;
  // Branches that lost a race may still be at work; effects among them are waited for, because their outcome has to be known.
  root.abort(new TuttiError("FLOW_ENDED", `${flow.name} has ended`));
  await settleOpenEffects(driver, "");
  if (driver.stopped) return;
  const failed = end.kind === "threw" || root.cancelled !== undefined;
  if (failed && flow.onFailure === "undo") await undoRun(driver, end);
  if (driver.stopped) return;
  cancelChildren(driver);
  const over = toRunEnd(driver, end);
  await recordEnd(driver, flow, over);
  driver.stop();
  onOver(over);
}

async function undoRun(driver: Driver, end: CodeEnd): Promise<void> {
  const key = toStepKey("/undo");
  if (!driver.history.written.has(key)) {
    const error = end.kind === "threw" ? end.error : new TuttiError("RUN_CANCELLED", driver.root.cancelled?.message ?? "cancelled");
    void driver.append({ kind: "rollback-started", key, body: toBody({ error: toStoredError(error) }) });
  }
  await rollback(driver, { key, path: "" });
}

function cancelChildren(driver: Driver): void {
  for (const child of driver.children.keys()) driver.host.cancelRun(child, `${driver.run} has ended`);
}

function toRunEnd(driver: Driver, end: CodeEnd): RunEnd {
  if (driver.root.cancelled !== undefined) return { kind: "cancelled", reason: driver.root.cancelled.message };
  return end.kind === "returned" ? { kind: "done", output: end.output } : { kind: "failed", error: end.error };
}

async function recordEnd(driver: Driver, flow: Flow, end: RunEnd): Promise<void> {
  switch (end.kind) {
    case "done": {
      const out = toStoredValue("out", end.output, `the flow ${flow.name}`);
      const uses = driver.provenance.usedBy(end.output);
      const body = uses.length === 0 ? toBody({}, out) : toBody({ uses }, out);
      await driver.append({ kind: "run-done", key: "", body, status: "done", ...toBlobs(out) });
      return;
    }
    case "failed":
      await driver.append({ kind: "run-failed", key: "", body: toBody({ error: toStoredError(end.error) }), status: "failed" });
      return;
    case "cancelled":
      await driver.append({ kind: "run-cancelled", key: "", body: toBody({ reason: end.reason }), status: "cancelled" });
  }
}
