import type { CommandCall } from "../command.ts";
import type { ExitCode } from "../exit-codes.ts";
import { chooseFlow, loadFlows } from "../load-flows.ts";
import { readInput, startRun } from "../start-run.ts";

/** `tutti run`: starts a flow from a file and drives it here. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const input = await readInput(call);
  const file = await loadFlows(call.operand("file"));
  const flow = chooseFlow(file, call.optional("flow"));
  return startRun(call, file, { flow, input, what: flow.name });
}
