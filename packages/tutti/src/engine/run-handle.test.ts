import { expect, test } from "vitest";

import {
  errorOf,
  linesOf,
  makeGate,
  makeLedgerFile,
  openStage,
  plainFlow,
  until,
} from "../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { TuttiError } from "../base/errors.ts";
import { toRunId } from "../contracts/ids.ts";
import type { RunStatus } from "../contracts/run-record.ts";
import type { Flow, Run } from "../contracts/run.ts";
import { openManualClock } from "../testing/manual-clock.ts";
import { openTutti } from "./open-tutti.ts";
import type { RunHandle, RunState, Tutti } from "./tutti.ts";

type Stage = ReturnType<typeof openStage>;

interface Situation {
  readonly work: (run: Run) => Promise<unknown>;
  /** What somebody does to it from outside. */
  readonly steer?: (run: RunHandle) => Promise<void>;
  readonly state: RunState | ((stage: Stage) => RunState);
  readonly status: RunStatus;
}

const office = openPostOffice();
const doubtful = toMailTool(office, {
  run: () => {
    throw new Error("no answer");
  },
});

const situations: Readonly<Record<string, Situation>> = {
  "waits for a signal": {
    work: (run) => run.wait("go"),
    state: { kind: "waiting", untilMs: undefined, signals: ["go"] },
    status: "waiting",
  },
  "waits for two signals and a time": {
    work: (run) => Promise.all([run.wait("go"), run.wait("stop", { timeoutMs: 5_000 }), run.sleep(9_000)]),
    state: ({ clock }) => ({ kind: "waiting", untilMs: clock.now() + 5_000, signals: ["go", "stop"] }),
    status: "waiting",
  },
  "was paused": {
    work: (run) => run.wait("go"),
    steer: (run) => run.pause(),
    state: { kind: "paused" },
    status: "paused",
  },
  "is in doubt": {
    work: (run) => run.call(doubtful, { to: "anna" }),
    state: { kind: "in-doubt", effects: [expect.objectContaining({ key: "mail.send:anna", run: "r" })] },
    status: "in-doubt",
  },
  "is parked": {
    work: async (run) => {
      await new Promise((resolve) => {
        setImmediate(() => setImmediate(resolve));
      });
      return run.step("late", () => 1);
    },
    state: { kind: "parked", error: expect.objectContaining({ code: "FLOW_NONDURABLE_AWAIT" }) },
    status: "parked",
  },
  "is done": { work: async () => ({ answer: 42 }), state: { kind: "done", output: { answer: 42 } }, status: "done" },
  "has failed": {
    work: async () => {
      throw new TuttiError("TOOL_FAILED", "no");
    },
    state: { kind: "failed", error: expect.objectContaining({ code: "TOOL_FAILED", message: "no" }) },
    status: "failed",
  },
  "was cancelled": {
    work: (run) => run.wait("go"),
    steer: (run) => run.cancel("not needed"),
    state: { kind: "cancelled", reason: "not needed" },
    status: "cancelled",
  },
};

interface Arranged {
  readonly stage: Stage;
  readonly tutti: Tutti;
  readonly flow: Flow;
  readonly run: RunHandle;
  readonly expected: RunState;
  readonly status: RunStatus;
}

async function arrange(name: string): Promise<Arranged> {
  const situation = situations[name];
  if (situation === undefined) throw new Error(`no situation ${name}`);
  const stage = openStage();
  const flow = plainFlow("work", situation.work);
  const tutti = await stage.open([flow]);
  const expected = typeof situation.state === "function" ? situation.state(stage) : situation.state;
  const run = await tutti.start(flow, null, { id: "r" });
  await run.settled();
  await situation.steer?.(run);
  return { stage, tutti, flow, run, expected, status: situation.status };
}

test.for(Object.keys(situations))(
  "a run that %s says so, to who waits for its rest and to who just asks",
  verifies("D10"),
  async (name) => {
    const { tutti, run, expected } = await arrange(name);
    expect(await run.settled()).toEqual(expected);
    expect(await run.state()).toEqual(expected);
    expect(await (await tutti.open("r")).state()).toEqual(expected);
  },
);

test.for(Object.keys(situations))(
  "a run that %s says the same when it was let go, and its record has that status",
  verifies("D10"),
  async (name) => {
    const { stage, tutti, run, expected, status } = await arrange(name);
    await stage.clock.advance(1_000);
    expect(await run.state()).toEqual(expected);
    expect(await tutti.runs()).toMatchObject([{ id: "r", status }]);
  },
);

test.for(Object.keys(situations))("a run that %s says so in the next engine too", verifies("D10"), async (name) => {
  const { stage, flow, expected } = await arrange(name);
  await stage.clock.advance(1_000);
  const next = await stage.open([flow]);
  expect(await (await next.open("r")).settled()).toEqual(expected);
});

test("a run in the middle of a step is running, and its entries can be read meanwhile", verifies("D10"), async () => {
  const stage = openStage();
  const gate = makeGate();
  const flow = plainFlow("busy", async (run) => {
    await run.step("first", () => 1);
    return run.step("second", () => gate.opened.then(() => "through"));
  });
  const tutti = await stage.open([flow]);
  const run = await tutti.start(flow, null, { id: "r" });
  await until(() => stage.entries.length === 2);
  expect(await run.state()).toEqual({ kind: "running" });
  expect(linesOf(await run.entries())).toEqual(["run-started", "step-done /first"]);
  expect(await tutti.runs()).toMatchObject([{ id: "r", status: "running", startedAt: stage.clock.now() }]);
  const settled = run.settled();
  gate.open();
  expect(await settled).toEqual({ kind: "done", output: "through" });
  expect(linesOf(await run.entries())).toEqual(["run-started", "step-done /first", "step-done /second", "run-done"]);
});

test(
  "any handle has the result: one opened before the end, one after, one in the next life",
  verifies("D10"),
  async () => {
    const ledger = await makeLedgerFile();
    const clock = openManualClock();
    const flow = plainFlow("waiting", (run) => run.wait("go"));
    const first = await openTutti({ flows: [flow], ledger, clock });
    await first.start(flow, null, { id: "r" });
    const early = (await first.open("r")).result();
    await (await first.open("r")).signal("go", { went: true });
    expect(await early).toEqual({ went: true });
    expect(await (await first.open("r")).result()).toEqual({ went: true });
    await first.close();
    const second = await openTutti({ flows: [flow], ledger, clock });
    expect(await (await second.open("r")).result()).toEqual({ went: true });
    expect((await second.runs())[0]).toMatchObject({ status: "done", endedAt: clock.now() });
    await second.close();
  },
);

test("the result of a run that did not end well is its error, for every handle", verifies("D10", "K4"), async () => {
  for (const [name, code] of [
    ["has failed", "TOOL_FAILED"],
    ["was cancelled", "RUN_CANCELLED"],
    ["is parked", "FLOW_NONDURABLE_AWAIT"],
  ] as const) {
    const { stage, tutti, flow, run } = await arrange(name);
    expect((await errorOf(run.result())).code).toBe(code);
    expect((await errorOf((await tutti.open("r")).result())).code).toBe(code);
    const next = await stage.open([flow]);
    expect((await errorOf((await next.open("r")).result())).code).toBe(code);
  }
});

test("a run that is not there can't be opened", verifies("D10", "K4"), async () => {
  const tutti = await openStage().open([plainFlow("any", async () => 1)]);
  expect(await errorOf(tutti.open("nobody"))).toMatchObject({ code: "RUN_UNKNOWN", facts: { run: "nobody" } });
});

async function openFive(): Promise<{ readonly tutti: Tutti; readonly stage: Stage }> {
  const stage = openStage();
  const waits = plainFlow("waits", (run) => run.wait("go"));
  const sleeps = plainFlow("sleeps", (run) => run.sleep(10_000));
  const ends = plainFlow("ends", async () => 1);
  const parent = plainFlow("parent", async (run) => (await run.child(waits, null)).result());
  const tutti = await stage.open([waits, sleeps, ends, parent], { evictAfterMs: 10 });
  for (const [flow, id] of [
    [waits, "a"],
    [sleeps, "b"],
    [ends, "c"],
    [parent, "d"],
  ] as const)
    await (await tutti.start(flow, null, { id })).settled();
  await stage.clock.advance(1_000);
  return { tutti, stage };
}

test("runs are found by status, flow, parent and due time, newest first", verifies("D10"), async () => {
  const { tutti, stage } = await openFive();
  const idsOf = async (filter: Parameters<Tutti["runs"]>[0]): Promise<readonly string[]> =>
    (await tutti.runs(filter)).map((record) => record.id);
  expect(await idsOf({})).toEqual(["d.waits", "d", "c", "b", "a"]);
  expect(await idsOf({ statuses: ["done"] })).toEqual(["c"]);
  expect(await idsOf({ statuses: ["waiting", "done"] })).toEqual(["d.waits", "d", "c", "b", "a"]);
  expect(await idsOf({ flow: "waits" })).toEqual(["d.waits", "a"]);
  expect(await idsOf({ flow: "waits", statuses: ["done"] })).toEqual([]);
  expect(await idsOf({ parent: toRunId("d") })).toEqual(["d.waits"]);
  expect(await idsOf({ dueBy: stage.clock.now() })).toEqual([]);
  expect(await idsOf({ dueBy: stage.clock.now() + 10_000 })).toEqual(["b"]);
  expect(await idsOf({ limit: 2 })).toEqual(["d.waits", "d"]);
});

test(
  "a child in a run says whose it is, and the run's input is in its first entry",
  verifies("D10", "D17"),
  async () => {
    const { tutti } = await openFive();
    expect((await tutti.runs({ flow: "waits" })).map(({ id, parent }) => ({ id, parent }))).toEqual([
      { id: "d.waits", parent: "d" },
      { id: "a", parent: undefined },
    ]);
    const [started] = await (await tutti.open("a")).entries();
    expect(JSON.parse(started?.body ?? "")).toMatchObject({ flow: "waits", version: "1", input: null });
  },
);
