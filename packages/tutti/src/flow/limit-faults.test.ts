import { expect, test } from "vitest";
import { z } from "zod";

import {
  anything,
  bodiesOf,
  errorOf,
  makeGate,
  openStage,
  plainFlow,
  until,
} from "../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { agent } from "../agents/agent.ts";
import { describeThrown, TuttiError } from "../base/errors.ts";
import { toEffectKey } from "../contracts/ids.ts";
import type { Model } from "../contracts/model.ts";
import type { LimitTable } from "../limits/limit.ts";
import { takeTurns } from "../testing/manual-clock.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { tool, type ToolDefinition } from "../tools/tool.ts";

const toReader = (change: Partial<ToolDefinition<unknown, unknown>> = {}) =>
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

const one: LimitTable = { "tool/*": { concurrentMax: 1 }, "model/*": { concurrentMax: 1 } };
const writer = agent({
  name: "writer",
  does: "Writes.",
  model: "fast",
  input: anything,
  output: z.object({ text: z.string() }),
  instructions: "",
});
const cheap = () => scriptedModel(() => ({ answer: { text: "yes" } }));

test("a call that shares another's effect gives its place back", verifies("D7", "D4"), async () => {
  const stage = openStage();
  const office = openPostOffice();
  const mail = toMailTool(office);
  const flow = plainFlow("mailing", async (run) => {
    for (const to of ["a", "a", "b"]) await run.call(mail, { to });
  });
  const tutti = await stage.open([flow], { limits: one });
  await tutti.run(flow, {});
  expect(office.sent).toEqual(["a", "b"]);
});

test("a call that its budget refuses gives its place back", verifies("D7", "G11"), async () => {
  const stage = openStage();
  const reader = toReader();
  const reading = plainFlow("reading", (run) => run.call(reader, {}));
  const writing = plainFlow("writing", (run) => run.call(writer, {}));
  const tutti = await stage.open([reading, writing], { limits: one, models: { fast: cheap() } });
  for (const flow of [reading, writing]) {
    expect((await errorOf(tutti.run(flow, {}, { budget: { calls: 0 } }))).code).toBe("BUDGET_SPENT");
    for (const calls of [1, 2]) await tutti.run(flow, {}, { budget: { calls } });
  }
});

test("what a tool's gate refuses gives the tenant's place back", verifies("D7"), async () => {
  const stage = openStage();
  const away = toReader({
    run: () => {
      throw new TuttiError("TOOL_RATE_LIMITED", "slower", { retryAfterMs: 3_000_000 });
    },
  });
  const other = toReader({ name: "page.find" });
  const flow = plainFlow("both", async (run) => {
    const codes: string[] = [];
    for (const reader of [away, away, other]) {
      await run.call(reader, {}).catch((error: unknown) => codes.push(describeThrown(error)));
    }
    return codes;
  });
  const limits: LimitTable = { "tool/page.read": {}, "tenant/*": { concurrentMax: 1 } };
  const tutti = await stage.open([flow], { limits });
  expect(await tutti.run(flow, {}, { tenant: "acme" })).toEqual([
    "slower",
    "the provider of tool/page.read wants to be left alone for 3000000 ms",
  ]);
});

test(
  "a branch that lost its race while its reservation was on its way to the disk calls nothing and pays nothing",
  verifies("G11", "D11"),
  async () => {
    let gate: Promise<void> | undefined;
    const stage = openStage((point) => (point === "sync" ? gate : undefined));
    const called: string[] = [];
    const paid = toReader({ guarantees: { costUsd: 1 }, run: () => void called.push("paid") });
    const flow = plainFlow("racing", async (run) => {
      const won = await run.race({
        slow: (inner) => inner.call(paid, {}),
        quick: (inner) => inner.step("quick", () => reserved.then(() => "quick"), { effect: "read" }),
      });
      await run.step("more", () => 1);
      return won.name;
    });
    const { promise: reserved, resolve } = Promise.withResolvers<void>();
    const tutti = await stage.open([flow]);
    const handle = await tutti.start(flow, {}, { budget: { usd: 5 } });
    const disk = makeGate();
    gate = disk.opened;
    await until(() => stage.entries.some((entry) => entry.kind === "budget-reserved"));
    resolve();
    await takeTurns(20);
    gate = undefined;
    disk.open();
    expect(await handle.result()).toBe("quick");
    expect(called).toEqual([]);
    expect(bodiesOf(stage.entries, "budget-settled")).toEqual([{ charged: {}, by: "call" }]);
  },
);

test(
  "a driver that lost its run leaves its places, also those of branches that still wait",
  verifies("D7", "D1"),
  async () => {
    const stage = openStage();
    const gate = makeGate();
    const called: string[] = [];
    const reader = toReader({
      async run(_, { runId }) {
        called.push(runId);
        if (runId === "holder") await gate.opened;
      },
    });
    const flow = plainFlow("reading", (run) => Promise.all([run.call(reader, {}), run.call(reader, {})]));
    const budgets = { "flow/reading": { calls: 50 } };
    const first = await stage.open([flow], { limits: one, budgets });
    const holder = await first.start(flow, {}, { id: "holder" });
    await until(() => called.length === 1);
    const lost = await first.start(flow, {}, { id: "lost" });
    await takeTurns(50);
    const second = await stage.open([flow], { recover: false });
    await (await second.open("lost")).result();
    gate.open();
    await holder.result();
    await lost.result(); // as the other process left it
    await first.run(flow, {}, { id: "next" });
    expect(called.filter((run) => run === "next")).toHaveLength(2);
  },
);

test(
  "a `once` tool without a check is not what an open breaker is tried with, before four pauses are over",
  verifies("D7"),
  async () => {
    const stage = openStage();
    const office = openPostOffice();
    let isDown = true;
    const mail = toMailTool(office, {
      retry: { attemptsMax: 1 },
      run({ to }, { idempotencyKey }) {
        if (isDown) throw new TuttiError("TOOL_UNAVAILABLE", "it is down");
        return office.send(to, idempotencyKey);
      },
    });
    const flow = plainFlow("mailing", (run) => run.call(mail, { to: "a" }));
    const limits: LimitTable = { "tool/mail.send": { breaker: { failures: 1, openMs: 1_000 } } };
    const tutti = await stage.open([flow], { limits });
    await errorOf(tutti.run(flow, {}));
    isDown = false;
    await stage.clock.advance(1_000);
    expect((await errorOf(tutti.run(flow, {}))).retryAfterMs).toBe(undefined); // as the ledger keeps errors
    expect(office.sent).toEqual([]);
    await stage.clock.advance(3_000);
    await tutti.run(flow, {});
    expect(office.sent).toEqual(["a"]);
  },
);

test(
  "a question that is cancelled says nothing against its model, and gives its place back",
  verifies("D7", "D11"),
  async () => {
    const stage = openStage();
    let asked = 0;
    const model: Model = {
      ...cheap(),
      generate: (request, signal) =>
        asked++ === 0
          ? new Promise((_resolve, reject) => {
              signal.addEventListener("abort", () => reject(new Error("aborted")));
            })
          : cheap().generate(request, signal),
    };
    const flow = plainFlow("writing", (run) => run.call(writer, {}));
    const limits: LimitTable = { "model/scripted": { concurrentMax: 1, breaker: { failures: 1 } } };
    const tutti = await stage.open([flow], { limits, models: { fast: model } });
    const handle = await tutti.start(flow, {});
    await until(() => asked === 1);
    await handle.cancel();
    await errorOf(handle.result());
    for (let run = 0; run < 2; run++) await tutti.run(flow, {});
    expect(asked).toBe(3);
  },
);

test("an answer that does not say what it cost is charged at its worst case", verifies("G11"), async () => {
  const stage = openStage();
  const silent: Model = {
    ...cheap(),
    async generate(request, signal) {
      const reply = await cheap().generate(request, signal);
      return { ...reply, usage: { modelCalls: 1, inputTokens: 1, outputTokens: 1 } };
    },
  };
  const flow = plainFlow("writing", (run) => run.call(writer, {}));
  const tutti = await stage.open([flow], { models: { fast: silent } });
  await tutti.run(flow, {}, { budget: { usd: 1 } });
  expect(bodiesOf(stage.entries, "budget-settled").map(({ charged }) => charged.usd)).toEqual([0.01]);
});

test(
  "a new process counts what a dead one had begun as spent at once, before its call's turn comes again",
  verifies("G11", "D1"),
  async () => {
    const stage = openStage();
    let calls = 0;
    const paid = toReader({ guarantees: { costUsd: 1 }, run: () => (++calls === 1 ? new Promise(() => {}) : "text") });
    const flow = plainFlow("reading", (run) => run.call(paid, {}));
    const first = await stage.open([flow]);
    void first.start(flow, {}, { id: "run", budget: { usd: 5 } });
    await until(() => calls === 1);
    const second = await stage.open([flow], {
      recover: false,
      limits: { "tool/*": { rate: { calls: 1, perMs: 9_000 } } },
    });
    await second.run(flow, {});
    const result = (await second.open("run")).result();
    await until(() => bodiesOf(stage.entries, "budget-settled").length === 1);
    expect(calls).toBe(2);
    expect(await second.accounts()).toMatchObject([{ account: "run/run", spent: { usd: 1 }, reserved: {} }]);
    await stage.clock.advance(9_000);
    await result;
    expect(await second.accounts()).toMatchObject([{ account: "run/run", spent: { usd: 2 }, reserved: {} }]);
  },
);

test(
  "an effect that did not happen before a crash costs nothing, and refused after it, its key is free",
  verifies("G11", "D3"),
  async () => {
    const stage = openStage();
    const office = openPostOffice();
    let calls = 0;
    const mail = toMailTool(office, {
      guarantees: { costUsd: 1 },
      check: () => undefined,
      run: () => (++calls === 1 ? new Promise<never>(() => {}) : { receipt: "sent" }),
    });
    const flow = plainFlow("mailing", (run) => run.call(mail, { to: "a" }));
    const first = await stage.open([flow]);
    void first.start(flow, {}, { id: "run", budget: { usd: 5 } });
    await until(() => calls === 1);
    const second = await stage.open([flow], { recover: false, budgets: { "flow/mailing": { calls: 0 } } });
    expect((await errorOf((await second.open("run")).result())).code).toBe("BUDGET_SPENT");
    expect(bodiesOf(stage.entries, "budget-settled")).toEqual([{ charged: {}, by: "outcome" }]);
    expect((await stage.ledger.findEffect(toEffectKey("mail.send:a")))?.state).toBe("failed");
  },
);
