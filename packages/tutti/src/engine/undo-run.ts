import { TuttiError } from "../base/errors.ts";
import { toBody } from "../flow/stored-value.ts";
import type { ActiveRuns, Engine } from "./engine-parts.ts";
import { findRun, toFlowUnknown, type Steerer } from "./steer-run.ts";

/**
 * Takes back what a run did that has failed or was cancelled: it is opened once more, its code comes to the same end from its records, and
 * then everything that declares an undo is undone, newest first. Resolves when the wish is durable; a crash goes on with it.
 * @throws TuttiError RUN_UNKNOWN, INPUT_INVALID, FLOW_UNKNOWN
 */
export async function undoRun(engine: Engine, runs: ActiveRuns, { run, by, reason }: Steerer): Promise<void> {
  const record = await findRun(engine, run);
  if (record.status !== "failed" && record.status !== "cancelled") {
    throw new TuttiError(
      "INPUT_INVALID",
      `run ${run} is ${record.status}; only what failed or was cancelled is undone`,
      { hint: "`tutti steer <run> --stop` ends it first.", facts: { run, status: record.status } },
    );
  }
  // Only the flow's code names the tools that take things back.
  if (engine.findFlow(record.flow, record.version) === undefined) throw toFlowUnknown(record);
  const body = toBody({ by, ...(reason === undefined ? {} : { reason }) });
  await runs.aside(run, async () => {
    const { log } = await engine.ledger.claim(run);
    await log.append({ kind: "undo-requested", key: "", body, status: "running" });
  });
  void runs.drive(run).catch(engine.onBackgroundError);
}
