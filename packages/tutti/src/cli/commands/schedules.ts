import { systemClock } from "../../base/clock.ts";
import { listSchedules } from "../../engine/schedules/open-schedules.ts";
import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { toLedgerPath, withReader } from "../ledger-file.ts";
import { say, sayJson, tell } from "../output.ts";
import { toPlainLine } from "../terminal-text.ts";

/** `tutti schedules`: what is started by the clock, and when it is due next. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const now = systemClock.now();
  const schedules = await withReader(toLedgerPath(call), (ledger) => listSchedules(ledger, now));
  if (!call.flag("json") && schedules.length === 0) tell("No schedules.");
  for (const schedule of schedules) {
    if (call.flag("json")) {
      sayJson(schedule);
      continue;
    }
    const { name, cron, timeZone, flow, isPaused, nextAt, fired, parked } = schedule;
    const next = nextAt === undefined ? "never" : new Date(nextAt).toISOString();
    say(
      toPlainLine(
        `${name}  ${cron} ${timeZone} → ${flow}  ${isPaused ? "paused" : `next ${next}`}  ${fired} started  ${parked.length} parked`,
      ),
    );
  }
  return exitCodes.done;
}
