import { expect, test } from "vitest";
import { z } from "zod";

import { openDyingLedger } from "../../../../../test/engine/dying-ledger.ts";
import { bodiesOf, errorOf, openStage, type Stage } from "../../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { flow } from "../../flow/flow.ts";
import { openMemoryLedger } from "../../ledger/memory/memory-ledger.ts";
import { verifyLedger } from "../../ledger/verify.ts";
import { openManualClock, takeTurns } from "../../testing/manual-clock.ts";
import { openTutti } from "../open-tutti.ts";
import { schedule, type Schedule, type ScheduleDefinition } from "./schedule.ts";

const hourMs = 60 * 60 * 1_000;
const dayMs = 24 * hourMs;

/** Due every day at 9 in Berlin; the manual clock starts on 14 November 2023 at 22:13:20 UTC. */
function daily(choices: Partial<ScheduleDefinition<number>> = {}): {
  readonly seen: string[];
  readonly schedules: readonly Schedule[];
} {
  const seen: string[] = [];
  const report = flow({
    name: "report",
    input: z.number(),
    output: z.null(),
    run: async (run, dueAt) => run.step("note", () => (seen.push(new Date(dueAt).toISOString().slice(5, 13)), null)),
  });
  const chosen = { name: "daily", cron: "0 9 * * *", timeZone: "Europe/Berlin", ...choices };
  return { seen, schedules: [schedule({ ...chosen, flow: report, input: choices.input ?? (({ dueAt }) => dueAt) })] };
}

async function pass(stage: Stage, ms: number): Promise<void> {
  await stage.clock.advance(ms);
  await takeTurns(50);
}

test("a flow is started whenever it is due, once, over restarts at any time", verifies("D9", "D15"), async () => {
  const stage = openStage();
  const { seen, schedules } = daily();
  let tutti = await stage.open([], { schedules });
  await pass(stage, dayMs);
  expect(seen).toEqual(["11-15T08"]);
  for (let restart = 0; restart < 3; restart++) {
    await tutti.close();
    tutti = await stage.open([], { schedules });
    await takeTurns(50);
  }
  await pass(stage, dayMs);
  expect(seen).toEqual(["11-15T08", "11-16T08"]);
  expect(await tutti.schedules.list()).toMatchObject([
    {
      name: "daily",
      fired: 2,
      lastRun: "daily:2023-11-16T08:00:00Z",
      nextAt: Date.UTC(2023, 10, 17, 8),
      isPaused: false,
    },
  ]);
  expect(await verifyLedger(stage.ledger)).toMatchObject({ kind: "intact" });
});

test(
  "a due time is passed over while the last run is open, after a restart too, if it says so",
  verifies("D9"),
  async () => {
    const stage = openStage();
    const seen: string[] = [];
    const slow = flow({
      name: "slow",
      input: z.null(),
      output: z.null(),
      run: async (run) => {
        seen.push(run.id.slice(4, 14));
        return run.wait<null>("enough");
      },
    });
    const schedules = [
      schedule({ name: "tea", cron: "0 9 * * *", timeZone: "UTC", flow: slow, input: null, overlap: "skip" }),
    ];
    const first = await stage.open([], { schedules });
    await pass(stage, 2 * dayMs);
    await first.close();
    const tutti = await stage.open([], { schedules });
    await pass(stage, dayMs);
    expect(bodiesOf(stage.entries, "schedule-skipped").map(({ why }) => why)).toEqual(
      Array.from({ length: 2 }, () => 'tea:2023-11-15T09:00:00Z is still open; overlap: "skip"'),
    );
    await (await tutti.open("tea:2023-11-15T09:00:00Z")).signal("enough", null);
    await pass(stage, dayMs);
    expect([...new Set(seen)]).toEqual(["2023-11-15", "2023-11-18"]);
  },
);

test("a schedule that waits costs one timer and no entry", verifies("D9"), async () => {
  const stage = openStage();
  const { schedules } = daily();
  await stage.open([], { schedules });
  await takeTurns(50);
  const entries = stage.entries.length;
  await pass(stage, 9 * hourMs);
  expect(stage.entries).toHaveLength(entries);
  expect(stage.clock.due).toHaveLength(1);
});

test.for([
  ["skip", []],
  ["once", ["11-18T08"]],
  ["all", ["11-15T08", "11-16T08", "11-17T08", "11-18T08"]],
] as const)("what was missed while no engine ran, with missed: %s", verifies("D9"), async ([missed, expected]) => {
  const stage = openStage();
  const { seen, schedules } = daily({ missed });
  const tutti = await stage.open([], { schedules });
  await takeTurns(50);
  await tutti.close();
  await stage.clock.advance(4 * dayMs);
  await stage.open([], { schedules });
  await takeTurns(100);
  expect(seen).toEqual(expected);
  await pass(stage, dayMs);
  expect(seen).toEqual([...expected, "11-19T08"]);
});

test("a due time that is found some seconds late was not missed", verifies("D9"), async () => {
  const stage = openStage();
  const { seen, schedules } = daily({ missed: "skip" });
  const tutti = await stage.open([], { schedules });
  await pass(stage, 9 * hourMs);
  await tutti.close();
  await stage.clock.advance(Date.UTC(2023, 10, 15, 8, 0, 30) - stage.clock.now());
  await stage.open([], { schedules });
  await takeTurns(100);
  expect(seen).toEqual(["11-15T08"]);
});

test("a crash at every write: each due time has one run", verifies("D9", "D1", "D15"), async () => {
  let crashes = 0;
  for (const isStored of [false, true]) {
    for (let atWrite = 1; atWrite < 14; atWrite++) {
      const stage = openStage();
      const { schedules } = daily({ missed: "all" });
      const ledger = openDyingLedger(stage.ledger, { atWrite, isStored });
      void stage.open([], { schedules, ledger });
      await pass(stage, 2 * dayMs);
      if (ledger.isDead) crashes += 1;
      ledger.kill();
      await stage.open([], { schedules });
      await pass(stage, dayMs);
      const due = bodiesOf(stage.entries, "schedule-fired").map(({ dueAt }) => dueAt);
      const [set] = bodiesOf(stage.entries, "schedule-set");
      expect(new Set(due).size).toBe(due.length);
      expect(due).toHaveLength((set?.at ?? 0) < Date.UTC(2023, 10, 15, 8) ? 3 : 1);
      const runs = await stage.ledger.listRuns({ flow: "report" });
      expect(runs.map(({ status }) => status)).toEqual(due.map(() => "done"));
    }
  }
  expect(crashes).toBeGreaterThan(10);
});

test("a clock that is set back starts nothing twice; one that is set forward is noticed", verifies("D9"), async () => {
  const real = openManualClock();
  let shiftMs = 0;
  const clock = {
    now: () => real.now() + shiftMs,
    after: (delayMs: number, wake: () => void) => real.after(delayMs, wake),
  };
  const { seen, schedules } = daily();
  await openTutti({ flows: [], schedules, clock, ledger: openMemoryLedger({ clock }) });
  await real.advance(10 * hourMs);
  await takeTurns(50);
  expect(seen).toEqual(["11-15T08"]);
  shiftMs = -2 * hourMs;
  await real.advance(4 * hourMs);
  await takeTurns(50);
  expect(seen).toEqual(["11-15T08"]);
  shiftMs = dayMs;
  await real.advance(hourMs);
  await takeTurns(50);
  expect(seen).toEqual(["11-15T08", "11-16T08"]);
});

test(
  "a paused schedule starts nothing, also after a restart, and goes on from where it is resumed",
  verifies("D9"),
  async () => {
    const stage = openStage();
    const { seen, schedules } = daily({ missed: "all" });
    let tutti = await stage.open([], { schedules });
    await tutti.schedules.pause("daily", "anna");
    await pass(stage, dayMs);
    await tutti.close();
    tutti = await stage.open([], { schedules });
    await pass(stage, dayMs);
    expect(seen).toEqual([]);
    expect(await tutti.schedules.list()).toMatchObject([{ isPaused: true, nextAt: undefined }]);
    await tutti.schedules.resume("daily");
    await pass(stage, dayMs);
    expect(seen).toEqual(["11-17T08"]);
    expect(await errorOf(tutti.schedules.pause("other"))).toMatchObject({ code: "EVENT_UNKNOWN" });
  },
);

test(
  "an input that throws or does not fit parks that due time, visibly, and the next one is tried",
  verifies("D9"),
  async () => {
    const stage = openStage();
    let days = 0;
    const { seen, schedules } = daily({
      input({ dueAt }) {
        days += 1;
        if (days === 1) throw new Error("no input");
        return days === 2 ? Number.NaN : dueAt;
      },
    });
    const tutti = await stage.open([], { schedules });
    await pass(stage, 3 * dayMs);
    expect(seen).toEqual(["11-17T08"]);
    const [status] = await tutti.schedules.list();
    expect(status?.parked.map(({ error }) => error.code)).toEqual(["EVENT_UNUSABLE", "INPUT_INVALID"]);
  },
);

test("another expression counts from now on", verifies("D9"), async () => {
  const stage = openStage();
  const first = daily({ missed: "all" });
  const tutti = await stage.open([], { schedules: first.schedules });
  await pass(stage, dayMs);
  await tutti.close();
  await stage.clock.advance(5 * hourMs);
  const second = daily({ missed: "all", cron: "0 * * * *" });
  await stage.open([], { schedules: second.schedules });
  await pass(stage, hourMs);
  expect([first.seen, second.seen]).toEqual([["11-15T08"], ["11-16T04"]]);
});

test("what is no schedule, or is never due, is refused when the engine is opened", async () => {
  const stage = openStage();
  for (const cron of ["nonsense", "0 0 30 2 *"])
    expect(await errorOf(stage.open([], { schedules: daily({ cron }).schedules }))).toMatchObject({
      code: "DEFINITION_INVALID",
    });
  const { schedules } = daily();
  expect(await errorOf(stage.open([], { schedules: [...schedules, ...schedules] }))).toMatchObject({
    code: "DEFINITION_INVALID",
  });
  expect(() => daily({ name: "9" })).toThrow(expect.objectContaining({ code: "DEFINITION_INVALID" }));
});
