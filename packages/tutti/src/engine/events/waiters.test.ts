import { expect, test } from "vitest";
import { z } from "zod";

import { bodiesOf, openStage, until } from "../../../../../test/engine/engine-fixture.ts";
import { orders } from "../../../../../test/engine/event-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { flow } from "../../flow/flow.ts";
import { takeTurns } from "../../testing/manual-clock.ts";

const follow = flow({
  name: "follow",
  input: z.object({ key: z.string(), count: z.number() }),
  output: z.array(z.number()),
  async run(run, { key, count }) {
    const amounts: number[] = [];
    await run.wait("go");
    for (let at = 0; at < count; at++) amounts.push((await run.wait(orders, { key })).amount);
    return amounts;
  },
});

const listen = flow({
  name: "listen",
  input: z.null(),
  output: z.array(z.union([z.string(), z.null()])),
  async run(run) {
    const first = await run.wait(orders, { timeoutMs: 1_000 });
    const second = await run.wait(orders);
    return [first?.number ?? null, second.number];
  },
});

test(
  "a run waits for events by key: each once, in order, also those since its start, and none from before",
  verifies("C9"),
  async () => {
    const stage = openStage();
    const tutti = await stage.open([follow]);
    await tutti.publish(orders, { number: "a", amount: 1 });
    await stage.clock.advance(10);
    const handle = await tutti.start(follow, { key: "a", count: 3 });
    for (const [number, amount] of [
      ["a", 2],
      ["b", 3],
      ["a", 4],
    ] as const)
      await tutti.publish(orders, { number, amount });
    await handle.signal("go", null);
    await until(() => bodiesOf(stage.entries, "event-handed").length === 2);
    await tutti.publish(orders, { number: "a", amount: 5 });
    expect(await handle.result()).toEqual([2, 4, 5]);
    // What comes now goes to nobody.
    await tutti.publish(orders, { number: "a", amount: 6 });
    await takeTurns(100);
    expect(bodiesOf(stage.entries, "event-handed")).toHaveLength(3);
  },
);

test(
  "a wait outlives the process, and two runs that wait for one event both get it",
  verifies("C9", "D9"),
  async () => {
    const stage = openStage();
    let tutti = await stage.open([follow]);
    const ids = ["one", "two"];
    for (const id of ids) await (await tutti.start(follow, { key: "a", count: 1 }, { id })).signal("go", null);
    await until(() => bodiesOf(stage.entries, "event-awaited").length === 2);
    await tutti.close();
    tutti = await stage.open([follow]);
    await tutti.publish(orders, { number: "a", amount: 9 });
    for (const id of ids) expect(await (await tutti.open(id)).result()).toEqual([9]);
  },
);

test("a wait that ran out of time takes no event away from the next one", verifies("C9"), async () => {
  const stage = openStage();
  const tutti = await stage.open([listen]);
  const handle = await tutti.start(listen, null);
  await until(() => bodiesOf(stage.entries, "timer-set").length === 1);
  await stage.clock.advance(1_000);
  await until(() => bodiesOf(stage.entries, "event-awaited").length === 2);
  await tutti.publish(orders, { number: "a", amount: 1 });
  expect(await handle.result()).toEqual([null, "a"]);
});
