import type { Flow } from "../../contracts/run.ts";
import { refuseEventName } from "../../flow/topic.ts";

/** What becomes of due times that passed while no engine ran: none is made up for, one run for all of them, or one run each. */
export type Missed = "skip" | "once" | "all";

/** What becomes of a due time while the last run of the schedule is still open: it gets a run of its own, or none. */
export type Overlap = "start" | "skip";

export interface ScheduleDefinition<Input> {
  readonly name: string;
  /** Minute, hour, day of month, month, day of week; a sixth field in front counts seconds. `@daily` and the like work too. */
  readonly cron: string;
  /** The zone whose wall clock counts: `Europe/Berlin`. */
  readonly timeZone: string;
  readonly flow: Flow<Input>;
  /** The input of every run, or what makes it from the moment that was due. */
  readonly input: NoInfer<Input> | ((due: DueTime) => NoInfer<Input>);
  /** `once` by default. A due time is missed when it is found more than a minute late. */
  readonly missed?: Missed;
  /** `start` by default. A run that is paused, parked or in doubt is open, too. */
  readonly overlap?: Overlap;
}

export interface DueTime {
  readonly schedule: string;
  /** Milliseconds since 1970. */
  readonly dueAt: number;
}

/** A flow that is started again and again. Made by `schedule()`. */
export interface Schedule {
  readonly kind: "schedule";
  readonly name: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly flow: Flow;
  readonly missed: Missed;
  readonly overlap: Overlap;
  toInput(due: DueTime): unknown;
}

/**
 * Declares that a flow is started by the clock. Declares and does nothing else; `openTutti({ schedules: [...] })` acts, and looks at the
 * cron expression and the zone.
 * @throws TuttiError DEFINITION_INVALID
 */
export function schedule<Input>(definition: ScheduleDefinition<Input>): Schedule {
  const { name, cron, timeZone, input, missed = "once", overlap = "start" } = definition;
  refuseEventName(name, "schedule");
  return {
    kind: "schedule",
    name,
    cron,
    timeZone,
    flow: definition.flow,
    missed,
    overlap,
    toInput: (due) => (isMaker(input) ? input(due) : input),
  };
}

function isMaker<Input>(input: Input | ((due: DueTime) => Input)): input is (due: DueTime) => Input {
  return typeof input === "function";
}
