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
import { openPostOffice, toMailTool } from "../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { TuttiError } from "../base/errors.ts";
import type { Flow, Run } from "../contracts/run.ts";
import { takeTurns } from "../testing/manual-clock.ts";

const cancelled = { kind: "cancelled", reason: "enough" } as const;

/** Resolves when the signal aborts, with its reason. */
function abortOf(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(signal.reason), { once: true });
  });
}

test(
  "cancelling reaches a running step through its signal, and the run ends as cancelled",
  verifies("D11"),
  async () => {
    const stage = openStage();
    const reasons: unknown[] = [];
    const flow = plainFlow("busy", async (run) => {
      await run.step("first", () => 1);
      return run.step("long", async ({ signal }) => {
        reasons.push("begun");
        reasons.push(await abortOf(signal));
      });
    });
    const tutti = await stage.open([flow]);
    const run = await tutti.start(flow, null, { id: "r" });
    await until(() => reasons.length === 1);
    await run.cancel("enough", "anna");
    expect(await run.settled()).toEqual(cancelled);
    expect(await errorOf(run.result())).toMatchObject({ code: "RUN_CANCELLED", facts: { run: "r" } });
    expect(reasons[1]).toMatchObject({ code: "RUN_CANCELLED", message: "enough" });
    expect(bodiesOf(stage.entries, "cancel-requested")).toEqual([{ by: "anna", reason: "enough" }]);
    expect(linesOf(stage.entries)).toEqual(["run-started", "step-done /first", "cancel-requested", "run-cancelled"]);
  },
);

test(
  "cancelling reaches a step with a limit, an agent's step, every branch and the run's own signal",
  verifies("D11"),
  async () => {
    const stage = openStage();
    const begun: string[] = [];
    const aborted: string[] = [];
    const work = (run: Run, name: string): Promise<unknown> =>
      run.step(
        name,
        async ({ signal }) => {
          begun.push(name);
          await abortOf(signal);
          aborted.push(name);
        },
        name === "limited" ? { timeoutMs: 60_000 } : {},
      );
    const flow = plainFlow("busy", (run) => {
      run.signal.addEventListener("abort", () => aborted.push("run"));
      return run.all({
        limited: (branch) => work(branch, "limited"),
        scoped: (branch) => branch.scope("inside", (inner) => work(inner, "scoped")),
        mapped: (branch) => branch.map(["one", "two"], (inner, item) => work(inner, item)),
      });
    });
    const tutti = await stage.open([flow]);
    const run = await tutti.start(flow, null);
    await until(() => begun.length === 4);
    await run.cancel("enough");
    expect(await run.settled()).toEqual(cancelled);
    await takeTurns(5);
    expect(aborted.toSorted()).toEqual(["limited", "one", "run", "scoped", "two"]);
  },
);

const waits: Readonly<Record<string, (run: Run) => Promise<unknown>>> = {
  "a sleep": (run) => run.sleep(1_000_000),
  "a signal": (run) => run.wait("go"),
  "a signal with a limit": (run) => run.wait("go", { timeoutMs: 1_000_000 }),
  "the next attempt of a step": (run) =>
    run.step(
      "flaky",
      () => {
        throw new TuttiError("TOOL_UNAVAILABLE", "later");
      },
      { retry: { attemptsMax: 5, delayMs: 1_000_000 } },
    ),
};

test.for(Object.keys(waits))(
  "a run that waits for %s is cancelled at once, also after it was let go, and nothing stays armed",
  verifies("D11"),
  async (name) => {
    for (const restMs of [0, 1_000]) {
      const stage = openStage();
      const flow = plainFlow("resting", async (run) => waits[name]?.(run));
      const tutti = await stage.open([flow]);
      const run = await tutti.start(flow, null);
      expect((await run.settled()).kind).toBe("waiting");
      await stage.clock.advance(restMs);
      await run.cancel("enough");
      expect(await run.settled()).toEqual(cancelled);
      expect(stage.clock.due).toEqual([]);
    }
  },
);

test("a flow can tidy up after a cancellation in its code, but no step begins any more", verifies("D11"), async () => {
  const stage = openStage();
  const seen: unknown[] = [];
  const flow = plainFlow("tidy", async (run) => {
    try {
      await run.wait("go");
    } catch (error) {
      seen.push(error);
      await run.step("afterwards", () => seen.push("a step ran"));
    }
  });
  const tutti = await stage.open([flow]);
  const run = await tutti.start(flow, null);
  await run.settled();
  await run.cancel("enough");
  expect(await run.settled()).toEqual(cancelled);
  expect(seen).toMatchObject([{ code: "RUN_CANCELLED" }]);
});

test(
  "an effect that is going on is recorded before the run ends, so that nobody doubts it",
  verifies("D3", "D11"),
  async () => {
    const stage = openStage();
    const office = openPostOffice();
    const gate = makeGate();
    let isCalled = false;
    const mail = toMailTool(office, {
      async run({ to }, { idempotencyKey }) {
        isCalled = true;
        await gate.opened;
        return office.send(to, idempotencyKey);
      },
    });
    const flow = plainFlow("mails", (run) => run.call(mail, { to: "anna" }));
    const tutti = await stage.open([flow]);
    const run = await tutti.start(flow, null);
    await until(() => isCalled);
    await run.cancel("enough");
    await takeTurns(50);
    expect((await run.state()).kind).toBe("running");
    gate.open();
    expect(await run.settled()).toEqual(cancelled);
    expect(linesOf(stage.entries).slice(1)).toEqual([
      "effect-intended /mail.send",
      "cancel-requested",
      "effect-settled /mail.send",
      "run-cancelled",
    ]);
  },
);

test(
  "a cancellation that was written down before a crash holds in the next engine",
  verifies("D1", "D11"),
  async () => {
    const stage = openStage();
    const gate = makeGate();
    const office = openPostOffice();
    let calls = 0;
    const mail = toMailTool(office, {
      check: ({ to }) => office.receiptOf(to),
      async run({ to }, { idempotencyKey }) {
        calls++;
        await gate.opened;
        return office.send(to, idempotencyKey);
      },
    });
    const flow = plainFlow("mails", (run) => run.call(mail, { to: "anna" }));
    const first = await stage.open([flow]);
    const run = await first.start(flow, null, { id: "r" });
    await until(() => calls === 1);
    await run.cancel("enough");
    const second = await stage.open([flow]);
    expect(await (await second.open("r")).settled()).toEqual(cancelled);
    expect(calls).toBe(1);
    expect(bodiesOf(stage.entries, "run-cancelled")).toHaveLength(1);
  },
);

test("cancelling twice is once, and a run that is over can't be cancelled", verifies("D11", "K4"), async () => {
  const stage = openStage();
  const flow = plainFlow("waiting", (run) => run.wait("go"));
  const tutti = await stage.open([flow]);
  const run = await tutti.start(flow, null, { id: "r" });
  await run.settled();
  await Promise.all([run.cancel("enough"), run.cancel("again")]);
  expect(await run.settled()).toEqual(cancelled);
  for (const steer of [run.cancel(), run.pause(), run.resume(), run.signal("go", 1)])
    expect(await errorOf(steer)).toMatchObject({ code: "RUN_OVER", facts: { run: "r" } });
  expect(bodiesOf(stage.entries, "run-cancelled")).toEqual([{ reason: "enough" }]);
});

/** A parent with a child and a grandchild that wait. */
function family(): { readonly flows: readonly Flow[]; readonly parent: Flow } {
  const grandchild = plainFlow("grandchild", (run) => run.wait("go"));
  const child = plainFlow("child", (run) => run.call(grandchild, null));
  const parent = plainFlow("parent", (run) => run.call(child, null));
  return { flows: [grandchild, child, parent], parent };
}

test.for(["just waits", "was let go", "is paused", "is in the next engine"])(
  "cancelling a parent that %s reaches its child and its grandchild",
  verifies("D11", "D17"),
  async (situation) => {
    const stage = openStage();
    const { flows, parent } = family();
    const first = await stage.open(flows);
    const run = await first.start(parent, null, { id: "r" });
    await until(() => stage.entries.filter((entry) => entry.kind === "run-started").length === 3);
    await run.settled();
    await takeTurns(50);
    if (situation === "was let go") await stage.clock.advance(1_000);
    if (situation === "is paused") await run.pause();
    const tutti = situation === "is in the next engine" ? await stage.open(flows) : first;
    const handle = await tutti.open("r");
    await handle.cancel("enough");
    expect(await handle.settled()).toEqual(cancelled);
    for (const id of ["r.child", "r.child.grandchild"])
      expect((await (await tutti.open(id)).settled()).kind).toBe("cancelled");
    expect((await tutti.runs()).map((record) => record.status)).toEqual(["cancelled", "cancelled", "cancelled"]);
  },
);

test(
  "a parked run is cancelled, with its children, although its code can't go on",
  verifies("D11", "D17"),
  async () => {
    const stage = openStage();
    const child = plainFlow("child", (run) => run.wait("go"));
    const parent = plainFlow("parent", async (run) => {
      await run.child(child, null);
      await takeTurns(100);
      return run.step("late", () => 1);
    });
    const tutti = await stage.open([child, parent]);
    const run = await tutti.start(parent, null, { id: "r" });
    await until(() => stage.entries.at(-1)?.kind === "run-parked");
    expect((await run.settled()).kind).toBe("parked");
    await run.cancel("enough");
    expect(await run.settled()).toEqual(cancelled);
    expect((await (await tutti.open("r.child")).settled()).kind).toBe("cancelled");
    expect(linesOf(await run.entries()).slice(-2)).toEqual(["cancel-requested", "run-cancelled"]);
  },
);

test.for(["just waits", "is paused"])(
  "a child that may outlive its parent is left alone when the parent %s and is cancelled",
  verifies("D11", "D17"),
  async (situation) => {
    const stage = openStage();
    const child = plainFlow("child", (run) => run.wait("go"));
    const parent = plainFlow("parent", async (run) => (await run.child(child, null, { onParentEnd: "keep" })).result());
    const tutti = await stage.open([child, parent]);
    const run = await tutti.start(parent, null, { id: "r" });
    await run.settled();
    if (situation === "is paused") await run.pause();
    await run.cancel("enough");
    expect(await run.settled()).toEqual(cancelled);
    await takeTurns(100);
    const kept = await tutti.open("r.child");
    expect((await kept.state()).kind).toBe("waiting");
    await kept.signal("go", "still here");
    expect(await kept.result()).toBe("still here");
  },
);
