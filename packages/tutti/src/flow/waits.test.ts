import { expect, test, vi } from "vitest";

import {
  bodiesOf,
  linesOf,
  makeLedgerFile,
  openStage,
  plainFlow,
  until,
} from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { systemClock } from "../base/clock.ts";
import { toRunId } from "../contracts/ids.ts";
import { openTutti } from "../engine/open-tutti.ts";
import { openManualClock, takeTurns } from "../testing/manual-clock.ts";

const dayMs = 24 * 60 * 60 * 1_000;
const days400 = 400 * dayMs;

test("a sleep of 400 days is let go meanwhile, and the run wakes when it is over", verifies("D9"), async () => {
  const stage = openStage();
  let beginnings = 0;
  const flow = plainFlow("sleeper", async (run) => {
    beginnings++;
    await run.sleep(days400);
    return run.now();
  });
  const tutti = await stage.open([flow]);
  const start = stage.clock.now();
  const run = await tutti.start(flow, null);
  expect(await run.settled()).toEqual({ kind: "waiting", untilMs: start + days400, signals: [] });
  await stage.clock.advance(1_000);
  expect(stage.clock.due).toEqual([start + days400]); // one timer is all that it costs
  expect((await tutti.runs())[0]).toMatchObject({ status: "waiting", wakeAt: start + days400 });
  await stage.clock.advance(days400 - 2_000);
  expect(bodiesOf(stage.entries, "timer-fired")).toEqual([]);
  expect(beginnings).toBe(1);
  await stage.clock.advance(2_000);
  expect(await run.result()).toBe(start + days400);
  expect(beginnings).toBe(2);
});

test(
  "a sleep in a file is armed again by the next engine, to the moment that was set first",
  verifies("D1", "D9"),
  async () => {
    const ledger = await makeLedgerFile();
    const clock = openManualClock();
    const start = clock.now();
    const flow = plainFlow("sleeper", (run) => run.sleep(days400).then(() => "awake"));
    const first = await openTutti({ flows: [flow], ledger, clock });
    await (await first.start(flow, null, { id: "r" })).settled();
    await clock.advance(200);
    await first.close();
    expect(clock.due).toEqual([]);

    await clock.advance(dayMs);
    const second = await openTutti({ flows: [flow], ledger, clock });
    await until(() => clock.due.includes(start + days400));
    await clock.advance(days400 - 2 * dayMs);
    expect((await second.runs())[0]?.status).toBe("waiting");
    const run = await second.open("r");
    const result = run.result();
    await clock.advance(2 * dayMs);
    expect(await result).toBe("awake");
    await second.close();
  },
);

test("a sleep that fell due while nobody was there ends at once", verifies("D1", "D9"), async () => {
  const stage = openStage();
  const flow = plainFlow("sleeper", (run) => run.sleep(days400).then(() => "awake"));
  const first = await stage.open([flow]);
  await (await first.start(flow, null, { id: "r" })).settled();
  await stage.ledger.flush();
  const later = openManualClock(stage.clock.now() + 2 * days400);
  const second = await openTutti({ flows: [flow], ledger: stage.ledger, clock: later });
  const result = (await second.open("r")).result();
  await later.advance(0);
  expect(await result).toBe("awake");
});

test(
  "several sleeps at once end in the order of their moments, and a moment in the past at once",
  verifies("D9"),
  async () => {
    const stage = openStage();
    const flow = plainFlow("sleepers", async (run) => {
      const ended: string[] = [];
      const rest = async (name: string, wanted: number | Date): Promise<void> => {
        await run.sleep(wanted);
        ended.push(name);
      };
      await Promise.all([
        rest("in three days", 3 * dayMs),
        rest("at a moment tomorrow", new Date(1_700_000_000_000 + dayMs)),
        rest("in two days", 2 * dayMs),
        rest("yesterday", new Date(1_700_000_000_000 - dayMs)),
        rest("a negative pause", -5),
      ]);
      return ended;
    });
    const tutti = await stage.open([flow]);
    const result = tutti.run(flow, null);
    await stage.clock.advance(4 * dayMs);
    expect(await result).toEqual([
      "yesterday",
      "a negative pause",
      "at a moment tomorrow",
      "in two days",
      "in three days",
    ]);
  },
);

test("the system's clock waits longer than setTimeout can", verifies("D9"), async () => {
  vi.useFakeTimers();
  try {
    let woken = 0;
    systemClock.after(days400, () => woken++);
    const forget = systemClock.after(days400, () => (woken += 100));
    vi.advanceTimersByTime(days400 - 1_000);
    expect(woken).toBe(0);
    forget();
    vi.advanceTimersByTime(2_000);
    expect(woken).toBe(1);
  } finally {
    vi.useRealTimers();
  }
});

test("a wait ends with the signal or with its time, whichever the ledger has first", verifies("D9"), async () => {
  const stage = openStage();
  const flow = plainFlow("waits", async (run) => [
    await run.wait("go", { timeoutMs: dayMs }),
    await run.wait("go", { timeoutMs: dayMs }),
    await run.wait("go", { timeoutMs: dayMs }),
  ]);
  const tutti = await stage.open([flow]);
  const run = await tutti.start(flow, null);
  expect(await run.settled()).toMatchObject({ kind: "waiting", signals: ["go"], untilMs: stage.clock.now() + dayMs });
  await run.signal("go", "in time");
  await stage.clock.advance(dayMs + 1_000);
  await run.signal("go", "for the third");
  expect(await run.result()).toEqual(["in time", undefined, "for the third"].map((one) => one ?? null));
  expect(bodiesOf(stage.entries, "timer-fired")).toHaveLength(1);
});

test(
  "signals that come before anybody waits are kept, in their order, also over a crash",
  verifies("D1", "D9"),
  async () => {
    const stage = openStage();
    const flow = plainFlow("late", async (run) => {
      const first = await run.wait("other");
      return [first, await run.wait("go"), await run.wait("go"), await run.wait("go")];
    });
    const first = await stage.open([flow]);
    const run = await first.start(flow, null, { id: "r" });
    await run.signal("go", 1);
    await run.signal("go", 2);
    const second = await stage.open([flow]);
    const again = await second.open("r");
    await again.signal("go", 3);
    await stage.clock.advance(1_000);
    await again.signal("other", 0);
    expect(await again.result()).toEqual([0, 1, 2, 3]);
    expect(linesOf(stage.entries).filter((line) => line === "signal-received")).toHaveLength(4);
  },
);

test("one run sends another a signal exactly once, with where it came from", verifies("D9", "O1"), async () => {
  const stage = openStage();
  const receiver = plainFlow("receiver", (run) => run.wait("news"));
  const sender = plainFlow("sender", async (run) => {
    await run.emit(toRunId("receiver-run"), "news", { told: true });
    return run.wait("end");
  });
  const first = await stage.open([receiver, sender]);
  const received = await first.start(receiver, null, { id: "receiver-run" });
  const sent = await first.start(sender, null, { id: "sender-run" });
  expect(await received.result()).toEqual({ told: true });
  await sent.settled();
  const second = await stage.open([receiver, sender]);
  await (await second.open("sender-run")).settled();
  await takeTurns(20);
  expect(bodiesOf(stage.entries, "signal-received")).toEqual([
    {
      name: "news",
      id: "sender-run/emit-news",
      payload: { told: true },
      from: { run: "sender-run", step: "/emit-news" },
    },
  ]);
});
