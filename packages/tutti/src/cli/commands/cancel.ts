import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { findNamedRun, toLedgerPath, withReader } from "../ledger-file.ts";
import { withSteering } from "../reach-engine.ts";
import { confirm, readPerson } from "../steering-words.ts";

/** `tutti cancel`: ends a run and what it started. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const path = toLedgerPath(call);
  const { id } = await withReader(path, (ledger) => findNamedRun(ledger, call.operand("run")));
  await withSteering(path, async (steering) => {
    await steering.send("cancel", {
      run: id,
      by: readPerson(call),
      reason: call.text("reason") ?? "cancelled on the command line",
    });
    const { status } = await withReader(path, (ledger) => findNamedRun(ledger, id));
    const isOver = status === "cancelled";
    confirm(
      call,
      { isDriven: steering.isDriven || isOver },
      { run: id, text: isOver ? `run ${id} is cancelled` : `run ${id} is being cancelled` },
    );
  });
  return exitCodes.done;
}
