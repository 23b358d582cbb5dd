import { TuttiError } from "../../base/errors.ts";
import { verifyLedger } from "../../ledger/verify.ts";
import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { defaultLedger, withReader } from "../ledger-file.ts";
import { say, sayJson } from "../output.ts";
import { toNumberOf } from "../terminal-text.ts";

/** `tutti verify`: follows every run's chain and reads every entry and large value. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const path = call.optional("ledger") ?? defaultLedger;
  const found = await withReader(path, verifyLedger);
  if (found.kind === "broken") {
    const place =
      found.seq === 0
        ? `entry ${found.lsn}`
        : `entry ${found.seq} of run ${found.run} (number ${found.lsn} of the ledger)`;
    throw new TuttiError("LEDGER_CORRUPT", `${path} is intact up to ${place}: ${found.why}`, {
      hint: "Restore it from a backup; every entry before that one can be trusted.",
      facts: { lsn: found.lsn, run: found.run, seq: found.seq },
    });
  }
  if (call.flag("json")) sayJson({ ledger: path, ...found });
  else say(`${path} is intact: ${toNumberOf(found.entries, "entry", "entries")} of ${toNumberOf(found.runs, "run")}`);
  return exitCodes.done;
}
