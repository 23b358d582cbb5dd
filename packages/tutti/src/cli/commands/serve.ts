import type { CommandCall } from "../command.ts";
import type { ExitCode } from "../exit-codes.ts";
import { runServer, toTokenHint } from "../run-server.ts";

/** `tutti serve`: the flows of a file over HTTP. */
export function run(call: CommandCall): Promise<ExitCode> {
  return runServer(call, {
    host: call.text("host"),
    origin: call.text("origin"),
    welcome: (_, hasTokens) =>
      hasTokens ? "Callers need a token." : `Nobody has a token yet. Make one: ${toTokenHint(call)}`,
  });
}
