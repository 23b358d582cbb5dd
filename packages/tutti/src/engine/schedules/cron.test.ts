import * as fc from "fast-check";
import { expect, test } from "vitest";

import { verifies } from "../../../../../test/verifies.ts";
import { readCron } from "./cron.ts";

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

interface Wall {
  readonly minute: number;
  readonly hour: number;
  readonly day: number;
  readonly month: number;
  readonly weekday: number;
}

/** What a clock on the wall of a zone shows, as the platform's own tables have it. */
function openWall(timeZone: string): (moment: number) => Wall {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    minute: "numeric",
    hour: "numeric",
    day: "numeric",
    month: "numeric",
    weekday: "short",
  });
  return (moment) => {
    const parts = new Map(format.formatToParts(moment).map(({ type, value }) => [type, value]));
    const number = (name: Intl.DateTimeFormatPartTypes): number => Number(parts.get(name));
    return {
      minute: number("minute"),
      hour: number("hour"),
      day: number("day"),
      month: number("month"),
      weekday: ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"].indexOf(parts.get("weekday") ?? ""),
    };
  };
}

const zones = fc.constantFrom(
  "Europe/Berlin",
  "America/New_York",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
  "Pacific/Apia",
  "UTC",
);

interface Pattern {
  readonly cron: string;
  readonly isDue: (wall: Wall) => boolean;
}

const patterns: fc.Arbitrary<Pattern> = fc
  .record({
    minute: fc.nat({ max: 59 }),
    hour: fc.nat({ max: 23 }),
    days: fc.constantFrom("*", "1-5", "0,6"),
    everyHour: fc.boolean(),
  })
  .map(({ minute, hour, days, everyHour }) => ({
    cron: `${minute} ${everyHour ? "*" : hour} * * ${days}`,
    isDue: (wall) =>
      wall.minute === minute &&
      (everyHour || wall.hour === hour) &&
      (days === "*" || (days === "1-5") === (wall.weekday >= 1 && wall.weekday <= 5)),
  }));

const starts = fc.integer({ min: 0, max: 600 }).map((day) => Date.UTC(2026, 0, 1) + day * dayMs);

test(
  "due times are those that the wall clock shows, minute for minute, away from changes of the clock",
  verifies("D9"),
  async () => {
    const property = fc.asyncProperty(patterns, zones, starts, async ({ cron, isDue }, zone, start) => {
      const wallAt = openWall(zone);
      const offsetAt = (moment: number): number => {
        const { hour, minute } = wallAt(moment);
        return hour * 60 + minute;
      };
      const until = start + 2 * dayMs;
      // Where the clock was changed, the next test says what holds.
      fc.pre(
        [0, 1, 2, 3, 4].every(
          (half) => offsetAt(start + (half * dayMs) / 2) === offsetAt(start + ((half % 2) * dayMs) / 2),
        ),
      );
      const expected: number[] = [];
      for (let moment = start + minuteMs; moment <= until; moment += minuteMs)
        if (isDue(wallAt(moment))) expected.push(moment);
      const dueTimes = await readCron(cron, zone);
      const found: number[] = [];
      for (let due = dueTimes.after(start); due !== undefined && due <= until; due = dueTimes.after(due))
        found.push(due);
      expect(found).toEqual(expected);
      expect(dueTimes.between(start, until, 1_000)).toEqual(expected);
    });
    await fc.assert(property, { numRuns: 30 });
  },
);

/** Due times from a day before a change of the clock to a day after it, as `day hour:minute` in UTC. */
async function dueAround(cron: string, zone: string, change: number): Promise<readonly string[]> {
  const dueTimes = await readCron(cron, zone);
  return dueTimes
    .between(change - dayMs, change + dayMs, 100)
    .map((due) => new Date(due).toISOString().slice(8, 16).replace("T", " "));
}

const spring = Date.UTC(2026, 2, 29, 1); // 02:00 becomes 03:00 in Berlin
const autumn = Date.UTC(2026, 9, 25, 1); // 03:00 becomes 02:00

test(
  "a time that the clock leaves out is due when it was left out; one that it shows twice is due once",
  verifies("D9"),
  async () => {
    expect(await dueAround("30 2 * * *", "Europe/Berlin", spring)).toEqual(["28 01:30", "29 01:00", "30 00:30"]);
    expect(await dueAround("30 2 * * *", "Europe/Berlin", autumn)).toEqual(["25 00:30"]);
    expect(await dueAround("0 9 * * *", "Europe/Berlin", spring)).toEqual(["28 08:00", "29 07:00"]);
    expect(await dueAround("0 9 * * *", "Europe/Berlin", autumn)).toEqual(["24 07:00", "25 08:00"]);
  },
);

test("what is due every half hour goes on through a change of the clock", verifies("D9"), async () => {
  for (const change of [spring, autumn]) {
    const dueTimes = await readCron("*/30 * * * *", "Europe/Berlin");
    const due = dueTimes.between(change - dayMs, change + dayMs, 200);
    expect(due.slice(1).map((each, at) => each - (due[at] ?? 0))).toEqual(Array(due.length - 1).fill(30 * minuteMs));
    expect(due).toHaveLength(96);
  }
});

test("of more due times than are asked for, the newest are given; some days never come", async () => {
  const dueTimes = await readCron("* * * * *", "UTC");
  expect(dueTimes.between(0, 10 * minuteMs, 3)).toEqual([8, 9, 10].map((minute) => minute * minuteMs));
  expect((await readCron("0 0 30 2 *", "UTC")).after(0)).toBeUndefined();
});

test.for([
  ["61 * * * *", "UTC"],
  ["every day", "UTC"],
  ["* * * *", "UTC"],
  ["0 9 * * *", "Mars/Olympus"],
] as const)("%s in %s is refused", async ([cron, zone]) => {
  await expect(readCron(cron, zone)).rejects.toMatchObject({ code: "DEFINITION_INVALID" });
});
