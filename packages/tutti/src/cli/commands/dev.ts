import type { CommandCall } from "../command.ts";
import type { ExitCode } from "../exit-codes.ts";
import { runServer } from "../run-server.ts";
import { toUserName } from "../steering-words.ts";

/** `tutti dev`: the flows of a file over HTTP, for whoever sits at this machine. */
export function run(call: CommandCall): Promise<ExitCode> {
  return runServer(call, {
    welcome: (server) => `Open the console, once and within a minute: ${server.toConsoleUrl(toUserName())}`,
  });
}
