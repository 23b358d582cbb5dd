import type { CommandCall } from "../command.ts";
import { driveRun } from "../drive-run.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { findNamedRun, toLedgerPath, withReader } from "../ledger-file.ts";
import { loadFlowsOrProject } from "../load-project.ts";
import { withSteering } from "../reach-engine.ts";
import { confirm, readPerson, readReason } from "../steering-words.ts";

/** `tutti undo`: takes back what a run did that failed, was cancelled or was stopped. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const path = toLedgerPath(call);
  const file = call.optional("file");
  const loaded = file === undefined ? undefined : await loadFlowsOrProject(file);
  const { id } = await withReader(path, (ledger) => findNamedRun(ledger, call.operand("run")));
  const person = { by: readPerson(call), ...readReason(call) };
  if (loaded !== undefined) {
    return driveRun(call, loaded, async (tutti) => {
      const handle = await tutti.open(id);
      await handle.undo(person);
      return handle;
    });
  }
  await withSteering(path, async (steering) => {
    await steering.send("undo", { run: id, ...person });
    confirm(call, steering, { run: id, text: `what run ${id} did is being taken back` });
  });
  return exitCodes.done;
}
