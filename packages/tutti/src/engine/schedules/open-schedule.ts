import { toStoredError, toTuttiError, TuttiError } from "../../base/errors.ts";
import { toRunId, type RunId } from "../../contracts/ids.ts";
import { isOver } from "../../contracts/run-record.ts";
import { toBody } from "../../flow/stored-value.ts";
import type { NewRun } from "../../ledger/ledger.ts";
import type { ActiveRuns, Engine } from "../engine-parts.ts";
import { openJournal, type Journal } from "../journal.ts";
import { toNewRun } from "../new-run.ts";
import { openPump, type Pump } from "../pump.ts";
import { readCron, type DueTimes } from "./cron.ts";
import { readScheduleHistory } from "./schedule-state.ts";
import type { Schedule } from "./schedule.ts";

/** A schedule at work in this process. */
export interface OpenSchedule {
  pause(by: string): Promise<void>;
  resume(by: string): Promise<void>;
  close(): Promise<void>;
}

/** A due time that is found later than this was missed. */
const lateMsMax = 60_000;
/** So many missed due times are made up for, the newest ones. */
const missedMax = 1_000;

interface Watch {
  readonly engine: Engine;
  readonly runs: ActiveRuns;
  readonly definition: Schedule;
  readonly dueTimes: DueTimes;
  readonly journal: Journal;
  readonly pump: Pump;
  /** Every due time up to here is done with. */
  through: number;
  isPaused: boolean;
  lastRun: RunId | undefined;
}

/** Takes a schedule up where the ledger says it was. @throws TuttiError DEFINITION_INVALID */
export async function openSchedule(engine: Engine, runs: ActiveRuns, definition: Schedule): Promise<OpenSchedule> {
  const { cron, timeZone } = definition;
  const dueTimes = await readCron(cron, timeZone);
  if (dueTimes.after(engine.clock.now()) === undefined) {
    throw new TuttiError("DEFINITION_INVALID", `the schedule ${definition.name} ("${cron}") is never due`, {
      hint: "Look at its day and month.",
    });
  }
  const journal = await openJournal(engine.ledger, "schedule", definition.name);
  const history = readScheduleHistory(journal.entries);
  const watch: Watch = {
    engine,
    runs,
    definition,
    dueTimes,
    journal,
    pump: openPump(engine, `the schedule ${definition.name}`, () => work(watch)),
    through: history?.through ?? 0,
    isPaused: history?.isPaused ?? false,
    lastRun: history?.lastRun === undefined ? undefined : toRunId(history.lastRun),
  };
  // Another expression is another schedule: what it would have been due before was never promised.
  if (history === undefined || history.cron !== cron || history.timeZone !== timeZone) await set(watch);
  watch.pump.wake();
  return {
    async pause(by) {
      await journal.append({ kind: "run-paused", key: "", body: toBody({ by }) });
      watch.isPaused = true;
      watch.pump.wake();
    },
    async resume(by) {
      await journal.append({ kind: "run-resumed", key: "", body: toBody({ by }) });
      // What was due meanwhile was not wanted.
      await set(watch);
      watch.isPaused = false;
      watch.pump.wake();
    },
    close: () => watch.pump.close(),
  };
}

async function set(watch: Watch): Promise<void> {
  const { cron, timeZone, flow } = watch.definition;
  const at = Math.floor(watch.engine.clock.now());
  await watch.journal.append({ kind: "schedule-set", key: "", body: toBody({ cron, timeZone, flow: flow.name, at }) });
  watch.through = at;
}

/** Starts what is due. Returns the next due time. */
async function work(watch: Watch): Promise<number | undefined> {
  if (watch.isPaused) return undefined;
  const now = watch.engine.clock.now();
  const due = watch.dueTimes.between(watch.through, now, missedMax);
  const { skipped, wanted } = decideDue(watch.definition.missed, due, now);
  const lastSkipped = skipped.at(-1);
  if (lastSkipped !== undefined)
    await skip(
      watch,
      lastSkipped,
      `${skipped.length} missed while no engine ran; missed: "${watch.definition.missed}"`,
    );
  for (const dueAt of wanted) {
    const open = watch.definition.overlap === "skip" ? await findOpenRun(watch) : undefined;
    if (open === undefined) await fire(watch, dueAt);
    else await skip(watch, dueAt, `${open} is still open; overlap: "skip"`);
    watch.through = Math.max(watch.through, dueAt);
  }
  // A clock that was set back is behind what is done: nothing is due twice.
  return watch.dueTimes.after(Math.max(watch.through, now));
}

async function skip(watch: Watch, dueAt: number, why: string): Promise<void> {
  await watch.journal.append({ kind: "schedule-skipped", key: "", body: toBody({ dueAt, why }) });
  watch.through = Math.max(watch.through, dueAt);
}

async function findOpenRun({ engine, lastRun }: Watch): Promise<RunId | undefined> {
  const record = lastRun === undefined ? undefined : await engine.ledger.findRun(lastRun);
  return record === undefined || isOver(record.status) ? undefined : record.id;
}

/** Which due times get a run, oldest first. Those that are late get one as `missed` says. */
function decideDue(
  missed: Schedule["missed"],
  due: readonly number[],
  now: number,
): { readonly skipped: readonly number[]; readonly wanted: readonly number[] } {
  if (missed === "all") return { skipped: [], wanted: due };
  const late = due.filter((dueAt) => now - dueAt > lateMsMax);
  const onTime = due.slice(late.length);
  // What is due just now makes up for what was missed.
  const kept = missed === "once" && onTime.length === 0 ? late.slice(-1) : [];
  return { skipped: late.slice(0, late.length - kept.length), wanted: [...kept, ...onTime] };
}

/** Starts the run of a due time in the same transaction as the entry that says so. Its id follows from both. */
async function fire(watch: Watch, dueAt: number): Promise<void> {
  const { definition, engine, journal, runs } = watch;
  let run: NewRun;
  try {
    run = await toNewRun(definition.flow, {
      id: toRunId(`${definition.name}:${toMoment(dueAt)}`),
      input: toInput(definition, dueAt),
      engine,
    });
  } catch (error) {
    const stored = toStoredError(toTuttiError(error, "EVENT_UNUSABLE"));
    await journal.append({ kind: "schedule-parked", key: "", body: toBody({ dueAt, error: stored }) });
    return;
  }
  await journal.append({ kind: "schedule-fired", key: "", body: toBody({ dueAt, run: run.id }), starts: run });
  watch.lastRun = run.id;
  void runs.drive(run.id).catch(engine.onBackgroundError);
}

/** `2026-03-29T07:00:00Z`. */
function toMoment(dueAt: number): string {
  return new Date(dueAt).toISOString().replace(".000Z", "Z");
}

function toInput(definition: Schedule, dueAt: number): unknown {
  try {
    return definition.toInput({ schedule: definition.name, dueAt });
  } catch (error) {
    throw new TuttiError("EVENT_UNUSABLE", `the input of schedule ${definition.name} threw for ${toMoment(dueAt)}`, {
      hint: "Correct it; the next due time is tried with the new code.",
      cause: error,
    });
  }
}
