import { expect, test } from "vitest";

import { bodiesOf, makeGate, openStage, plainFlow, until, type Stage } from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import type { Ledger, RunLog } from "../ledger/ledger.ts";
import { toRunLog } from "../ledger/run-log.ts";
import { takeTurns } from "../testing/manual-clock.ts";
import { evictAfterMs } from "./active-runs.ts";

const limits = { "flow/work": { runs: 1 } };

/** Each run of it holds its slot until its gate is opened. */
function openWork() {
  const begun: string[] = [];
  const gates = new Map<string, ReturnType<typeof makeGate>>();
  const gateOf = (run: string): ReturnType<typeof makeGate> => {
    const gate = gates.get(run) ?? makeGate();
    gates.set(run, gate);
    return gate;
  };
  const flow = plainFlow("work", async (run) => {
    begun.push(run.id);
    await run.step("hold", () => gateOf(run.id).opened);
    return run.wait("go");
  });
  return { flow, begun, finish: (run: string) => gateOf(run).open() };
}

/** The stage's ledger, with something in front of it. */
function between(stage: Stage, change: Partial<Ledger>): Ledger {
  return { ...stage.ledger, ...change, close: async () => {} };
}

/** A ledger that is slow to answer the first that writes to a run, and nobody after it. */
function slowFirst(stage: Stage, toSlow: (log: RunLog) => Partial<RunLog>): Ledger {
  const toLog = (log: RunLog): RunLog =>
    toRunLog({
      run: log.run,
      epoch: log.epoch,
      write: (entry, waiter, pace) => log.write(entry, waiter, pace),
      durable: () => log.durable(),
      mark: (status, wakeAt) => log.mark(status, wakeAt),
      ...toSlow(log),
    });
  return between(stage, {
    async start(wanted) {
      const outcome = await stage.ledger.start(wanted);
      if (outcome.kind === "exists") return outcome;
      return { ...outcome, claim: { ...outcome.claim, log: toLog(outcome.claim.log) } };
    },
  });
}

test(
  "who was parked and is told so late does not take the run from whoever drives it now",
  verifies("D11"),
  async () => {
    const stage = openStage();
    const told = makeGate();
    const ledger = slowFirst(stage, (log) => ({
      write(entry, waiter, pace) {
        const onAppended: typeof waiter.onAppended = (appended) =>
          void told.opened.then(() => waiter.onAppended(appended));
        const isParked = entry.kind === "run-parked";
        log.write(entry, isParked ? { onAppended, onRefused: (error) => waiter.onRefused(error) } : waiter, pace);
      },
    }));
    let isRight = false;
    const flow = plainFlow("mended", async (run) => {
      if (!isRight) await takeTurns(1); // which no flow may await
      return run.wait("go");
    });
    const tutti = await stage.open([flow], { ledger });
    const handle = await tutti.start(flow, null, { id: "r" });
    const result = handle.result();
    await until(() => bodiesOf(stage.entries, "run-parked").length === 1);
    isRight = true;
    await handle.resume();
    told.open();
    await takeTurns(20);
    await handle.signal("go", "on");
    expect(await result).toBe("on");
  },
);

test("a pause that is slow to end does not take the run from whoever has resumed it", verifies("D11"), async () => {
  const stage = openStage();
  const durable = makeGate();
  const ledger = slowFirst(stage, (log) => ({ durable: () => durable.opened.then(() => log.durable()) }));
  const gates = [makeGate(), makeGate()];
  const begun: string[] = [];
  const flow = plainFlow("busy", async (run) => {
    for (const [index, gate] of gates.entries()) {
      await run.step(`work ${index}`, () => {
        begun.push(`work ${index}`);
        return gate.opened;
      });
    }
  });
  const tutti = await stage.open([flow], { ledger });
  const handle = await tutti.start(flow, null, { id: "r" });
  await until(() => begun.length === 1);
  const paused = handle.pause();
  await until(() => bodiesOf(stage.entries, "run-paused").length === 1);
  const resumed = handle.resume();
  gates[0]?.open();
  await resumed;
  await until(() => begun.length === 2);
  durable.open();
  await paused;
  gates[1]?.open();
  await until(() => bodiesOf(stage.entries, "run-done").length === 1);
  expect(begun).toEqual(["work 0", "work 1"]);
});

test.for(["cancelled", "paused"] as const)(
  "a run that was %s elsewhere while it waited for a slot holds none up",
  verifies("C17", "D11"),
  async (how) => {
    const stage = openStage();
    const work = openWork();
    const tutti = await stage.open([work.flow], { limits });
    for (const id of ["one", "two", "three"]) await tutti.start(work.flow, null, { id });
    const elsewhere = await stage.open([], { recover: false });
    const two = await elsewhere.open("two");
    await two.pause();
    if (how === "cancelled") await two.cancel("enough");
    work.finish("one");
    await (await tutti.open("one")).settled();
    await stage.clock.advance(100);
    await until(() => work.begun.length === 2);
    expect(work.begun).toEqual(["one", "three"]);
    expect(tutti.slots()).toMatchObject([{ inUse: 1, waiting: [] }]);
  },
);

test(
  "a signal that is just being written to a run whose turn comes is neither refused nor lost",
  verifies("C17", "D9"),
  async () => {
    const stage = openStage();
    const work = openWork();
    const written = makeGate();
    let isHeld = false;
    const ledger = between(stage, {
      async claim(run) {
        const claim = await stage.ledger.claim(run);
        if (run !== "two" || isHeld) return claim;
        isHeld = true;
        await written.opened;
        return claim;
      },
    });
    const tutti = await stage.open([work.flow], { limits, ledger });
    await tutti.start(work.flow, null, { id: "one" });
    const two = await tutti.start(work.flow, null, { id: "two" });
    const signalled = two.signal("go", "now");
    await until(() => isHeld);
    await (await tutti.open("one")).cancel("enough");
    work.finish("one");
    await until(() => tutti.waitsFor("two").length === 0);
    await takeTurns(20);
    written.open();
    await signalled;
    work.finish("two");
    expect(await two.result()).toBe("now");
    expect(bodiesOf(stage.entries, "signal-received")).toHaveLength(1);
  },
);

test(
  "a run whose turn comes in the very moment in which it was found waiting is driven, whichever moment that is",
  verifies("C17"),
  async () => {
    for (let moment = 0; moment < 24; moment++) {
      const stage = openStage();
      const work = openWork();
      work.finish("one");
      work.finish("two");
      let letGo: (() => void) | undefined;
      const clock = {
        now: () => stage.clock.now(),
        after(delayMs: number, wake: () => void): () => void {
          if (delayMs === evictAfterMs) letGo = wake;
          return stage.clock.after(delayMs, wake);
        },
      };
      const letGoIn = (moments: number): void =>
        moments === 0 ? letGo?.() : queueMicrotask(() => letGoIn(moments - 1));
      const ledger = between(stage, {
        async read(run, from, limit) {
          const entries = await stage.ledger.read(run, from, limit);
          letGoIn(moment);
          return entries;
        },
      });
      const tutti = await stage.open([work.flow], { limits, ledger, clock });
      await (await tutti.start(work.flow, null, { id: "one" })).settled();
      const two = await tutti.start(work.flow, null, { id: "two" });
      await two.signal("go", "now");
      await until(() => bodiesOf(stage.entries, "run-done").length === 1);
      expect([moment, await two.result()]).toEqual([moment, "now"]);
    }
  },
);

test(
  "an engine that is being closed takes no run up, and one that it was taking up does not begin",
  verifies("D1", "C17"),
  async () => {
    const stage = openStage();
    const work = openWork();
    work.finish("one");
    let begun = 0;
    const asking = plainFlow("asking", (run) => {
      begun += 1;
      return run.wait("answer");
    });
    const claimed: string[] = [];
    const mayClaim = makeGate();
    const ledger = between(stage, {
      async claimTogether(runs, isWanted) {
        claimed.push(...runs);
        await mayClaim.opened;
        return stage.ledger.claimTogether(runs, isWanted);
      },
    });
    const tutti = await stage.open([work.flow, asking], { limits, ledger });
    const asked = await tutti.start(asking, null, { id: "asked" });
    await asked.settled();
    await stage.clock.advance(evictAfterMs);
    await (await tutti.start(work.flow, null, { id: "one" })).settled();
    await tutti.start(work.flow, null, { id: "two" });
    const answered = asked.signal("answer", "yes");
    await until(() => claimed.length === 1);
    const closed = tutti.close(); // the slot of the first, which rests, is free from here on
    await takeTurns(20); // it waits for what is being taken up
    mayClaim.open();
    await Promise.all([closed, answered]);
    expect({ begun, claimed: new Set(claimed), work: work.begun }).toEqual({
      begun: 1,
      claimed: new Set(["asked"]),
      work: ["one"],
    });
    const next = await stage.open([work.flow, asking], { limits });
    expect(await (await next.open("asked")).result()).toBe("yes");
  },
);
