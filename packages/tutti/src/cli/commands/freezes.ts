import { describeFreeze } from "../../contracts/freeze.ts";
import { readFreezes } from "../../engine/freezes.ts";
import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { toLedgerPath, withReader } from "../ledger-file.ts";
import { say, sayJson, tell } from "../output.ts";
import { toPlainLine } from "../terminal-text.ts";

/** `tutti freezes`: what is frozen, by whom and why. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const freezes = await withReader(toLedgerPath(call), readFreezes);
  if (!call.flag("json") && freezes.length === 0) tell("Nothing is frozen.");
  for (const freeze of freezes) {
    if (call.flag("json")) sayJson(freeze);
    else say(toPlainLine(`${new Date(freeze.at).toISOString()}  ${describeFreeze(freeze)}`));
  }
  return exitCodes.done;
}
