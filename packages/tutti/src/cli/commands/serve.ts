import type { IssuerOptions } from "../../identity/issuer.ts";
import { toUsage } from "../command-line.ts";
import type { CommandCall } from "../command.ts";
import type { ExitCode } from "../exit-codes.ts";
import { readCount, splitNames } from "../read-value.ts";
import { runServer, toTokenHint, type Serving } from "../run-server.ts";

/** `tutti serve`: the flows of a file over HTTP. */
export function run(call: CommandCall): Promise<ExitCode> {
  const issuer = readIssuer(call);
  return runServer(call, {
    host: call.text("host"),
    origin: call.text("origin"),
    issuer,
    checkpoints: readCheckpoints(call),
    welcome: (_, hasTokens) =>
      hasTokens || issuer !== undefined
        ? "Callers need a token."
        : `Nobody has a token yet. Make one: ${toTokenHint(call)}`,
  });
}

function readCheckpoints(call: CommandCall): Serving["checkpoints"] {
  const minutes = readCount(call.text("checkpoint-every"), "checkpoint-every");
  const anchors = splitNames(call.text("anchor"));
  if (minutes !== undefined) return { everyMs: minutes * 60_000, anchors };
  if (anchors.length === 0) return undefined;
  throw toUsage("an anchor keeps checkpoints, and none are taken", "Add --checkpoint-every 10");
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
