import type { ParkedDueTime } from "./schedule-state.ts";

/** Where a schedule stands. */
export interface ScheduleStatus {
  readonly name: string;
  readonly flow: string;
  readonly cron: string;
  readonly timeZone: string;
  /** The next due time, in milliseconds since 1970; none while it is paused. */
  readonly nextAt: number | undefined;
  readonly isPaused: boolean;
  /** How many runs it has started, and the last one. */
  readonly fired: number;
  readonly lastRun: string | undefined;
  /** The newest due times for which no run could be started. */
  readonly parked: readonly ParkedDueTime[];
}

/** The schedules of an engine, for people and programs. */
export interface Schedules {
  list(): Promise<readonly ScheduleStatus[]>;
  /** Starts nothing until it is resumed. @throws EVENT_UNKNOWN */
  pause(schedule: string, by?: string): Promise<void>;
  /** Goes on from now: what was due while it was paused is not made up for. @throws EVENT_UNKNOWN */
  resume(schedule: string, by?: string): Promise<void>;
}
