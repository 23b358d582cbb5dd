import { TuttiError } from "../../base/errors.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { ActiveRuns, Engine } from "../engine-parts.ts";
import { toJournalFlow, toJournalRun } from "../journal.ts";
import { readCron } from "./cron.ts";
import { openSchedule, type OpenSchedule } from "./open-schedule.ts";
import { readScheduleHistory } from "./schedule-state.ts";
import type { Schedule } from "./schedule.ts";
import type { ScheduleStatus } from "./schedules.ts";

export interface SchedulePart {
  /** @throws TuttiError EVENT_UNKNOWN */
  find(name: string): OpenSchedule;
  close(): Promise<void>;
}

/** Takes up all schedules. @throws TuttiError DEFINITION_INVALID */
export async function openSchedules(
  engine: Engine,
  runs: ActiveRuns,
  schedules: readonly Schedule[],
): Promise<SchedulePart> {
  const open = new Map<string, OpenSchedule>();
  try {
    for (const definition of schedules) open.set(definition.name, await openSchedule(engine, runs, definition));
  } catch (error) {
    await closeAll(open);
    throw error;
  }
  return {
    find(name) {
      const found = open.get(name);
      if (found !== undefined) return found;
      throw new TuttiError("EVENT_UNKNOWN", `this engine has no schedule ${name}`, {
        hint: "Pass it to openTutti({ schedules: [...] }).",
      });
    },
    close: () => closeAll(open),
  };
}

async function closeAll(open: ReadonlyMap<string, OpenSchedule>): Promise<void> {
  await Promise.all(Array.from(open.values(), (schedule) => schedule.close()));
}

/** Every schedule that the ledger knows, by name. */
export async function listSchedules(ledger: Ledger, now: number): Promise<readonly ScheduleStatus[]> {
  const statuses: ScheduleStatus[] = [];
  for (const { id } of await ledger.listRuns({ flow: toJournalFlow("schedule") })) {
    const history = readScheduleHistory(await ledger.read(id));
    if (history === undefined) continue;
    const { through, isPaused, ...told } = history;
    const dueTimes = await readCron(history.cron, history.timeZone);
    statuses.push({
      ...told,
      name: id.slice(toJournalRun("schedule", "").length),
      isPaused,
      nextAt: isPaused ? undefined : dueTimes.after(Math.max(through, now)),
    });
  }
  return statuses.toSorted((left, right) => (left.name < right.name ? -1 : 1));
}
