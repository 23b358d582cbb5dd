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
    new Intl.DateTimeFormat("en", { timeZone });
    pattern = new Cron(cron, { paused: true, timezone: timeZone, mode: "5-or-6-parts" });
  } catch (error) {
    throw new TuttiError("DEFINITION_INVALID", `"${cron}" in "${timeZone}" is no schedule`, {
      hint: 'Minute, hour, day of month, month, day of week, and a zone by its IANA name: "0 9 * * 1-5", "Europe/Berlin".',
      cause: error,
    });
  }
  return {
    after: (moment) => pattern.nextRun(new Date(moment))?.getTime(),
    between: (after, until, max) =>
      pattern
        .previousRuns(max, new Date(until + 1))
        .map((due) => due.getTime())
        .filter((due) => due > after && due <= until)
        .toSorted((left, right) => left - right),
  };
}
