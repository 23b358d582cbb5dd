import type { CommandCall } from "../command.ts";
import type { ExitCode } from "../exit-codes.ts";
import { setFreeze } from "../freeze-words.ts";

/** `tutti freeze`: from its entry on nothing in its reach is begun. */
export function run(call: CommandCall): Promise<ExitCode> {
  return setFreeze(call, "freeze");
}
