import { expect, test } from "vitest";
import { z } from "zod";

import {
  anything,
  bodiesOf,
  errorOf,
  makeLedgerFile,
  openStage,
  plainFlow,
  until,
} from "../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { agent } from "../agents/agent.ts";
import { TuttiError } from "../base/errors.ts";
import type { Budget } from "../contracts/budget.ts";
import type { Model } from "../contracts/model.ts";
import { openTutti } from "../engine/open-tutti.ts";
import { openSqliteLedger } from "../ledger/sqlite/sqlite-ledger.ts";
import { withPrice } from "../models/pricing/with-price.ts";
import { openManualClock } from "../testing/manual-clock.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { tool } from "../tools/tool.ts";

const definition = {
  name: "writer",
  does: "Writes.",
  model: "fast",
  input: anything,
  output: z.object({ text: z.string() }),
  instructions: "",
};
const writer = agent(definition);
const writing = plainFlow("writing", (run) => run.call(writer, {}));
const reply = {
  text: '{"text":"yes"}',
  toolCalls: [],
  usage: { modelCalls: 1, inputTokens: 1_000, outputTokens: 100 },
};
const silent: Model = { provider: "silent", id: "s-1", generate: async () => reply };

test(
  "a model without a price can't be asked under a budget in dollars; with one, tokens are priced",
  verifies("G11"),
  async () => {
    const stage = openStage();
    const price = { input: 3, output: 15, outputTokensMax: 1_000 };
    const tutti = await stage.open([writing], { models: { fast: silent } });
    const error = await errorOf(tutti.run(writing, {}, { budget: { usd: 5 } }));
    expect(error).toMatchObject({ code: "DEFINITION_INVALID", effect: "none" });
    await tutti.run(writing, {}, { id: "tokens", budget: { tokens: 50_000 } });
    const priced = await stage.open([writing], { models: { fast: withPrice(silent, price) } });
    await priced.run(writing, {}, { id: "priced", budget: { usd: 5 } });
    const [tokens, dollars] = bodiesOf(stage.entries, "budget-reserved").map((body) => body.amount);
    expect(tokens?.tokens).toBeGreaterThan(16_384);
    expect(dollars?.usd).toBeGreaterThan(0.015);
    expect(bodiesOf(stage.entries, "budget-settled").map(({ charged }) => charged.usd)).toEqual([undefined, 0.0045]);
    expect(() => withPrice(silent, { ...price, input: -1 })).toThrow(/input is -1/u);
  },
);

test("what a tool reports that it used is what it is charged for", verifies("G11"), async () => {
  const stage = openStage();
  const usage = { modelCalls: 1, inputTokens: 20, outputTokens: 5, costUsd: 0.02 };
  const draw = tool({
    name: "image.draw",
    does: "Draws.",
    input: anything,
    output: anything,
    effect: "read",
    guarantees: { costUsd: 0.1 },
    run: (_, { report }) => report({ usage }),
  });
  const office = openPostOffice();
  const mail = toMailTool(office, {
    guarantees: { costUsd: 0.5 },
    run({ to }, { idempotencyKey, report }) {
      report({ usage });
      return office.send(to, idempotencyKey);
    },
  });
  const flow = plainFlow("drawing", async (run) => {
    await run.call(draw, {});
    await run.call(mail, { to: "a" });
  });
  const tutti = await stage.open([flow]);
  await tutti.run(flow, {}, { budget: { usd: 1 } });
  const charged = { usd: 0.02, tokens: 25, calls: 1 };
  expect(bodiesOf(stage.entries, "budget-settled").map((body) => body.charged)).toEqual([charged, charged]);
  expect(bodiesOf(stage.entries, "step-done").map((body) => body.report?.usage)).toEqual([usage]); // and stays reported
});

test("a question is stopped when the time that its budget left it is over", verifies("G11"), async () => {
  const stage = openStage();
  const reasons: unknown[] = [];
  const hanging: Model = {
    ...scriptedModel([]),
    generate: (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          reasons.push(signal.reason);
          reject(signal.reason);
        });
      }),
  };
  const tutti = await stage.open([writing], { models: { fast: hanging } });
  const handle = await tutti.start(writing, {}, { budget: { timeMs: 5_000 } });
  await until(() => stage.entries.some((entry) => entry.kind === "budget-reserved"));
  await stage.clock.advance(5_000);
  await stage.clock.advance(60_000); // the pause before the next try, which finds nothing left
  expect(await errorOf(handle.result())).toMatchObject({ code: "BUDGET_SPENT", facts: { unit: "timeMs", left: 0 } });
  expect(reasons).toEqual([expect.objectContaining({ code: "STEP_TIMEOUT", facts: { timeoutMs: 5_000 } })]);
});

test("a tool is stopped when the time that its budget left it is over", verifies("G11", "D7"), async () => {
  const stage = openStage();
  const hang = tool({
    name: "hang",
    does: "Never answers.",
    input: anything,
    output: anything,
    effect: "read",
    retry: { attemptsMax: 1 },
    run: () => new Promise(() => {}),
  });
  const flow = plainFlow("hanging", (run) => run.call(hang, {}, { budget: { timeMs: 700 } }));
  const tutti = await stage.open([flow]);
  const handle = await tutti.start(flow, {});
  await until(() => stage.entries.some((entry) => entry.kind === "budget-reserved"));
  await stage.clock.advance(700);
  expect(await errorOf(handle.result())).toMatchObject({ code: "STEP_TIMEOUT", facts: { timeoutMs: 700 } });
});

test(
  "a provider's error status costs nothing; a broken connection costs all, because nobody knows",
  verifies("G11"),
  async () => {
    const stage = openStage();
    const errors = [
      new TuttiError("MODEL_RATE_LIMITED", "slower"),
      new TuttiError("MODEL_UNAVAILABLE", "down", { facts: { status: 503 } }),
      new TuttiError("MODEL_UNAVAILABLE", "the line broke"),
    ];
    const model = scriptedModel([...errors.map((error) => ({ error })), { answer: { text: "yes" } }]);
    const tutti = await stage.open([writing], { models: { fast: model } });
    const handle = await tutti.start(writing, {}, { budget: { usd: 1 } });
    await until(() => model.requests.length === 1);
    for (let pause = 0; pause < 3; pause++) await stage.clock.advance(30_000);
    await handle.result();
    expect(bodiesOf(stage.entries, "budget-settled").map(({ charged }) => charged.usd ?? 0)).toEqual([
      0, 0, 0.01, 0.01,
    ]);
  },
);

test(
  "when several models stand behind one, its error costs all: another may have been paid before",
  verifies("G11"),
  async () => {
    const stage = openStage();
    const facts = { status: 503, passedOver: ["a/b MODEL_ANSWER_INVALID"] };
    const errors = [
      new TuttiError("MODEL_UNAVAILABLE", "down", { facts }),
      new TuttiError("SECRET_EXPOSED", "not sent"),
    ];
    const model = scriptedModel(errors.map((error) => ({ error })));
    const tutti = await stage.open([writing], { models: { fast: model } });
    const handle = await tutti.start(writing, {}, { budget: { usd: 1 } });
    await until(() => model.requests.length === 1);
    await stage.clock.advance(30_000);
    expect((await errorOf(handle.result())).code).toBe("SECRET_EXPOSED");
    expect(bodiesOf(stage.entries, "budget-settled").map(({ charged }) => charged.usd ?? 0)).toEqual([0.01, 0]);
  },
);

test("budgets and accounts that can't work are refused where they are declared", verifies("G11"), async () => {
  const stage = openStage();
  const bad: readonly Budget[] = [{ usd: Number.NaN }, { usd: -1 }, { tokens: 1.5 }, { calls: -2 }];
  const tutti = await stage.open([writing], { models: { fast: silent } });
  for (const budget of bad) {
    expect((await errorOf(stage.open([writing], { budgets: { "flow/writing": budget } }))).code).toBe(
      "DEFINITION_INVALID",
    );
    expect((await errorOf(tutti.start(writing, {}, { budget }))).code).toBe("INPUT_INVALID");
    expect(() => agent({ ...definition, budget })).toThrow(/its budget can't be kept/u);
    const flow = plainFlow("calling", (run) => run.call(writer, {}, { budget }));
    const calling = await stage.open([flow], { models: { fast: silent } });
    expect((await errorOf(calling.run(flow, {}))).code).toBe("INPUT_INVALID");
  }
  for (const account of ["run/one", "agent/x", "acme"]) {
    expect((await errorOf(stage.open([writing], { budgets: { [account]: {} } }))).code).toBe("DEFINITION_INVALID");
  }
  expect((await errorOf(tutti.start(writing, {}, { tenant: "a b" }))).code).toBe("INPUT_INVALID");
});

/** Two questions side by side and two mails, on a file; its disk fails at the given commit, and another process goes on. */
async function dieAt(commit: number): Promise<{ readonly isOver: boolean; readonly died: boolean }> {
  const file = await makeLedgerFile();
  const clock = openManualClock();
  const office = openPostOffice();
  const mail = toMailTool(office, {
    effect: "idempotent",
    guarantees: { costUsd: 0.1 },
    run({ to }, { idempotencyKey }) {
      const sent = office.receiptOf(to);
      return sent ?? office.send(to, idempotencyKey);
    },
  });
  const flow = plainFlow("both", async (run) => {
    await run.map([1, 2], (inner) => inner.call(writer, {}), { need: "bestEffort" });
    for (const to of ["a", "b"]) await run.call(mail, { to });
  });
  const model = scriptedModel(() => ({ answer: { text: "yes" } }));
  const open = async (failsAt: number) => {
    const ledger = await openSqliteLedger(file, {
      clock,
      fault(point, count) {
        if (point === "commit" && count >= failsAt) throw new Error("the disk is full");
      },
    });
    return openTutti({ flows: [flow], tools: [mail], models: { fast: model }, ledger, clock });
  };
  const first = await open(commit);
  const budget = { usd: 0.23 };
  const died = await first.run(flow, {}, { id: "run", budget }).then(
    () => false,
    () => true,
  );
  await first.close();
  const second = await open(Number.POSITIVE_INFINITY);
  await second.run(flow, {}, { id: "run", budget }).catch(() => {}); // it may find too little left
  const [account] = await second.accounts();
  await second.close();
  const realUsd = model.requests.length * 0.01 + office.sent.length * 0.1;
  expect(account?.reserved).toEqual({});
  expect(account?.spent.usd).toBeLessThanOrEqual(budget.usd);
  expect(account?.spent.usd).toBeGreaterThanOrEqual(realUsd - 1e-9);
  return { isOver: true, died };
}

test(
  "wherever the process dies, its budget is kept, all that was spent is known, and nothing stays reserved",
  verifies("G11", "D1"),
  async () => {
    let commit = 2; // the first one is the start: without it there is no run
    while ((await dieAt(commit)).died) commit += 1;
    expect(commit).toBeGreaterThan(8);
  },
);
