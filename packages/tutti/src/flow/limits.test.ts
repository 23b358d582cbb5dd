import { expect, test } from "vitest";
import { z } from "zod";

import {
  anything,
  bodiesOf,
  errorOf,
  linesOf,
  makeGate,
  makeLedgerFile,
  openStage,
  plainFlow,
  until,
} from "../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { agent } from "../agents/agent.ts";
import { TuttiError } from "../base/errors.ts";
import { openTutti } from "../engine/open-tutti.ts";
import type { LimitTable } from "../limits/limit.ts";
import { openManualClock, takeTurns } from "../testing/manual-clock.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { tool, type ToolDefinition } from "../tools/tool.ts";

const toReader = (change: Partial<ToolDefinition<unknown, unknown>>) =>
  tool({
    name: "page.read",
    does: "Reads a page.",
    input: anything,
    output: anything,
    effect: "read",
    retry: { attemptsMax: 1 },
    run: () => "text",
    ...change,
  });

const callOnce = (reader: ReturnType<typeof toReader>) => plainFlow("reading", (run) => run.call(reader, {}));

test(
  "a tool that fails too often is not asked any more, not by other runs and not after a restart, until its pause is over",
  verifies("D7"),
  async () => {
    const file = await makeLedgerFile();
    const clock = openManualClock();
    let isDown = true;
    let calls = 0;
    const reader = toReader({
      run() {
        calls += 1;
        if (isDown) throw new TuttiError("TOOL_UNAVAILABLE", "it is down");
        return "text";
      },
    });
    const flow = callOnce(reader);
    const limits: LimitTable = { "tool/page.read": { breaker: { failures: 2, openMs: 60_000 } } };
    const open = () => openTutti({ flows: [flow], ledger: file, control: false, clock, limits });
    const first = await open();
    for (let run = 0; run < 2; run++) await errorOf(first.run(flow, {}));
    const refused = await errorOf(first.run(flow, {}));
    expect(refused).toMatchObject({
      code: "TOOL_UNAVAILABLE",
      effect: "none",
      facts: { limit: "tool/page.read", why: "open" },
    });
    expect(refused.hint).toContain("tutti limits");
    await first.close();
    const second = await open();
    expect((await errorOf(second.run(flow, {}))).facts["why"]).toBe("open");
    expect(calls).toBe(2);
    isDown = false;
    await clock.advance(60_000);
    expect(await second.run(flow, {})).toBe("text");
    expect(await second.run(flow, {})).toBe("text");
    await second.close();
  },
);

test(
  "at most so many calls of a tool are at work, over all runs; the others wait, and the ledger does not know of them",
  verifies("D7"),
  async () => {
    const stage = openStage();
    const office = openPostOffice();
    const gate = makeGate();
    let atWork = 0;
    let atWorkMost = 0;
    const mail = toMailTool(office, {
      async run({ to }, { idempotencyKey }) {
        atWorkMost = Math.max(atWorkMost, ++atWork);
        await gate.opened;
        atWork -= 1;
        return office.send(to, idempotencyKey);
      },
    });
    const flow = plainFlow("mailing", (run) =>
      run.map(["a", "b"], (inner, to) => inner.call(mail, { to: `${to} of ${run.id}` })),
    );
    const tutti = await stage.open([flow], { limits: { "tool/*": { concurrentMax: 2 } } });
    const handles = await Promise.all(["one", "two"].map((id) => tutti.start(flow, {}, { id })));
    await until(() => atWork === 2);
    await takeTurns(50);
    expect(stage.entries.filter((entry) => entry.kind === "effect-intended")).toHaveLength(2);
    gate.open();
    for (const handle of handles) await handle.result();
    expect(atWorkMost).toBe(2);
    expect(office.sent).toHaveLength(4);
  },
);

test.for(["reads", "sends"])(
  "who waits for a turn and %s can be cancelled and paused, and nothing was called",
  verifies("D7", "D11"),
  async (does) => {
    const stage = openStage();
    const called: string[] = [];
    const office = openPostOffice();
    const reader = toReader({ run: (_, { runId }) => void called.push(runId) });
    const mail = toMailTool(office, {
      run({ to }, { idempotencyKey, runId }) {
        called.push(runId);
        return office.send(to, idempotencyKey);
      },
    });
    const flow = plainFlow("waiting", (run) =>
      does === "reads" ? run.call(reader, {}) : run.call(mail, { to: run.id }),
    );
    const tutti = await stage.open([flow], { limits: { "tool/*": { rate: { calls: 1, perMs: 30_000 } } } });
    await tutti.run(flow, {}, { id: "first" });
    const cancelled = await tutti.start(flow, {});
    const paused = await tutti.start(flow, {}, { id: "paused" });
    await takeTurns(50);
    await cancelled.cancel();
    expect((await errorOf(cancelled.result())).code).toBe("RUN_CANCELLED");
    await paused.pause();
    expect((await paused.state()).kind).toBe("paused");
    expect(linesOf(await paused.entries())).toEqual(["run-started", "run-paused"]);
    expect(linesOf(await cancelled.entries())).toEqual(["run-started", "cancel-requested", "run-cancelled"]);
    await paused.resume();
    const result = paused.result();
    await stage.clock.advance(30_000);
    await result;
    expect(called).toEqual(["first", "paused"]);
  },
);

test("what a provider of models asks one agent to wait, all its callers wait", verifies("D7"), async () => {
  const stage = openStage();
  const limited = new TuttiError("MODEL_RATE_LIMITED", "slower", { retryAfterMs: 20_000 });
  const model = scriptedModel((_, index) => (index === 0 ? { error: limited } : { answer: { text: "yes" } }));
  const writer = agent({
    name: "writer",
    does: "Writes.",
    model: "fast",
    input: anything,
    output: z.object({ text: z.string() }),
    instructions: "",
  });
  const flow = plainFlow("writing", (run) => run.call(writer, {}));
  const tutti = await stage.open([flow], { models: { fast: model }, limits: { "model/scripted": {} } });
  const first = await tutti.start(flow, {});
  await until(() => bodiesOf(stage.entries, "attempt-failed").length === 1);
  const second = await tutti.start(flow, {});
  await stage.clock.advance(19_999);
  expect(model.requests).toHaveLength(1);
  await stage.clock.advance(1);
  await stage.clock.advance(20_000);
  await Promise.all([first.result(), second.result()]);
  expect(model.requests).toHaveLength(3);
});

test("a tenant has its own limit, whatever its runs call", verifies("D7"), async () => {
  const stage = openStage();
  const gate = makeGate();
  const called: string[] = [];
  const slow = (name: string) =>
    toReader({ name, run: (_, { runId }) => gate.opened.then(() => void called.push(runId)) });
  const [left, right] = [slow("left"), slow("right")];
  const flow = plainFlow("both", (run) => Promise.all([run.call(left, {}), run.call(right, {})]));
  const tutti = await stage.open([flow], { limits: { "tenant/acme": { concurrentMax: 1, waitMaxMs: 10 } } });
  const limited = await tutti.start(flow, {}, { id: "limited", tenant: "acme" });
  const free = await tutti.start(flow, {}, { id: "free", tenant: "other" });
  await takeTurns(50);
  await stage.clock.advance(10);
  expect(await errorOf(limited.result())).toMatchObject({ code: "TOOL_RATE_LIMITED", facts: { limit: "tenant/acme" } });
  gate.open();
  await free.result();
  expect(called.filter((run) => run === "free")).toHaveLength(2);
});

test(
  "when a tool is down, its calls are bounded however many steps would try again",
  verifies("D5", "D7"),
  async () => {
    const stage = openStage();
    let calls = 0;
    const reader = toReader({
      retry: { attemptsMax: 5, delayMs: 1, delayMaxMs: 1 },
      run() {
        calls += 1;
        throw new TuttiError("TOOL_UNAVAILABLE", "it is down");
      },
    });
    const flow = plainFlow("reading", async (run) => {
      const joined = await run.map(Array.from({ length: 20 }), (inner) => inner.call(reader, {}), {
        need: "bestEffort",
      });
      return joined.outcomes.map((outcome) => (outcome.kind === "failed" ? outcome.error.code : outcome.kind));
    });
    const tutti = await stage.open([flow], { limits: { "tool/page.read": { retriesMax: 7 } } });
    const handle = await tutti.start(flow, {});
    await until(() => calls === 20);
    for (let pause = 0; pause < 6; pause++) await stage.clock.advance(5);
    expect(await handle.result()).toEqual(Array.from({ length: 20 }, () => "RETRIES_SPENT"));
    expect(calls).toBe(27);
  },
);

test(
  "a once tool that is refused before its first attempt has no intent, and its key is free",
  verifies("D7", "D3"),
  async () => {
    const stage = openStage();
    const office = openPostOffice();
    let isDown = true;
    const mail = toMailTool(office, {
      retry: { attemptsMax: 2, delayMs: 10 },
      check: () => undefined,
      run({ to }, { idempotencyKey }) {
        if (isDown) throw new TuttiError("TOOL_UNAVAILABLE", "it is down");
        return office.send(to, idempotencyKey);
      },
    });
    const flow = plainFlow("mailing", (run) => run.call(mail, { to: "a" }));
    const limits: LimitTable = { "tool/mail.send": { breaker: { failures: 1, openMs: 1_000 } } };
    const tutti = await stage.open([flow], { limits });
    const first = await tutti.start(flow, {});
    await until(() => bodiesOf(stage.entries, "attempt-failed").length === 1);
    // The second attempt comes when it may be tried again, and the third is one too many.
    await stage.clock.advance(10);
    expect((await errorOf(first.result())).facts["why"]).toBe("open");
    const second = await tutti.start(flow, {}, { id: "second" });
    await until(() => bodiesOf(stage.entries, "attempt-failed").length === 2);
    expect(linesOf(await second.entries())).toEqual(["run-started", "attempt-failed /mail.send"]);
    isDown = false;
    await stage.clock.advance(1_000);
    await second.result();
    expect(office.sent).toEqual(["a"]);
    expect(linesOf(await second.entries()).slice(2)).toEqual([
      "effect-intended /mail.send",
      "effect-settled /mail.send",
      "run-done",
    ]);
  },
);

test(
  "a tool without a limit of its own that never answers is given up after the engine's",
  verifies("D7"),
  async () => {
    const stage = openStage();
    const reader = toReader({ run: () => new Promise(() => {}) });
    const flow = callOnce(reader);
    const tutti = await stage.open([flow]);
    const handle = await tutti.start(flow, {});
    await takeTurns(20);
    await stage.clock.advance(899_999);
    expect((await handle.state()).kind).toBe("running");
    await stage.clock.advance(1);
    expect(await errorOf(handle.result())).toMatchObject({ code: "STEP_TIMEOUT", facts: { timeoutMs: 900_000 } });
    const hurried = await stage.open([flow], { toolTimeoutMs: 50 });
    const other = await hurried.start(flow, {});
    await takeTurns(20);
    await stage.clock.advance(50);
    expect((await errorOf(other.result())).facts["timeoutMs"]).toBe(50);
  },
);

test("limits that can't work are refused where they are declared", verifies("D7"), async () => {
  const stage = openStage();
  const bad: readonly LimitTable[] = [
    { "page.read": {} },
    { "tool/": {} },
    { "tool/x": { concurrentMax: 0 } },
    { "tool/x": { rate: { calls: 1, perMs: 0 } } },
    { "tool/x": { breaker: { ratio: 2 } } },
    { "tool/x": { waitMaxMs: -1 } },
    { "tenant/x": { breaker: {} } },
  ];
  const flow = callOnce(toReader({}));
  for (const limits of bad) expect((await errorOf(stage.open([flow], { limits }))).code).toBe("DEFINITION_INVALID");
  expect((await errorOf(stage.open([flow], { toolTimeoutMs: 0 }))).code).toBe("DEFINITION_INVALID");
});

test("what is declared for others costs a call no entry and no write", verifies("D7"), async () => {
  const stage = openStage();
  const kept: string[] = [];
  const ledger = { ...stage.ledger, keep: (name: string) => void kept.push(name), close: async () => {} };
  const flow = callOnce(toReader({}));
  const limits: LimitTable = {
    "tool/other": { concurrentMax: 1 },
    "tool/page.read": { concurrentMax: 1, breaker: {} },
  };
  const tutti = await stage.open([flow], { ledger, limits, budgets: { "flow/other": { usd: 1 } } });
  for (let run = 0; run < 5; run++) await tutti.run(flow, {});
  expect(kept).toEqual([]);
  expect(stage.entries).toHaveLength(15);
});
