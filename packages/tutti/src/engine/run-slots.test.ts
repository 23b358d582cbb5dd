import { expect, test } from "vitest";

import {
  bodiesOf,
  errorOf,
  linesOf,
  makeGate,
  makeLedgerFile,
  openStage,
  plainFlow,
  until,
} from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { toStepKey } from "../contracts/ids.ts";
import type { Priority } from "../contracts/run-record.ts";
import { takeTurns } from "../testing/manual-clock.ts";
import { openTutti } from "./open-tutti.ts";

/** Each run of it is at work in one step until its gate is opened. */
function openWork(name = "work") {
  const begun: string[] = [];
  const gates = new Map<string, ReturnType<typeof makeGate>>();
  let [atWork, atWorkMost] = [0, 0];
  const gateOf = (run: string): ReturnType<typeof makeGate> => {
    const gate = gates.get(run) ?? makeGate();
    gates.set(run, gate);
    return gate;
  };
  const flow = plainFlow(name, (run) =>
    run.step("work", async () => {
      begun.push(run.id);
      atWorkMost = Math.max(atWorkMost, ++atWork);
      await gateOf(run.id).opened;
      atWork -= 1;
      return run.id;
    }),
  );
  return { flow, begun, finish: (run: string) => gateOf(run).open(), most: () => atWorkMost };
}

/** Lets one after the other finish, as they begin, until so many have begun. */
async function finishAll({ begun, finish }: ReturnType<typeof openWork>, count: number): Promise<void> {
  for (let done = 0; done < count; done++) {
    await until(() => begun.length > done);
    finish(begun[done] ?? "");
  }
}

test(
  "a tenant that floods a flow with 200 runs holds up another's run for two services at most, also after a restart",
  verifies("C17"),
  async () => {
    const file = await makeLedgerFile();
    const work = openWork();
    const open = () =>
      openTutti({
        flows: [work.flow],
        ledger: file,
        control: false,
        durability: "process",
        limits: { "flow/work": { runs: 2 } },
      });
    const first = await open();
    for (let count = 0; count < 200; count++)
      await first.start(work.flow, {}, { id: `flood${count}`, tenant: "flood" });
    await until(() => work.begun.length === 2);
    await first.start(work.flow, {}, { id: "small1", tenant: "small" });
    expect(first.slots()).toEqual([
      {
        limit: "flow/work",
        of: "runs",
        slots: 2,
        inUse: 2,
        waiting: [
          { priority: "normal", tenant: "flood", count: 198 },
          { priority: "normal", tenant: "small", count: 1 },
        ],
      },
    ]);
    expect(first.waitsFor("flood150")).toEqual(["flow/work"]);
    await finishAll(work, 5);
    await until(() => work.begun.length === 7);
    expect(work.begun.slice(2, 5)).toContain("small1");
    const last = work.begun.slice(5); // at work when the engine goes, and again afterwards
    const closed = first.close();
    for (const run of last) work.finish(run);
    await closed;

    const second = await open();
    const late = await second.start(work.flow, {}, { id: "small2", tenant: "small" });
    expect(await late.state()).toEqual({ kind: "waiting", untilMs: undefined, signals: [], slot: "flow/work" });
    const before = work.begun.length;
    const handles = await Promise.all((await second.runs()).map(({ id }) => second.open(id)));
    const results = Promise.all(handles.map((handle) => handle.result()));
    await finishAll(work, work.begun.length + (await second.runs({ statuses: ["running"] })).length - 2);
    expect(await results).toHaveLength(202);
    expect(work.begun.indexOf("small2") - before).toBeLessThan(5);
    expect(work.most()).toBe(2);
    expect(second.slots()).toEqual([]);
    await second.close();
  },
);

test(
  "runs that wait begin by priority, which children and forks take over; one without any is normal",
  verifies("C17"),
  async () => {
    const stage = openStage();
    const work = openWork();
    const above = plainFlow("above", (run) => run.call(work.flow, {}));
    const tutti = await stage.open([work.flow, above], { limits: { "tenant/acme": { runs: 1 } } });
    const start = (id: string, priority?: Priority) =>
      tutti.start(work.flow, {}, { id, tenant: "acme", ...(priority === undefined ? {} : { priority }) });
    const handle = await start("now", "low");
    for (const [id, priority] of [
      ["low", "low"],
      ["none", undefined],
      ["normal", "normal"],
      ["high", "high"],
    ] as const)
      await start(id, priority);
    await finishAll(work, 5);
    expect(work.begun).toEqual(["now", "high", "none", "normal", "low"]);
    await handle.result();
    await handle.fork(toStepKey("/work"));
    const parent = await tutti.start(above, {}, { id: "parent", priority: "high" });
    work.finish("parent.work");
    await parent.result();
    expect(
      bodiesOf(stage.entries, "run-started")
        .slice(5)
        .map(({ priority }) => priority),
    ).toEqual(["low", "high", "high"]);
  },
);

test(
  "a run that waits for its child gives its slot up, so that no two hold each other up",
  verifies("C17"),
  async () => {
    const stage = openStage();
    const work = openWork();
    work.finish("parent.work");
    const parent = plainFlow("above", async (run) => [await run.call(work.flow, {}), await run.step("after", () => 1)]);
    const tutti = await stage.open([work.flow, parent], { limits: { "tenant/acme": { runs: 1 } } });
    const handle = await tutti.start(parent, {}, { id: "parent", tenant: "acme" });
    await stage.clock.advance(100);
    expect(await handle.result()).toEqual(["parent.work", 1]);
    expect(tutti.slots()).toEqual([]);
  },
);

test(
  "a run that waits for a slot can be signalled, paused, resumed and cancelled, and no slot is lost",
  verifies("C17", "D11"),
  async () => {
    const stage = openStage();
    const work = openWork();
    const asking = plainFlow("asking", (run) => run.wait("answer"));
    const tutti = await stage.open([work.flow, asking], { limits: { "tenant/acme": { runs: 1 } } });
    const acme = { tenant: "acme" };
    await tutti.start(work.flow, {}, { id: "first", ...acme });
    const asked = await tutti.start(asking, {}, { id: "asked", ...acme });
    const gone = await tutti.start(work.flow, {}, { id: "gone", ...acme });
    const paused = await tutti.start(work.flow, {}, { id: "paused", ...acme });
    await asked.signal("answer", "yes");
    expect(await asked.settled()).toMatchObject({ kind: "waiting", slot: "tenant/acme" });
    const ended = errorOf(gone.result());
    await gone.cancel("enough");
    expect(await ended).toMatchObject({ code: "RUN_CANCELLED" });
    expect(linesOf(await gone.entries())).toEqual(["run-started", "cancel-requested", "run-cancelled"]);
    await paused.pause();
    expect(await paused.state()).toEqual({ kind: "paused" });
    expect(tutti.waitsFor("paused")).toEqual([]);
    work.finish("first");
    expect(await asked.result()).toBe("yes");
    await takeTurns(20);
    expect([work.begun, tutti.slots()]).toEqual([["first"], []]);
    await paused.resume();
    work.finish("paused");
    expect(await paused.result()).toBe("paused");
    expect(tutti.slots()).toEqual([]);
  },
);

test("a child that is cancelled before it has begun is told to its parent at once", verifies("C17"), async () => {
  const stage = openStage();
  const work = openWork();
  const parent = plainFlow("above", (run) =>
    run.call(work.flow, {}).catch((error: unknown) => run.step("after", () => String(error))),
  );
  const tutti = await stage.open([work.flow, parent], { limits: { "flow/work": { runs: 1 } } });
  await tutti.start(work.flow, {}, { id: "first" });
  const handle = await tutti.start(parent, {}, { id: "parent" });
  await until(() => tutti.waitsFor("parent.work").length > 0);
  await (await tutti.open("parent.work")).cancel("enough");
  expect(await handle.result()).toContain("enough");
});

test(
  "a run at rest holds no slot; what wakes it is durable, and it goes on before what has not begun",
  verifies("C17"),
  async () => {
    const stage = openStage();
    const work = openWork();
    const asking = plainFlow("asking", async (run) => [await run.wait("answer"), await run.step("after", () => 1)]);
    const limits = { "tenant/acme": { runs: 1 } };
    const first = await stage.open([work.flow, asking], { limits });
    const acme = { tenant: "acme" };
    await first.start(asking, {}, { id: "asked", ...acme });
    await stage.clock.advance(100);
    for (const id of ["one", "two"]) await first.start(work.flow, {}, { id, ...acme });
    await until(() => work.begun.length === 1);
    const asked = await first.open("asked");
    await asked.signal("answer", "yes");
    expect(bodiesOf(stage.entries, "signal-received")).toHaveLength(1);
    expect(first.waitsFor("asked")).toEqual(["tenant/acme"]);
    const result = asked.result();
    work.finish("one");
    expect(await result).toEqual(["yes", 1]);
    expect(await asked.state()).toMatchObject({ kind: "done" });
    await until(() => work.begun.length === 2);
  },
);

test(
  "another engine that takes the runs over after a crash has all slots, and everybody gets one",
  verifies("C17"),
  async () => {
    const stage = openStage();
    const work = openWork();
    const limits = { "flow/work": { runs: 1 }, "tenant/*": { runs: 1 } };
    const first = await stage.open([work.flow], { limits });
    for (const id of ["one", "two", "three"]) await first.start(work.flow, {}, { id, tenant: `of-${id}` });
    await until(() => work.begun.length === 1);
    const second = await stage.open([work.flow], { limits });
    const results = Promise.all(["one", "two", "three"].map(async (id) => (await second.open(id)).result()));
    for (const id of ["one", "two", "three"]) work.finish(id);
    expect(await results).toEqual(["one", "two", "three"]);
    expect(second.slots()).toEqual([]);
  },
);

test("what can't work is refused when it is opened or started, with what to do", verifies("C17", "X5"), async () => {
  const stage = openStage();
  const { flow } = openWork();
  const refused: readonly (readonly [Readonly<Record<string, object>>, string])[] = [
    [{ "team/a": {} }, "its name is not tool/…, model/…, tenant/…, flow/… or agent/…"],
    [{ "agent/a": { runs: 2 } }, "runs is for tenants and flows"],
    [{ "tool/a": { share: 2 } }, "share is for tenants and flows"],
    [
      { "agent/a": { breaker: {} } },
      "an agent has no breaker; tools and providers fail, tenants, flows and agents do not",
    ],
    [{ "flow/a": { runs: 0 } }, "runs is 0, not a whole number from 1 up"],
    [{ "tenant/a": { share: 1.5 } }, "share is 1.5, not a whole number from 1 up"],
    [{ "tenant/a": { share: 101 } }, "share is 101, more than 100"],
    [{ "tenant/a": { concurentMax: 1 } }, "there is no concurentMax"],
  ];
  for (const [limits, what] of refused) {
    const error = await errorOf(stage.open([flow], { limits }));
    expect(error.code).toBe("DEFINITION_INVALID");
    expect(error.message).toBe(`the limits of "${Object.keys(limits)[0]}": ${what}`);
    expect(error.hint).not.toBe("");
  }
  const tutti = await stage.open([flow]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as somebody without types may write it
  const error = await errorOf(tutti.start(flow, {}, { priority: "urgent" as Priority }));
  expect(error).toMatchObject({ code: "INPUT_INVALID", hint: "Use low, normal, high; normal is the default." });
});

test.for(["paused", "parked"] as const)(
  "a parent whose child is %s gives its slot up",
  verifies("C17"),
  async (how) => {
    const stage = openStage();
    const work = openWork();
    const gate = makeGate();
    const child = plainFlow("child", async (run) => {
      await run.step("hold", () => gate.opened);
      if (how === "parked") await new Promise((resolve) => setImmediate(resolve)); // which no flow may await
      return run.step("after", () => 1);
    });
    const parent = plainFlow("above", (run) => run.call(child, {}));
    const tutti = await stage.open([work.flow, child, parent], { limits: { "tenant/acme": { runs: 2 } } });
    await tutti.start(parent, {}, { id: "parent", tenant: "acme" });
    await until(() => tutti.slots()[0]?.inUse === 2);
    for (const id of ["one", "two"]) await tutti.start(work.flow, {}, { id, tenant: "acme" });
    await stage.clock.advance(100); // the parent would be let go now, but for its child
    const paused = how === "paused" ? (await tutti.open("parent.child")).pause() : undefined;
    gate.open();
    await paused;
    await until(() => work.begun.length === 2);
    expect(await (await tutti.open("parent.child")).state()).toMatchObject({ kind: how });
  },
);
