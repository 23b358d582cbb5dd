import { systemClock } from "../../base/clock.ts";
import { roles, type Role } from "../../contracts/api/commands.ts";
import { openTokens, toTokensFile, type TokenRecord, type Tokens } from "../../server/tokens.ts";
import { toUsage } from "../command-line.ts";
import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { findLedgerFile, toLedgerPath } from "../ledger-file.ts";
import { say, sayJson, tell } from "../output.ts";

/** `tutti token`: who may come in. Works while a server runs: it looks at the file again. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const action = call.operand("create|list|revoke");
  const tokens = openTokens(toTokensFile(findLedgerFile(toLedgerPath(call))));
  if (action === "create") create(call, tokens);
  else if (action === "list") list(call, tokens);
  else if (action === "revoke") revoke(call, tokens);
  else throw toUsage(`token can't "${action}"`, "tutti token create|list|revoke");
  return exitCodes.done;
}

function create(call: CommandCall, tokens: Tokens): void {
  const { token, record } = tokens.create({
    name: call.text("name") ?? toUsageName(),
    role: readRole(call.text("role")),
    tenant: call.text("tenant"),
    createdAt: systemClock.now(),
  });
  if (call.flag("json")) {
    sayJson({ ...record, token });
    return;
  }
  say(token);
  tell(`${toLine(record)}\nKeep it safe: it is not shown again.`);
}

function toUsageName(): never {
  throw toUsage("token create needs --name", "tutti token create --name anna --role operator");
}

function list(call: CommandCall, tokens: Tokens): void {
  const records = tokens.list();
  if (records.length === 0 && !call.flag("json")) tell("No tokens.");
  for (const record of records) {
    if (call.flag("json")) sayJson(record);
    else say(toLine(record));
  }
}

function revoke(call: CommandCall, tokens: Tokens): void {
  const id = call.optional("id");
  if (id === undefined) throw toUsage("token revoke needs the token's id", "`tutti token list` shows them.");
  const record = tokens.revoke(id);
  if (call.flag("json")) sayJson(record);
  else say(`revoked: ${toLine(record)}`);
}

function readRole(typed = "viewer"): Role {
  const role = roles.find((each) => each === typed);
  if (role !== undefined) return role;
  throw toUsage(`there is no role "${typed}"`, `There are: ${roles.join(", ")}.`);
}

function toLine({ id, name, role, tenant, createdAt }: TokenRecord): string {
  return `${id}  ${role}  ${name}${tenant === undefined ? "" : `  of ${tenant}`}  ${new Date(createdAt).toISOString()}`;
}
