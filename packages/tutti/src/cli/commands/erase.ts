import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { toLedgerPath } from "../ledger-file.ts";
import { say, sayJson } from "../output.ts";
import { withSteering } from "../reach-engine.ts";
import { readPerson } from "../steering-words.ts";

/** `tutti erase`: destroys the key of a subject. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const subject = call.operand("subject");
  await withSteering(toLedgerPath(call), (steering) => steering.send("erase", { subject, by: readPerson(call) }));
  // Not the name: what is printed is kept in logs.
  if (call.flag("json")) sayJson({ erased: true });
  else say("the key is destroyed; nobody can read the data of this subject's runs any more");
  return exitCodes.done;
}
