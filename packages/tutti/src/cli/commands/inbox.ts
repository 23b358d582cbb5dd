import { existsSync } from "node:fs";

import { systemClock } from "../../base/clock.ts";
import { TuttiError } from "../../base/errors.ts";
import type { ApprovalPackage } from "../../contracts/approval-package.ts";
import { toApprovalId } from "../../contracts/ids.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { readTypedId, toInboxLines, toPackageLines, toTypedId } from "../approval-text.ts";
import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { defaultLedger, toLedgerOption, toLedgerPath, withReader } from "../ledger-file.ts";
import { say, sayJson, tell } from "../output.ts";
import { readCount } from "../read-value.ts";

const limitDefault = 50;

/** `tutti inbox`: what waits for people; or all that is known of one of them. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const path = toLedgerPath(call);
  const named = call.optional("approval");
  if (named !== undefined) await withReader(path, (ledger) => show(call, ledger, named));
  else if (path !== defaultLedger || existsSync(path)) await withReader(path, (ledger) => list(call, ledger));
  else tell("Nothing waits for people.");
  return exitCodes.done;
}

async function list(call: CommandCall, ledger: Ledger): Promise<void> {
  const limit = readCount(call.text("limit"), "limit") ?? limitDefault;
  const found = await ledger.listApprovals({ states: ["open"], limit: limit + 1 });
  const shown = found.slice(0, limit);
  if (call.flag("json")) {
    for (const approval of shown) sayJson({ ...approval, typed: toTypedId(approval) });
    return;
  }
  const now = systemClock.now();
  for (const line of shown.flatMap((approval) => toInboxLines(approval, now))) say(line);
  if (shown.length === 0) tell("Nothing waits for people.");
  if (found.length > limit) tell(`There are more; --limit ${limit * 2} shows them.`);
}

async function show(call: CommandCall, ledger: Ledger, named: string): Promise<void> {
  const { id } = readTypedId(named);
  const approval = await ledger.findApproval(toApprovalId(id));
  const content = approval === undefined ? undefined : await ledger.readBlob(approval.package);
  if (approval === undefined || content === undefined) {
    throw new TuttiError("APPROVAL_UNKNOWN", `no approval ${id} in this ledger`, {
      hint: "`tutti inbox` lists what waits for people.",
    });
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by the engine
  const shown = JSON.parse(content) as ApprovalPackage;
  if (call.flag("json")) sayJson({ ...approval, typed: toTypedId(approval), shown });
  else for (const line of toPackageLines(approval, shown, toLedgerOption(toLedgerPath(call)))) say(line);
}
