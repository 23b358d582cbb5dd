import { expect, test } from "vitest";

import { errorOf } from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { TuttiError } from "../base/errors.ts";
import { toRunId } from "../contracts/ids.ts";
import { openManualClock } from "../testing/manual-clock.ts";
import type { GateState } from "./gate-state.ts";
import { openGate, type CallEnd, type Caller, type Gate, type Pass } from "./gate.ts";
import type { Limits } from "./limit.ts";
import { toStanding } from "./standing.ts";

const clock = openManualClock(0);
const standing = toStanding({}, { run: toRunId("r"), flow: "f", hasBegun: true });
const first: Caller = { calls: "tool", attempt: 1, mayProbe: true, standing };
const again: Caller = { ...first, attempt: 2 };
function asks(retryAfterMs: number): CallEnd {
  return { kind: "failed", error: new TuttiError("TOOL_RATE_LIMITED", "slower", { retryAfterMs }) };
}

const unavailable = { kind: "failed", error: new TuttiError("TOOL_UNAVAILABLE", "it is away") } as const;

function open(limits: Limits, options: { readonly stored?: GateState; readonly isFallible?: boolean } = {}) {
  const states: GateState[] = [];
  const { stored = {}, isFallible = true } = options;
  const gate = openGate({
    key: "tool/search",
    limits,
    clock,
    stored,
    isFallible,
    onChange: (state) => states.push(state),
  });
  return { gate, states };
}

/** Enters, and says when and as which one it passed. */
function enterAll(
  gate: Gate,
  count: number,
): { readonly passes: Pass[]; readonly order: number[]; abandon(at: number): void } {
  const passes: Pass[] = [];
  const order: number[] = [];
  const enterings = Array.from({ length: count }, (_, index) => {
    const entering = gate.enter(first);
    void entering.passed.then(
      (pass) => {
        passes.push(pass);
        order.push(index);
      },
      () => order.push(-index),
    );
    return entering;
  });
  return { passes, order, abandon: (at) => enterings[at]?.abandon() };
}

test("at most so many are inside; the others follow in the order in which they came", verifies("D7"), async () => {
  const { gate } = open({ concurrentMax: 2 });
  const entered = enterAll(gate, 5);
  const { passes, order } = entered;
  await clock.advance(0);
  expect(order).toEqual([0, 1]);
  entered.abandon(3);
  passes[0]?.leave({ kind: "done" });
  passes[0]?.leave({ kind: "done" }); // counts once
  await clock.advance(0);
  expect(order).toEqual([0, 1, 2]);
  passes[1]?.leave({ kind: "left" });
  await clock.advance(0);
  expect(order).toEqual([0, 1, 2, 4]);
  expect(clock.due).toEqual([]);
});

test("a rate lets them in one after the other, as soon as it may", verifies("D7"), async () => {
  const { gate, states } = open({ rate: { calls: 1, perMs: 1_000 }, waitMaxMs: 2_500 });
  const { order } = enterAll(gate, 4);
  await clock.advance(999);
  expect(order).toEqual([0]);
  await clock.advance(1);
  expect(order).toEqual([0, 1]);
  await clock.advance(1_000);
  expect(order).toEqual([0, 1, 2]);
  await clock.advance(500);
  expect(order).toEqual([0, 1, 2, -3]); // waited as long as it may
  expect(states.length).toBe(1); // three calls, one thing to store
});

test("waiting is bounded in time and in number, and says so", verifies("D7"), async () => {
  const { gate } = open({ concurrentMax: 1, queueMax: 1, waitMaxMs: 100 });
  await gate.enter(first).passed;
  const waiting = errorOf(gate.enter(first).passed);
  expect(await errorOf(gate.enter(first).passed)).toMatchObject({ code: "TOOL_UNAVAILABLE", facts: { why: "full" } });
  await clock.advance(100);
  expect(await waiting).toMatchObject({ code: "TOOL_RATE_LIMITED", effect: "none", facts: { why: "waited" } });
});

test(
  "what fails too often is left alone, with the time of the next try; those who wait are told too",
  verifies("D7"),
  async () => {
    const { gate, states } = open({ concurrentMax: 1, breaker: { failures: 2, openMs: 1_000 } });
    (await gate.enter(first).passed).leave(unavailable);
    const pass = await gate.enter(first).passed;
    const waiting = errorOf(gate.enter(first).passed);
    pass.leave(unavailable);
    const refused = { code: "TOOL_UNAVAILABLE", effect: "none", retryAfterMs: 1_000, facts: { why: "open" } };
    expect(await waiting).toMatchObject(refused);
    const model = await errorOf(gate.enter({ ...first, calls: "model" }).passed);
    expect(model).toMatchObject({ code: "MODEL_UNAVAILABLE", retryAfterMs: 1_000 });
    expect(model.message).toContain("TOOL_UNAVAILABLE: it is away");
    expect(states).toEqual([{ breaker: { untilMs: clock.now() + 1_000, openings: 1 } }]);
    const next = open({ breaker: { failures: 2, openMs: 1_000 } }, { stored: states[0] ?? {} }).gate;
    expect(await errorOf(next.enter(first).passed)).toMatchObject(refused);
    await clock.advance(1_000);
    (await gate.enter(first).passed).leave({ kind: "done" });
    expect(states.at(-1)).toEqual({});
  },
);

test("a provider's wish to wait is kept by all its callers, and by the next process", verifies("D7"), async () => {
  const { gate, states } = open({ waitMaxMs: 5_000 });
  (await gate.enter(first).passed).leave(asks(3_000));
  const { order } = enterAll(gate, 2);
  await clock.advance(2_999);
  expect(order).toEqual([]);
  await clock.advance(1);
  expect(order).toEqual([0, 1]);
  (await gate.enter(first).passed).leave(asks(60_000));
  const next = open({ waitMaxMs: 5_000 }, { stored: states.at(-1) ?? {} }).gate;
  for (const each of [gate, next]) {
    expect(await errorOf(each.enter(first).passed)).toMatchObject({ code: "TOOL_RATE_LIMITED", retryAfterMs: 60_000 });
  }
});

test(
  "each repetition takes one of those that were saved up, and each success gives back a tenth",
  verifies("D7"),
  async () => {
    const { gate, states } = open({ retriesMax: 2 });
    const tryAgain = async (): Promise<void> => (await gate.enter(again).passed).leave(unavailable);
    await tryAgain();
    await tryAgain();
    const error = await errorOf(gate.enter(again).passed);
    expect(error).toMatchObject({ code: "RETRIES_SPENT", disposition: "give-up", effect: "none" });
    expect(error.message).toContain("it is away");
    expect(states).toEqual([{ retries: 1 }, { retries: 0 }]);
    for (let success = 0; success < 9; success++) (await gate.enter(first).passed).leave({ kind: "done" });
    expect((await errorOf(gate.enter(again).passed)).code).toBe("RETRIES_SPENT");
    (await gate.enter(first).passed).leave({ kind: "done" });
    await tryAgain();
    expect((await errorOf(open({ retriesMax: 2 }, { stored: { retries: 0.4 } }).gate.enter(again).passed)).code).toBe(
      "RETRIES_SPENT",
    );
  },
);

test(
  "when everything fails, calls are bounded: the first tries and what was saved up, no more",
  verifies("D5", "D7"),
  async () => {
    const { gate } = open({ retriesMax: 10 });
    let calls = 0;
    for (let step = 0; step < 50; step++) {
      for (const caller of [first, again, again]) {
        const pass = await gate.enter(caller).passed.catch(() => undefined);
        if (pass === undefined) break;
        calls += 1;
        pass.leave(unavailable);
      }
    }
    expect(calls).toBe(60);
  },
);

test("what a tenant's calls come to says nothing about the tenant", verifies("D7"), async () => {
  const { gate, states } = open({ concurrentMax: 1 }, { isFallible: false });
  const error = new TuttiError("TOOL_RATE_LIMITED", "slower", { retryAfterMs: 9_000 });
  (await gate.enter(first).passed).leave({ kind: "failed", error });
  await gate.enter(first).passed;
  expect(states).toEqual([]);
});

test("it is idle when nobody is inside and nothing is remembered", () => {
  const { gate } = open({ concurrentMax: 1 });
  expect(gate.isIdle).toBe(true);
  void gate.enter(first).passed.then((pass) => pass.leave({ kind: "done" }));
  expect(gate.isIdle).toBe(false);
});
