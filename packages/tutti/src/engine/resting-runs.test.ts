import { expect, test } from "vitest";

import { verifies } from "../../../../test/verifies.ts";
import type { Clock } from "../base/clock.ts";
import { toRunId } from "../contracts/ids.ts";
import { openManualClock } from "../testing/manual-clock.ts";
import { openRestingRuns } from "./resting-runs.ts";

test(
  "each run is let go when it has rested for its time, and however many rest, one timer is armed",
  verifies("D9"),
  async () => {
    const clock = openManualClock();
    const gone: string[] = [];
    const resting = openRestingRuns(clock, 100, (run) => gone.push(run));
    const add = (...runs: string[]): void => runs.map(toRunId).forEach((run) => resting.add(run));
    add("one");
    await clock.advance(60);
    add("two", "three", "one"); // which rests already
    expect(clock.due).toHaveLength(1);
    await clock.advance(40);
    expect(gone).toEqual(["one"]);
    expect(clock.due).toHaveLength(1);
    await clock.advance(60);
    expect(gone).toEqual(["one", "two", "three"]);
    expect(clock.due).toEqual([]);
  },
);

test("a run that goes on in time is not let go, and when none rests nothing is armed", verifies("D9"), async () => {
  const clock = openManualClock();
  const gone: string[] = [];
  const resting = openRestingRuns(clock, 100, (run) => gone.push(run));
  for (const run of ["one", "two"].map(toRunId)) resting.add(run);
  await clock.advance(50);
  resting.remove(toRunId("one"));
  resting.add(toRunId("one"));
  await clock.advance(50);
  expect(gone).toEqual(["two"]);
  resting.remove(toRunId("one"));
  expect(clock.due).toEqual([]);
  resting.add(toRunId("three"));
  resting.clear();
  expect(clock.due).toEqual([]);
  await clock.advance(200);
  expect(gone).toEqual(["two"]);
});

test("a clock that goes back keeps nobody in memory", verifies("D9"), async () => {
  const passing = openManualClock();
  let backMs = 0;
  const clock: Clock = { now: () => passing.now() - backMs, after: (delayMs, wake) => passing.after(delayMs, wake) };
  const gone: string[] = [];
  const resting = openRestingRuns(clock, 100, (run) => gone.push(run));
  resting.add(toRunId("one"));
  backMs = 3_600_000;
  resting.add(toRunId("two"));
  await passing.advance(100);
  expect(gone).toEqual(["one", "two"]);
  resting.add(toRunId("three"));
  await passing.advance(100);
  expect(gone).toEqual(["one", "two", "three"]);
});
