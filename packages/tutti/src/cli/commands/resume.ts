import { isTuttiError } from "../../base/errors.ts";
import type { CommandCall } from "../command.ts";
import { driveRun } from "../drive-run.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { findNamedRun, toLedgerPath, withReader } from "../ledger-file.ts";
import { loadFlowsOrProject } from "../load-project.ts";
import { withSteering } from "../reach-engine.ts";
import { confirm, readPerson } from "../steering-words.ts";

/** `tutti resume`: with the flow's file the run goes on here, without it in the engine that runs or the next one. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const path = toLedgerPath(call);
  const named = call.operand("run");
  const file = call.optional("file");
  const loaded = file === undefined ? undefined : await loadFlowsOrProject(file);
  const { id } = await withReader(path, (ledger) => findNamedRun(ledger, named));
  const by = readPerson(call);
  if (loaded !== undefined) {
    return driveRun(call, loaded, async (tutti) => {
      const handle = await tutti.open(id);
      const { kind } = await handle.state();
      if (kind !== "done" && kind !== "failed" && kind !== "cancelled") await handle.resume(by);
      return handle;
    });
  }
  await withSteering(path, async (steering) => {
    try {
      await steering.send("resume", { run: id, by });
      confirm(call, steering, { run: id, text: `run ${id} goes on` });
    } catch (error) {
      // The wish is recorded; what is missing is somebody who knows the flow.
      if (!isTuttiError(error) || error.code !== "FLOW_UNKNOWN") throw error;
      confirm(call, { isDriven: false }, { run: id, text: `run ${id} may go on` });
    }
  });
  return exitCodes.done;
}
