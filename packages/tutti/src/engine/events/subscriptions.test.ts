import { expect, test } from "vitest";
import { z } from "zod";

import { bodiesOf, errorOf, openStage, until } from "../../../../../test/engine/engine-fixture.ts";
import { openOrders, Order, orders, settle } from "../../../../../test/engine/event-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { flow } from "../../flow/flow.ts";
import { topic } from "../../flow/topic.ts";
import { verifyLedger } from "../../ledger/verify.ts";
import { takeTurns } from "../../testing/manual-clock.ts";
import { subscription } from "./subscription.ts";

test("an event starts a run of every flow that subscribes, whoever publishes it", verifies("C9"), async () => {
  const stage = openStage();
  const [pack, bill] = [openOrders("pack"), openOrders("bill")];
  const sell = flow({
    name: "sell",
    input: z.string(),
    output: z.null(),
    async run(run, number) {
      await run.publish(orders, { number, amount: 1 });
      return null;
    },
  });
  const tutti = await stage.open([sell], { on: [pack.subscription, bill.subscription] });
  await tutti.publish(orders, { number: "a", amount: 2 });
  await tutti.run(sell, "b");
  await settle(stage, tutti);
  expect([pack.seen, bill.seen]).toEqual([
    ["a", "b"],
    ["a", "b"],
  ]);
  const events = await tutti.events.read(orders);
  expect(events.map(({ payload, key, from }) => [payload.number, key, from?.step])).toEqual([
    ["a", "a", undefined],
    ["b", "b", "/publish-orders"],
  ]);
  expect(await verifyLedger(stage.ledger)).toMatchObject({ kind: "intact" });
});

test("the same id twice is one event, in this process and in the next", verifies("C9", "D15"), async () => {
  const stage = openStage();
  const pack = openOrders("pack");
  for (let session = 0; session < 2; session++) {
    const tutti = await stage.open([], { on: [pack.subscription] });
    const twice = [1, 2].map(() => tutti.publish(orders, { number: "a", amount: 1 }, { id: "delivery-1" }));
    const kinds = (await Promise.all(twice)).map(({ kind }) => kind);
    expect(kinds).toEqual(session === 0 ? ["published", "repeated"] : ["repeated", "repeated"]);
    await settle(stage, tutti);
    await tutti.close();
  }
  expect(pack.seen).toEqual(["a"]);
  expect(bodiesOf(stage.entries, "event-published")).toHaveLength(1);
});

test("a filter passes events over; where it was is written down after many", verifies("C9"), async () => {
  const stage = openStage();
  const pack = openOrders("pack", { filter: ({ amount }) => amount > 5 });
  const tutti = await stage.open([], { on: [pack.subscription] });
  await Promise.all(Array.from({ length: 1_200 }, (_, at) => tutti.publish(orders, { number: `n${at}`, amount: 1 })));
  await tutti.publish(orders, { number: "big", amount: 10 });
  await settle(stage, tutti);
  expect(pack.seen).toEqual(["big"]);
  expect(bodiesOf(stage.entries, "events-passed").length).toBeGreaterThanOrEqual(1);
  expect(await tutti.events.subscriptions()).toMatchObject([{ name: "pack", topic: "orders", tail: 1_202, acted: 1 }]);
});

test("events of one key are acted on one after the other; other keys do not wait", verifies("C9"), async () => {
  const stage = openStage();
  const started: string[] = [];
  const slow = flow({
    name: "slow",
    input: Order,
    output: z.null(),
    async run(run, { number, amount }) {
      await run.step("start", () => void started.push(`${number}${amount}`));
      await run.wait("go");
      return null;
    },
  });
  const on = [subscription({ name: "slow", topic: orders, flow: slow, input: (order) => order })];
  let tutti = await stage.open([], { on });
  for (const [number, amount] of [
    ["a", 1],
    ["a", 2],
    ["b", 1],
    ["a", 3],
  ] as const)
    await tutti.publish(orders, { number, amount });
  await until(() => started.length === 2);
  await takeTurns(50);
  expect(started.toSorted()).toEqual(["a1", "b1"]);
  // Also after a restart the key is held by the run that is open.
  await tutti.close();
  tutti = await stage.open([], { on });
  await takeTurns(100);
  expect(started).toHaveLength(2);
  for (const wanted of [2, 3]) {
    const open = await tutti.runs({ flow: "slow", statuses: ["running", "waiting"] });
    for (const { id } of open) await (await tutti.open(id)).signal("go", null);
    await until(() => started.includes(`a${wanted}`));
  }
  expect(started.filter((name) => name.startsWith("a"))).toEqual(["a1", "a2", "a3"]);
});

test("order: none starts all at once, but never more than openRunsMax at a time", verifies("C9"), async () => {
  const stage = openStage();
  const waits = flow({ name: "waits", input: Order, output: z.null(), run: async (run) => run.wait<null>("go") });
  const on = [
    subscription({ name: "all", topic: orders, flow: waits, input: (order) => order, order: "none", openRunsMax: 3 }),
  ];
  const tutti = await stage.open([], { on });
  for (let at = 0; at < 5; at++) await tutti.publish(orders, { number: "same", amount: at });
  await takeTurns(200);
  const open = await tutti.runs({ flow: "waits" });
  expect(open).toHaveLength(3);
  await (await tutti.open(open[0]?.id ?? "")).signal("go", null);
  await takeTurns(200);
  expect(await tutti.runs({ flow: "waits" })).toHaveLength(4);
});

test(
  "a filter, mapping or schema that refuses an event parks it alone, visibly, until a person lets it go",
  verifies("C9"),
  async () => {
    const stage = openStage();
    const seen: string[] = [];
    const strict = flow({
      name: "strict",
      input: z.object({ number: z.string().max(5) }),
      output: z.null(),
      run: async (run, { number }) => run.step("see", () => (seen.push(number), null)),
    });
    let isBroken = true;
    const on = [
      subscription({
        name: "strict",
        topic: orders,
        flow: strict,
        filter({ number }) {
          if (isBroken && number === "bad-f") throw new Error("no filter");
          return true;
        },
        input({ number }) {
          if (isBroken && number === "bad-m") throw new Error("no mapping");
          return { number: !isBroken && number === "too-long" ? "short" : number };
        },
      }),
    ];
    let tutti = await stage.open([], { on });
    for (const number of ["a", "bad-f", "bad-m", "too-long", "b"]) await tutti.publish(orders, { number, amount: 1 });
    await settle(stage, tutti);
    expect(seen).toEqual(["a", "b"]);
    const [status] = await tutti.events.subscriptions();
    expect(status?.parked.map(({ events, error }) => [events, error.code])).toEqual([
      [[3], "EVENT_UNUSABLE"],
      [[4], "EVENT_UNUSABLE"],
      [[5], "INPUT_INVALID"],
    ]);
    isBroken = false;
    await tutti.events.retry("strict", 3);
    await tutti.events.drop("strict", 4, "anna");
    await tutti.events.retry("strict", 5);
    await tutti.close(); // at once: what was released is durable
    tutti = await stage.open([], { on });
    await settle(stage, tutti);
    expect(seen.toSorted()).toEqual(["a", "b", "bad-f", "short"]);
    expect((await tutti.events.subscriptions())[0]?.parked).toEqual([]);
    expect(await errorOf(tutti.events.retry("strict", 3))).toMatchObject({ code: "EVENT_UNKNOWN" });
    expect(await errorOf(tutti.events.retry("other", 3))).toMatchObject({ code: "EVENT_UNKNOWN" });
  },
);

test("what does not fit a topic is refused and nothing of it is stored", verifies("C9"), async () => {
  const stage = openStage();
  const tutti = await stage.open([]);
  const refused = [
    tutti.publish(orders, { number: "a", amount: Number.NaN }),
    tutti.publish(orders, { number: "a", amount: 1 }, { id: "" }),
    tutti.publish(orders, { number: "x".repeat(501), amount: 1 }),
    tutti.publish(
      topic({
        name: "odd",
        payload: Order,
        key: () => {
          throw new Error("no key");
        },
      }),
      { number: "a", amount: 1 },
    ),
  ];
  const codes = await Promise.all(refused.map((one) => errorOf(one).then(({ code }) => code)));
  expect(codes).toEqual(["INPUT_INVALID", "INPUT_INVALID", "INPUT_INVALID", "EVENT_UNUSABLE"]);
  expect(bodiesOf(stage.entries, "event-published")).toEqual([]);
});

test(
  "a new subscription begins now, at the beginning, or after a position, and later goes on where it was",
  verifies("C9"),
  async () => {
    const stage = openStage();
    let tutti = await stage.open([]);
    for (const number of ["a", "b", "c"]) await tutti.publish(orders, { number, amount: 1 });
    const [, second] = await tutti.events.read(orders);
    await tutti.close();
    const late = [
      openOrders("now"),
      openOrders("beginning", { from: "beginning" }),
      openOrders("after", { from: second?.position ?? 0 }),
    ];
    for (let session = 0; session < 2; session++) {
      tutti = await stage.open([], { on: late.map((each) => each.subscription) });
      await tutti.publish(orders, { number: `d${session}`, amount: 1 });
      await settle(stage, tutti);
      await tutti.close();
    }
    expect(late.map((each) => each.seen.toSorted())).toEqual([
      ["d0", "d1"],
      ["a", "b", "c", "d0", "d1"],
      ["c", "d0", "d1"],
    ]);
  },
);

test("topics, subscriptions and schedules are no runs to be steered, and their ids can't be taken", async () => {
  const stage = openStage();
  const pack = openOrders("pack");
  const tutti = await stage.open([], { on: [pack.subscription] });
  await tutti.publish(orders, { number: "a", amount: 1 });
  await settle(stage, tutti);
  const handle = await tutti.open("topic:orders");
  const refused = [handle.cancel(), handle.pause(), handle.signal("go", null)];
  for (const one of refused) expect(await errorOf(one)).toMatchObject({ code: "INPUT_INVALID" });
  const taken = tutti.start(pack.flow, { number: "a", amount: 1 }, { id: "topic:mine" });
  expect(await errorOf(taken)).toMatchObject({ code: "INPUT_INVALID" });
});

test("two subscriptions of one name, a bad collect and another topic under an old name are refused", async () => {
  const stage = openStage();
  const pack = openOrders("pack");
  const open = (on: readonly ReturnType<typeof subscription>[]) => errorOf(stage.open([], { on }));
  expect(await open([pack.subscription, pack.subscription])).toMatchObject({ code: "DEFINITION_INVALID" });
  expect(() =>
    subscription({
      name: "x",
      topic: orders,
      flow: pack.flow,
      collect: { eventsMax: 3 },
      input: ([order]) => order ?? none,
    }),
  ).toThrow(expect.objectContaining({ code: "DEFINITION_INVALID" }));
  const tutti = await stage.open([], { on: [pack.subscription] });
  await tutti.close();
  const other = topic({ name: "other", payload: Order });
  const moved = subscription({ name: "pack", topic: other, flow: pack.flow, input: (order) => order });
  expect(await open([moved])).toMatchObject({ code: "DEFINITION_INVALID" });
});

const none = { number: "none", amount: 0 };
