import type { StoredError } from "../../base/errors.ts";
import { bodyOf, type LedgerEntry } from "../../contracts/entry.ts";

/** What the entries of a schedule say. */
export interface ScheduleHistory {
  readonly cron: string;
  readonly timeZone: string;
  readonly flow: string;
  /** Every due time up to here is done with. */
  readonly through: number;
  readonly isPaused: boolean;
  readonly fired: number;
  readonly lastRun: string | undefined;
  /** Due times for which no run could be started; the newest ones, at most `parkedMax`. */
  readonly parked: readonly ParkedDueTime[];
}

export interface ParkedDueTime {
  readonly dueAt: number;
  readonly error: StoredError;
}

const parkedMax = 20;

/** Nothing if the schedule never began. @throws TuttiError LEDGER_CORRUPT */
export function readScheduleHistory(entries: readonly LedgerEntry[]): ScheduleHistory | undefined {
  let set: Pick<ScheduleHistory, "cron" | "timeZone" | "flow"> | undefined;
  let through = 0;
  let isPaused = false;
  let fired = 0;
  let lastRun: string | undefined;
  let parked: ParkedDueTime[] = [];
  for (const entry of entries) {
    switch (entry.kind) {
      case "schedule-set": {
        const body = bodyOf(entry, entry.kind);
        set = { cron: body.cron, timeZone: body.timeZone, flow: body.flow };
        through = body.at;
        break;
      }
      case "schedule-fired": {
        const body = bodyOf(entry, entry.kind);
        through = Math.max(through, body.dueAt);
        lastRun = body.run;
        fired += 1;
        break;
      }
      case "schedule-skipped":
        through = Math.max(through, bodyOf(entry, entry.kind).dueAt);
        break;
      case "schedule-parked": {
        const body = bodyOf(entry, entry.kind);
        through = Math.max(through, body.dueAt);
        parked = [...parked, body].slice(-parkedMax);
        break;
      }
      case "run-paused":
        isPaused = true;
        break;
      case "run-resumed":
        isPaused = false;
        break;
      default:
        break;
    }
  }
  return set === undefined ? undefined : { ...set, through, isPaused, fired, lastRun, parked };
}
