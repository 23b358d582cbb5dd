import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { findNamedRun, toLedgerPath, withReader } from "../ledger-file.ts";
import { withSteering } from "../reach-engine.ts";
import { confirm, readPerson } from "../steering-words.ts";

/** `tutti pause`: stops a run at a safe point. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const path = toLedgerPath(call);
  const { id } = await withReader(path, (ledger) => findNamedRun(ledger, call.operand("run")));
  await withSteering(path, async (steering) => {
    await steering.send("pause", { run: id, by: readPerson(call) });
    confirm(call, { isDriven: true }, { run: id, text: `run ${id} is paused` });
  });
  return exitCodes.done;
}
