import { expect, test } from "vitest";

import { bodiesOf, errorOf, makeLedgerFile, openStage, plainFlow } from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import type { Flow } from "../contracts/run.ts";
import { openManualClock } from "../testing/manual-clock.ts";
import { openTutti } from "./open-tutti.ts";

const hourMs = 60 * 60 * 1_000;

function counting(name = "counting"): { readonly flow: Flow; readonly executed: () => number } {
  let executed = 0;
  const flow = plainFlow(name, (run) => run.step("work", () => ++executed));
  return { flow, executed: () => executed };
}

test("starts with one key are one run, whether it goes on or has ended", verifies("D15"), async () => {
  const stage = openStage();
  const { flow, executed } = counting();
  const tutti = await stage.open([flow]);
  const runs = await Promise.all([1, 2, 3].map((input) => tutti.start(flow, input, { key: "order-7" })));
  expect(await Promise.all(runs.map((run) => run.result()))).toEqual([1, 1, 1]);
  const later = await tutti.start(flow, 4, { key: "order-7" });
  expect(new Set([...runs, later].map((run) => run.id)).size).toBe(1);
  expect(executed()).toBe(1);
  expect(await tutti.runs()).toHaveLength(1);
  expect(bodiesOf(stage.entries, "run-started")).toMatchObject([{ startKey: "order-7", input: 1 }]);
});

test("a key counts for its flow; another key and no key are other runs", verifies("D15"), async () => {
  const stage = openStage();
  const one = counting("one");
  const two = counting("two");
  const tutti = await stage.open([one.flow, two.flow]);
  await tutti.run(one.flow, null, { key: "k" });
  await tutti.run(two.flow, null, { key: "k" });
  await tutti.run(one.flow, null, { key: "another" });
  await tutti.run(one.flow, null);
  await tutti.run(one.flow, null);
  expect([one.executed(), two.executed()]).toEqual([4, 1]);
});

test("a key with a window counts from the first start, for as long as the window says", verifies("D15"), async () => {
  const stage = openStage();
  const { flow, executed } = counting();
  const tutti = await stage.open([flow]);
  const start = async (): Promise<string> => {
    const run = await tutti.start(flow, null, { key: "k", windowMs: hourMs });
    await run.result();
    return run.id;
  };
  const first = await start();
  await stage.clock.advance(hourMs / 2);
  expect(await start()).toBe(first);
  await stage.clock.advance(hourMs / 2 - 1);
  expect(await start()).toBe(first); // the second start did not make the window longer
  await stage.clock.advance(2);
  const second = await start();
  expect(second).not.toBe(first);
  await stage.clock.advance(hourMs - 10);
  expect(await start()).toBe(second);
  expect(executed()).toBe(2);
});

test("starting one id again finds the first run", verifies("D15"), async () => {
  const stage = openStage();
  const { flow, executed } = counting();
  const tutti = await stage.open([flow]);
  const runs = await Promise.all([tutti.start(flow, 1, { id: "r" }), tutti.start(flow, 2, { id: "r" })]);
  expect(await Promise.all(runs.map((run) => run.result()))).toEqual([1, 1]);
  expect(await tutti.run(flow, 3, { id: "r" })).toBe(1);
  expect(executed()).toBe(1);
});

test("keys, windows and ids hold over a reopening of the file", verifies("D1", "D15"), async () => {
  const ledger = await makeLedgerFile();
  const clock = openManualClock();
  const { flow, executed } = counting();
  const startAll = async (): Promise<readonly string[]> => {
    const tutti = await openTutti({ flows: [flow], ledger, clock });
    const runs = [
      await tutti.start(flow, null, { id: "r" }),
      await tutti.start(flow, null, { key: "for ever" }),
      await tutti.start(flow, null, { key: "an hour", windowMs: hourMs }),
    ];
    for (const run of runs) await run.result();
    await tutti.close();
    return runs.map((run) => run.id);
  };
  const first = await startAll();
  await clock.advance(hourMs - 1);
  expect(await startAll()).toEqual(first);
  await clock.advance(2);
  const third = await startAll();
  expect(third.slice(0, 2)).toEqual(first.slice(0, 2));
  expect(third[2]).not.toBe(first[2]);
  expect(executed()).toBe(4);
});

test("a refused start takes no key and no id", verifies("D15", "K4"), async () => {
  const stage = openStage();
  const { flow } = counting();
  const tutti = await stage.open([flow]);
  const invalid = tutti.start(flow, () => 1, { id: "r", key: "k" });
  expect((await errorOf(invalid)).code).toBe("VALUE_NOT_STORABLE");
  expect(await tutti.runs()).toEqual([]);
  const run = await tutti.start(flow, 1, { id: "r", key: "k" });
  expect(run.id).toBe("r");
  expect(await run.result()).toBe(1);
});

/** Waits for two signals, the first of them inside a scope that is closed before the second comes. */
const twoSignals = plainFlow("waiting", async (run) => [
  await run.scope("first", (scope) => scope.wait("go")),
  await run.wait("go"),
]);

test("the same signal id twice acts once, in one life", verifies("D15"), async () => {
  const stage = openStage();
  const tutti = await stage.open([twoSignals]);
  const run = await tutti.start(twoSignals, null);
  await Promise.all([run.signal("go", 1, { id: "s1" }), run.signal("go", "again", { id: "s1" })]);
  await stage.clock.advance(1_000); // the run is let go meanwhile
  await run.signal("go", "once more", { id: "s1" });
  expect((await run.settled()).kind).toBe("waiting");
  await run.signal("go", 2, { id: "s2" });
  expect(await run.result()).toEqual([1, 2]);
  expect(bodiesOf(stage.entries, "signal-received").map(({ id }) => id)).toEqual(["s1", "s2"]);
});

test(
  "the same signal id twice acts once across a reopening, also inside a scope that has closed",
  verifies("D1", "D15"),
  async () => {
    const ledger = await makeLedgerFile();
    const clock = openManualClock();
    const first = await openTutti({ flows: [twoSignals], ledger, clock });
    const run = await first.start(twoSignals, null, { id: "r" });
    await run.signal("go", 1, { id: "s1" });
    await run.settled();
    await first.close();
    const second = await openTutti({ flows: [twoSignals], ledger, clock });
    const again = await second.open("r");
    await again.signal("go", "again", { id: "s1" });
    expect((await again.settled()).kind).toBe("waiting");
    await again.signal("go", 2, { id: "s2" });
    expect(await again.result()).toEqual([1, 2]);
    expect(bodiesOf(await again.entries(), "signal-received")).toHaveLength(2);
    await second.close();
  },
);

test("signals without an id are each their own", verifies("D15"), async () => {
  const stage = openStage();
  const tutti = await stage.open([twoSignals]);
  const run = await tutti.start(twoSignals, null);
  await run.signal("go", "same");
  await run.signal("go", "same");
  expect(await run.result()).toEqual(["same", "same"]);
});
