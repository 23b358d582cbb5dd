import { expect, test } from "vitest";
import { z } from "zod";

import {
  anything,
  bodiesOf,
  errorOf,
  makeGate,
  makeLedgerFile,
  openStage,
  plainFlow,
  until,
} from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { TuttiError } from "../base/errors.ts";
import type { Retry } from "../contracts/callable.ts";
import type { Agent, Flow } from "../contracts/run.ts";
import { openTutti } from "../engine/open-tutti.ts";
import { openManualClock } from "../testing/manual-clock.ts";
import { tool } from "../tools/tool.ts";

const unavailable = (): never => {
  throw new TuttiError("TOOL_UNAVAILABLE", "out of reach");
};

const plain = (): never => {
  throw new Error("who knows");
};

const retry: Retry = { attemptsMax: 4, delayMs: 1_000, factor: 2, delayMaxMs: 3_000 };

/** A flow whose only step fails the first times; it notes when each attempt began. */
function failing(times: number, begun: { readonly attempt: number; readonly at: number }[], now: () => number): Flow {
  return plainFlow("failing", (run) =>
    run.step(
      "try",
      ({ attempt }) => {
        begun.push({ attempt, at: now() });
        if (attempt <= times) unavailable();
        return `at attempt ${attempt}`;
      },
      { retry },
    ),
  );
}

test(
  "pauses grow, are shortened by at most half at random, and are written down with the attempt",
  verifies("D5"),
  async () => {
    for (const [chance, pausesMs] of [
      [0, [500, 1_000, 1_500]],
      [0.5, [750, 1_500, 2_250]],
      [0.999_999, [1_000, 2_000, 3_000]],
    ] as const) {
      const stage = openStage();
      const begun: { attempt: number; at: number }[] = [];
      const flow = failing(3, begun, () => stage.clock.now());
      const tutti = await stage.open([flow], { chance: () => chance });
      const result = tutti.run(flow, null);
      await stage.clock.advance(60_000);
      expect(await result).toBe("at attempt 4");
      const times = begun.map(({ at }) => at);
      expect(times.slice(1).map((time, index) => time - (times[index] ?? 0))).toEqual(pausesMs);
      expect(bodiesOf(stage.entries, "attempt-failed").map(({ attempt, nextAt }) => [attempt, nextAt])).toEqual(
        [1, 2, 3].map((attempt) => [attempt, times[attempt]]),
      );
    }
  },
);

test("a step that used up its attempts fails with the last error; nobody tries once more", verifies("D5"), async () => {
  const stage = openStage();
  const begun: { attempt: number; at: number }[] = [];
  const flow = failing(99, begun, () => stage.clock.now());
  const tutti = await stage.open([flow]);
  const failed = errorOf(tutti.run(flow, null));
  await stage.clock.advance(60_000);
  expect(await failed).toMatchObject({ code: "TOOL_UNAVAILABLE" });
  expect(begun.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
  expect(bodiesOf(stage.entries, "step-failed")).toMatchObject([{ attempt: 4 }]);
});

test("after a reopening the count and the pause go on where they were", verifies("D1", "D5"), async () => {
  const ledger = await makeLedgerFile();
  const clock = openManualClock();
  const begun: { attempt: number; at: number }[] = [];
  const flow = failing(3, begun, () => clock.now());
  const start = clock.now();
  let isStored = false;
  const first = await openTutti({
    flows: [flow],
    ledger,
    clock,
    chance: () => 0,
    onActivity: (activity) => {
      if (activity.kind === "entry" && activity.entry.kind === "attempt-failed") isStored = true;
    },
  });
  await first.start(flow, null, { id: "r" });
  await until(() => isStored);
  await first.close();

  const second = await openTutti({ flows: [flow], ledger, clock, chance: () => 0 });
  const run = await second.open("r");
  expect(await run.settled()).toMatchObject({ kind: "waiting", untilMs: start + 500 });
  expect(begun).toHaveLength(1);
  const result = run.result();
  while (begun.length < 4) await clock.advance(100);
  expect(await result).toBe("at attempt 4");
  expect(begun.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
  expect(begun[1]?.at).toBe(start + 500);
  await second.close();
});

test(
  "one layer owns retries: through scopes, agents and children a tool is called as often as it says",
  verifies("D5"),
  async () => {
    const stage = openStage();
    let calls = 0;
    const flaky = tool({
      name: "flaky",
      does: "Is out of reach.",
      input: anything,
      output: anything,
      effect: "read",
      retry: { attemptsMax: 3, delayMs: 10 },
      run: () => {
        calls++;
        return unavailable();
      },
    });
    const agent: Agent = {
      kind: "agent",
      name: "agent",
      version: "1",
      does: "Calls it.",
      input: anything,
      output: anything,
      tools: [flaky],
      act: async (run) => ({ output: await run.scope("inside", (inner) => inner.call(flaky, null)) }),
    };
    const child = plainFlow("child", (run) => run.call(agent, null));
    const flow = plainFlow("parent", (run) =>
      run.scope("outer", (outer) =>
        outer.all({ only: (branch) => branch.call(child, null) }).then((done) => done.only),
      ),
    );
    const tutti = await stage.open([flow, child]);
    const failed = errorOf(tutti.run(flow, null));
    await stage.clock.advance(60_000);
    expect(await failed).toMatchObject({ code: "TOOL_UNAVAILABLE" });
    expect(calls).toBe(3);
  },
);

test(
  "what says give-up, ask-person or bug is not tried again, and plain errors only where retries were asked for",
  verifies("D5", "K4"),
  async () => {
    const stage = openStage();
    const countOf = async (thrown: () => never, asked: Retry | undefined): Promise<number> => {
      let calls = 0;
      const flow = plainFlow("count", (run) =>
        run.step(
          "try",
          () => {
            calls++;
            thrown();
          },
          asked === undefined ? {} : { retry: asked },
        ),
      );
      const tutti = await stage.open([flow]);
      const failed = errorOf(tutti.run(flow, null));
      await stage.clock.advance(600_000);
      await failed;
      return calls;
    };
    for (const code of ["TOOL_FAILED", "INPUT_INVALID", "EFFECT_CONFLICT", "BUG"] as const) {
      const coded = (): never => {
        throw new TuttiError(code, "no");
      };
      expect({ code, calls: await countOf(coded, retry) }).toEqual({ code, calls: 1 });
    }
    expect(await countOf(plain, undefined)).toBe(1);
    expect(await countOf(plain, retry)).toBe(4);
    expect(await countOf(unavailable, undefined)).toBe(3);
    expect(await countOf(unavailable, { attemptsMax: 1 })).toBe(1);
  },
);

test("a provider that asks to wait is not called earlier", verifies("D5"), async () => {
  const stage = openStage();
  const begun: number[] = [];
  const flow = plainFlow("patient", (run) =>
    run.step("try", ({ attempt }) => {
      begun.push(stage.clock.now());
      if (attempt === 1) throw new TuttiError("MODEL_RATE_LIMITED", "later", { retryAfterMs: 30_000 });
      return attempt;
    }),
  );
  const tutti = await stage.open([flow]);
  const result = tutti.run(flow, null);
  await stage.clock.advance(60_000);
  expect(await result).toBe(2);
  expect((begun[1] ?? 0) - (begun[0] ?? 0)).toBe(30_000);
});

test(
  "a timeout aborts the attempt's signal, counts as an attempt, and what comes later is not heard",
  verifies("D5"),
  async () => {
    const stage = openStage();
    const reasons: unknown[] = [];
    const late = makeGate();
    const flow = plainFlow("slow", (run) =>
      run.step(
        "try",
        async ({ attempt, signal }) => {
          if (attempt === 3) return attempt;
          signal.addEventListener("abort", () => reasons.push(signal.reason));
          return late.opened;
        },
        { timeoutMs: 5_000, retry: { attemptsMax: 3, delayMs: 0 } },
      ),
    );
    const tutti = await stage.open([flow]);
    const result = tutti.run(flow, null, { id: "r" });
    await stage.clock.advance(4_000);
    expect(reasons).toEqual([]);
    await stage.clock.advance(60_000);
    late.open();
    expect(await result).toBe(3);
    expect(reasons).toMatchObject([{ code: "STEP_TIMEOUT" }, { code: "STEP_TIMEOUT" }]);
    expect(bodiesOf(stage.entries, "attempt-failed")).toMatchObject([
      { attempt: 1, error: { code: "STEP_TIMEOUT", facts: { timeoutMs: 5_000 } } },
      { attempt: 2 },
    ]);
    expect(bodiesOf(stage.entries, "step-done")).toEqual([{ out: 3, effect: "local", attempt: 3 }]);
  },
);

test("a call's own retry and limit replace those of the tool", verifies("D5"), async () => {
  const stage = openStage();
  let calls = 0;
  const flaky = tool({
    name: "flaky",
    does: "Is out of reach.",
    input: z.null(),
    output: z.null(),
    effect: "read",
    retry: { attemptsMax: 9, delayMs: 1 },
    timeoutMs: 50,
    run: () => {
      calls++;
      return calls === 1 ? makeGate().opened.then(() => null) : unavailable();
    },
  });
  const flow = plainFlow("calls", (run) =>
    run.call(flaky, null, { retry: { attemptsMax: 2, delayMs: 1 }, timeoutMs: 7_000 }),
  );
  const tutti = await stage.open([flow]);
  const failed = errorOf(tutti.run(flow, null));
  await stage.clock.advance(6_000);
  expect(calls).toBe(1);
  await stage.clock.advance(60_000);
  expect(await failed).toMatchObject({ code: "TOOL_UNAVAILABLE" });
  expect(calls).toBe(2);
});

test("a step can read what the ledger has of its run, all that led to it included", verifies("G1"), async () => {
  const stage = openStage();
  const looks = plainFlow("looks", async (run) => {
    await Promise.all(["a", "b"].map((name) => run.step(name, () => name, { effect: "read" })));
    return run.step("look", async (step) => (await step.entries()).map(({ kind, key }) => `${kind} ${key}`));
  });
  const tutti = await stage.open([looks]);
  expect(await tutti.run(looks, null)).toEqual(["run-started ", "step-done /a", "step-done /b"]);
});
