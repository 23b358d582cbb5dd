import { parseWith } from "../../contracts/schema.ts";
import type { CommandCall } from "../command.ts";
import { driveRun } from "../drive-run.ts";
import type { ExitCode } from "../exit-codes.ts";
import { chooseFlow, loadFlows } from "../load-flows.ts";
import { readValue } from "../read-value.ts";

/** `tutti run`: starts a flow from a file and drives it here. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const typed = call.text("input");
  const input = typed === undefined ? {} : await readValue(typed, "--input");
  const file = await loadFlows(call.operand("file"));
  const flow = chooseFlow(file, call.optional("flow"));
  // Before the ledger is opened: what does not fit leaves nothing behind. What is stored is parsed again, from what was typed.
  await parseWith(flow.input, input, { code: "INPUT_INVALID", what: `the input of ${flow.name}` });
  const id = call.text("id");
  const key = call.text("key");
  return driveRun(call, file, (tutti) =>
    tutti.start(flow, input, { ...(id === undefined ? {} : { id }), ...(key === undefined ? {} : { key }) }),
  );
}
