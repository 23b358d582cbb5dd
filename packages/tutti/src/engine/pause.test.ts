import { expect, test } from "vitest";

import {
  bodiesOf,
  errorOf,
  linesOf,
  makeGate,
  openStage,
  plainFlow,
  until,
} from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { TuttiError } from "../base/errors.ts";
import { takeTurns } from "../testing/manual-clock.ts";

interface Busy {
  readonly stage: ReturnType<typeof openStage>;
  readonly executed: readonly string[];
  readonly gate: ReturnType<typeof makeGate>;
  readonly flow: ReturnType<typeof plainFlow>;
}

/** Three steps, of which the first one and its parallel one wait at a gate. */
function busy(): Busy {
  const stage = openStage();
  const gate = makeGate();
  const executed: string[] = [];
  const flow = plainFlow("busy", async (run) => {
    const work = (name: string): Promise<string> =>
      run.step(name, async () => {
        executed.push(name);
        if (name !== "after") await gate.opened;
        return name;
      });
    const both = await Promise.all([work("one"), work("two")]);
    return [...both, await work("after")];
  });
  return { stage, gate, executed, flow };
}

test(
  "a pause lets what is going on be recorded and starts nothing new; a resume goes on there",
  verifies("D11"),
  async () => {
    const { stage, gate, executed, flow } = busy();
    const tutti = await stage.open([flow]);
    const run = await tutti.start(flow, null, { id: "r" });
    await until(() => executed.length === 2);
    const paused = run.pause("anna");
    await takeTurns(20);
    gate.open();
    await paused;
    expect(await run.settled()).toEqual({ kind: "paused" });
    await stage.clock.advance(100_000);
    expect(executed).toEqual(["one", "two"]);
    expect(linesOf(stage.entries)).toEqual(["run-started", "run-paused", "step-done /one", "step-done /two"]);
    await run.resume("bert");
    expect(await run.result()).toEqual(["one", "two", "after"]);
    expect(executed).toEqual(["one", "two", "after"]);
    expect(bodiesOf(stage.entries, "run-paused")).toEqual([{ by: "anna" }]);
    expect(bodiesOf(stage.entries, "run-resumed")).toEqual([{ by: "bert" }]);
  },
);

test("a paused run stays paused in the next engine until somebody resumes it", verifies("D1", "D11"), async () => {
  const { stage, gate, executed, flow } = busy();
  const first = await stage.open([flow]);
  const run = await first.start(flow, null, { id: "r" });
  await until(() => executed.length === 2);
  const paused = run.pause();
  gate.open();
  await paused;
  const second = await stage.open([flow]);
  await stage.clock.advance(100_000);
  const again = await second.open("r");
  expect(await again.state()).toEqual({ kind: "paused" });
  expect(executed).toEqual(["one", "two"]);
  await again.resume();
  expect(await again.result()).toEqual(["one", "two", "after"]);
});

test.for(["in memory", "let go"])(
  "a sleep that falls due in a pause, while the run was %s, ends with the resume and not before",
  verifies("D9", "D11"),
  async (where) => {
    const stage = openStage();
    const flow = plainFlow("sleeper", (run) => run.sleep(10_000).then(() => "awake"));
    const tutti = await stage.open([flow]);
    const run = await tutti.start(flow, null, { id: "r" });
    await run.settled();
    if (where === "let go") await stage.clock.advance(1_000);
    await run.pause();
    await stage.clock.advance(50_000);
    expect(await run.state()).toEqual({ kind: "paused" });
    expect(bodiesOf(stage.entries, "timer-fired")).toEqual([]);
    await run.resume();
    const result = run.result();
    await stage.clock.advance(0);
    expect(await result).toBe("awake");
  },
);

test("a resumed run still sleeps for the rest of its time", verifies("D9", "D11"), async () => {
  const stage = openStage();
  const start = stage.clock.now();
  const flow = plainFlow("sleeper", (run) => run.sleep(10_000).then(() => run.now()));
  const tutti = await stage.open([flow]);
  const run = await tutti.start(flow, null);
  await run.settled();
  await run.pause();
  await stage.clock.advance(4_000);
  await run.resume();
  expect(await run.settled()).toMatchObject({ kind: "waiting", untilMs: start + 10_000 });
  const result = run.result();
  await stage.clock.advance(6_000);
  expect(await result).toBe(start + 10_000);
});

test("a signal to a paused run is kept for the resume", verifies("D9", "D11"), async () => {
  const stage = openStage();
  const flow = plainFlow("waiting", (run) => run.wait("go"));
  const tutti = await stage.open([flow]);
  const run = await tutti.start(flow, null);
  await run.settled();
  await run.pause();
  await run.signal("go", "kept", { id: "s" });
  await run.signal("go", "the same", { id: "s" });
  await stage.clock.advance(1_000);
  expect(await run.state()).toEqual({ kind: "paused" });
  await run.resume();
  expect(await run.result()).toBe("kept");
  expect(bodiesOf(stage.entries, "signal-received")).toHaveLength(1);
});

test("an attempt that fails in a pause is not tried again before the resume", verifies("D5", "D11"), async () => {
  for (const delayMs of [0, 1_000]) {
    const stage = openStage();
    const gate = makeGate();
    const attempts: number[] = [];
    const flow = plainFlow("flaky", (run) =>
      run.step(
        "try",
        async ({ attempt }) => {
          attempts.push(attempt);
          await gate.opened;
          if (attempt === 1) throw new TuttiError("TOOL_UNAVAILABLE", "later");
          return attempt;
        },
        { retry: { attemptsMax: 3, delayMs } },
      ),
    );
    const tutti = await stage.open([flow]);
    const run = await tutti.start(flow, null);
    await until(() => attempts.length === 1);
    const paused = run.pause();
    await takeTurns(20);
    gate.open();
    await paused;
    await stage.clock.advance(100_000);
    expect({ delayMs, attempts }).toEqual({ delayMs, attempts: [1] });
    await run.resume();
    const result = run.result();
    await stage.clock.advance(10_000);
    expect(await result).toBe(2);
  }
});

test(
  "a child goes on while its parent is paused, and the parent hears of its end after the resume",
  verifies("D11", "D17"),
  async () => {
    const stage = openStage();
    const child = plainFlow("child", (run) => run.wait("go"));
    const parent = plainFlow("parent", (run) => run.call(child, null));
    const tutti = await stage.open([child, parent]);
    const run = await tutti.start(parent, null, { id: "r" });
    await until(() => stage.entries.filter((entry) => entry.kind === "run-started").length === 2);
    await run.settled();
    await run.pause();
    const inner = await tutti.open("r.child");
    await inner.signal("go", "from the child");
    expect(await inner.result()).toBe("from the child");
    await takeTurns(50);
    expect(await run.state()).toEqual({ kind: "paused" });
    await run.resume();
    expect(await run.result()).toBe("from the child");
  },
);

test("pausing twice is once, resuming what runs changes nothing", verifies("D11"), async () => {
  const stage = openStage();
  const flow = plainFlow("waiting", (run) => run.wait("go"));
  const tutti = await stage.open([flow]);
  const run = await tutti.start(flow, null);
  await run.settled();
  await run.resume();
  await run.pause();
  await run.pause();
  await run.resume();
  await run.resume();
  await run.signal("go", 1);
  expect(await run.result()).toBe(1);
  expect(linesOf(stage.entries)).toEqual(["run-started", "run-paused", "run-resumed", "signal-received", "run-done"]);
});

test("who waits for the result of a paused run gets it after the resume", verifies("D10", "D11"), async () => {
  const stage = openStage();
  const flow = plainFlow("waiting", (run) => run.wait("go"));
  const tutti = await stage.open([flow]);
  const run = await tutti.start(flow, null);
  const early = run.result();
  await run.settled();
  await run.pause();
  const late = run.result();
  await takeTurns(20);
  await run.resume();
  await run.signal("go", "through");
  expect(await Promise.all([early, late])).toEqual(["through", "through"]);
});

test(
  "a parked run is tried again by a resume, and goes on when its reason is put right",
  verifies("D11", "D13"),
  async () => {
    const stage = openStage();
    let isRight = false;
    let executed = 0;
    const flow = plainFlow("mended", async (run) => {
      const first = await run.step("first", () => ++executed);
      if (!isRight) await takeTurns(100);
      return [first, await run.step("second", () => ++executed)];
    });
    const tutti = await stage.open([flow]);
    const run = await tutti.start(flow, null);
    expect((await run.settled()).kind).toBe("parked");
    await run.resume();
    expect(await errorOf(run.result())).toMatchObject({ code: "FLOW_NONDURABLE_AWAIT" });
    isRight = true;
    await run.resume();
    expect(await run.result()).toEqual([1, 2]);
    expect(bodiesOf(stage.entries, "run-parked")).toHaveLength(2);
  },
);

test(
  "a cancel that comes while a pause takes hold ends the run, and nobody has to resume it",
  verifies("D11"),
  async () => {
    const { stage, gate, executed, flow } = busy();
    const tutti = await stage.open([flow]);
    const run = await tutti.start(flow, null, { id: "r" });
    await until(() => executed.length === 2);
    const ended = errorOf(run.result());
    const paused = run.pause();
    await until(() => bodiesOf(stage.entries, "run-paused").length === 1);
    await run.cancel("enough");
    gate.open();
    await paused;
    expect(await ended).toMatchObject({ code: "RUN_CANCELLED" });
    expect(await run.state()).toEqual({ kind: "cancelled", reason: "enough" });
  },
);

test("two pauses at once both end, and a resume before that does nothing a second time", verifies("D11"), async () => {
  const { stage, gate, executed, flow } = busy();
  const tutti = await stage.open([flow]);
  const run = await tutti.start(flow, null, { id: "r" });
  await until(() => executed.length === 2);
  const pauses = [run.pause(), run.pause()];
  await until(() => bodiesOf(stage.entries, "run-paused").length === 2);
  const resumed = run.resume();
  await takeTurns(20);
  expect(executed).toEqual(["one", "two"]);
  gate.open();
  await Promise.all([...pauses, resumed]);
  expect(await run.result()).toEqual(["one", "two", "after"]);
  expect(executed).toEqual(["one", "two", "after"]);
});
