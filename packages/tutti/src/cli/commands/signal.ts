import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { findNamedRun, toLedgerPath, withReader } from "../ledger-file.ts";
import { withSteering } from "../reach-engine.ts";
import { readValue } from "../read-value.ts";
import { confirm } from "../steering-words.ts";

/** `tutti signal`: delivers a signal, whoever drives the run. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const path = toLedgerPath(call);
  const name = call.operand("name");
  const typed = call.optional("json");
  const payload = typed === undefined ? undefined : await readValue(typed, "the payload");
  const id = call.text("id");
  const record = await withReader(path, (ledger) => findNamedRun(ledger, call.operand("run")));
  await withSteering(path, async (steering) => {
    await steering.send("signal", { run: record.id, name, payload, ...(id === undefined ? {} : { id }) });
    confirm(call, steering, { run: record.id, text: `run ${record.id} has the signal ${name}` });
  });
  return exitCodes.done;
}
