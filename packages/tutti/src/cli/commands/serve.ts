import type { IssuerOptions } from "../../identity/issuer.ts";
import { toUsage } from "../command-line.ts";
import type { CommandCall } from "../command.ts";
import type { ExitCode } from "../exit-codes.ts";
import { runServer, toTokenHint } from "../run-server.ts";

/** `tutti serve`: the flows of a file over HTTP. */
export function run(call: CommandCall): Promise<ExitCode> {
  const issuer = readIssuer(call);
  return runServer(call, {
    host: call.text("host"),
    origin: call.text("origin"),
    issuer,
    welcome: (_, hasTokens) =>
      hasTokens || issuer !== undefined
        ? "Callers need a token."
        : `Nobody has a token yet. Make one: ${toTokenHint(call)}`,
  });
}

function readIssuer(call: CommandCall): IssuerOptions | undefined {
  const [issuer, audience] = [call.text("issuer"), call.text("audience")];
  const claims = { roleClaim: call.text("role-claim"), tenantClaim: call.text("tenant-claim") };
  if (issuer !== undefined && audience !== undefined) return { issuer, audience, ...claims };
  if ([issuer, audience, claims.roleClaim, claims.tenantClaim].every((word) => word === undefined)) return undefined;
  throw toUsage(
    "an issuer needs its address and an audience",
    "--issuer https://login.example.org --audience tutti, and with them --role-claim and --tenant-claim",
  );
}
