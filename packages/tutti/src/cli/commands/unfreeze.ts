import type { CommandCall } from "../command.ts";
import type { ExitCode } from "../exit-codes.ts";
import { setFreeze } from "../freeze-words.ts";

/** `tutti unfreeze`: what was frozen goes on by itself. */
export function run(call: CommandCall): Promise<ExitCode> {
  return setFreeze(call, "unfreeze");
}
