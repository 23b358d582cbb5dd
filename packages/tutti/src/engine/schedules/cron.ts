import { TuttiError } from "../../base/errors.ts";

/** The due times of a cron expression in a time zone, in milliseconds since 1970. */
export interface DueTimes {
  /** The first one after a moment; none if there never is one. */
  after(moment: number): number | undefined;
  /** Those after `after` up to `until`, oldest first; of more than `max` the newest. */
  between(after: number, until: number, max: number): readonly number[];
}

/**
 * Reads a cron expression. The library is loaded when the first schedule needs it.
 * @throws TuttiError DEFINITION_INVALID
 */
export async function readCron(cron: string, timeZone: string): Promise<DueTimes> {
  const { Cron } = await import("croner");
  let pattern: InstanceType<typeof Cron>;
  try {
    // Croner takes any text for a zone until the first time is asked for.
    Intl.DateTimeFormat("en", { timeZone });
    pattern = new Cron(cron, { paused: true, timezone: timeZone, mode: "5-or-6-parts" });
  } catch (error) {
    throw new TuttiError("DEFINITION_INVALID", `"${cron}" in "${timeZone}" is no schedule`, {
      hint: 'Minute, hour, day of month, month, day of week, and a zone by its IANA name: "0 9 * * 1-5", "Europe/Berlin".',
      cause: error,
    });
  }
  const next = (moment: number): number | undefined => pattern.nextRun(new Date(moment))?.getTime();
  return {
    after: next,
    between(after, until, max) {
      const due: number[] = [];
      for (let at = next(after); at !== undefined && at <= until; at = next(at)) {
        // Counted from the end only where it must be: that costs as much as `max` says, whatever is due.
        if (due.length === max) return newest(until, max);
        due.push(at);
      }
      return due;
    },
  };

  function newest(until: number, max: number): readonly number[] {
    return pattern
      .previousRuns(max, new Date(until + 1))
      .map((due) => due.getTime())
      .toReversed();
  }
}
