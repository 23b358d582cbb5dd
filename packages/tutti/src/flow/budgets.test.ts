import { expect, test } from "vitest";
import { z } from "zod";

import {
  anything,
  bodiesOf,
  errorOf,
  linesOf,
  makeGate,
  openStage,
  plainFlow,
  until,
  type Stage,
} from "../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import type { AgentDefinition } from "../agents/agent-definition.ts";
import { agent } from "../agents/agent.ts";
import { TuttiError } from "../base/errors.ts";
import type { Budget } from "../contracts/budget.ts";
import { toEffectKey, toStepKey } from "../contracts/ids.ts";
import type { Model } from "../contracts/model.ts";
import type { Run } from "../contracts/run.ts";
import { scriptedModel } from "../testing/scripted-model.ts";

const Answer = z.object({ text: z.string() });

function toWriter(change: Partial<AgentDefinition<unknown, { text: string }>> = {}) {
  return agent({
    name: "writer",
    does: "Writes.",
    model: "fast",
    input: anything,
    output: Answer,
    instructions: "",
    ...change,
  });
}

/** Answers at once; a call costs a cent, and never more. */
const cheap = (): ReturnType<typeof scriptedModel> => scriptedModel(() => ({ answer: { text: "yes" } }));

const writer = toWriter();
const writeTimes = (times: number, options: { readonly budget?: Budget } = {}) =>
  plainFlow("writing", async (run) => {
    for (let index = 0; index < times; index++) await run.call(writer, {}, options);
  });

async function accountsOf(stage: Stage): Promise<Record<string, unknown>> {
  await stage.ledger.flush();
  const accounts = await stage.ledger.listAccounts();
  return Object.fromEntries(
    accounts.map(({ account, spent, reserved }) => [account, [spent.usd ?? 0, reserved.usd ?? 0]]),
  );
}

test("a call that could exceed the run's budget is not made, and says how much is left", verifies("G11"), async () => {
  const stage = openStage();
  const model = cheap();
  const flow = writeTimes(3);
  const tutti = await stage.open([flow], { models: { fast: model } });
  const error = await errorOf(tutti.run(flow, {}, { id: "run", budget: { usd: 0.025 } }));
  expect(error).toMatchObject({ code: "BUDGET_SPENT", disposition: "give-up", effect: "none" });
  expect(error.facts).toEqual({
    account: "run/run",
    unit: "usd",
    limit: 0.025,
    spent: 0.02,
    reserved: 0,
    left: 0.005,
    asked: 0.01,
  });
  expect(model.requests).toHaveLength(2);
  expect(await accountsOf(stage)).toEqual({ "run/run": [0.02, 0] });
});

test(
  "what a question may cost is durable before it is asked, and what it cost is in the ledger with the answer",
  verifies("G11"),
  async () => {
    const stage = openStage();
    const flow = writeTimes(1);
    let before: readonly string[] = [];
    const model = scriptedModel(() => {
      before = linesOf(stage.entries);
      return { answer: { text: "yes" } };
    });
    const tutti = await stage.open([flow], { models: { fast: model } });
    await tutti.run(flow, {}, { budget: { usd: 1, tokens: 1_000, calls: 5 } });
    expect(before.at(-1)).toBe("budget-reserved /writer/model");
    expect(linesOf(stage.entries).slice(2, 5)).toEqual([
      "budget-reserved /writer/model",
      "budget-settled /writer/model",
      "step-done /writer/model",
    ]);
    expect(bodiesOf(stage.entries, "budget-settled")).toEqual([
      { charged: { usd: 0.01, tokens: 15, calls: 1 }, by: "call" },
    ]);
  },
);

test(
  "parallel calls reserve together: the one that does not fit beside the others is refused while they are at work",
  verifies("G11"),
  async () => {
    const stage = openStage();
    const gate = makeGate();
    const model = scriptedModel(async () => {
      await gate.opened;
      return { answer: { text: "yes" } };
    });
    const flow = plainFlow("parallel", async (run) => {
      const joined = await run.map([1, 2, 3], (inner: Run) => inner.call(writer, {}), { need: "bestEffort" });
      return joined.outcomes.map((outcome) => (outcome.kind === "failed" ? outcome.error.code : outcome.kind));
    });
    const tutti = await stage.open([flow], { models: { fast: model }, budgets: { "flow/parallel": { usd: 0.02 } } });
    const handle = await tutti.start(flow, {});
    await until(() => stage.entries.some((entry) => entry.kind === "step-failed"));
    expect(model.requests).toHaveLength(2);
    expect(await accountsOf(stage)).toEqual({ "flow/parallel": [0, 0.02] });
    gate.open();
    expect(await handle.result()).toEqual(["done", "done", "BUDGET_SPENT"]);
    expect(await accountsOf(stage)).toEqual({ "flow/parallel": [0.02, 0] });
  },
);

test(
  "an agent steps down to the tier that it names, and gives up when that is too dear as well",
  verifies("G11"),
  async () => {
    const stage = openStage();
    const free: Model = { ...cheap(), worstCase: () => ({ tokens: 1, costUsd: 0 }) };
    const deep = cheap();
    const asked: unknown[] = [];
    const careful = toWriter({
      model: "deep",
      budget: { usd: 0.015, calls: 3 },
      stepDown: (left) => {
        asked.push(left);
        return left.unit === "usd" ? "free" : "deep";
      },
    });
    const flow = plainFlow("careful", async (run) => {
      for (let index = 0; index < 4; index++) await run.call(careful, {});
    });
    const tutti = await stage.open([flow], { models: { deep, free } });
    expect(await errorOf(tutti.run(flow, {}, { id: "run" }))).toMatchObject({
      code: "BUDGET_SPENT",
      facts: { unit: "calls" },
    });
    expect(deep.requests).toHaveLength(1);
    const account = "agent/run/writer";
    expect(asked[0]).toEqual({ tier: "deep", account, unit: "usd", left: 0.005, asked: 0.01 });
    expect(asked.at(-1)).toMatchObject({ tier: "free", unit: "calls", left: 0 });
  },
);

test(
  "every account on the way counts: tenant, flow, run, agent and call; children and forks pay into the same ones",
  verifies("G11"),
  async () => {
    const stage = openStage();
    const child = plainFlow("child", (run) => run.call(toWriter({ budget: { usd: 1 } }), {}));
    const parent = plainFlow("parent", (run) => run.call(child, {}, { budget: { usd: 0.5 } }));
    const budgets = { "tenant/*": { usd: 9 }, "tenant/acme": { usd: 5 }, "flow/*": { usd: 4 }, "run/*": { usd: 3 } };
    const tutti = await stage.open([parent, child], { models: { fast: cheap() }, budgets });
    const handle = await tutti.start(parent, {}, { id: "run", tenant: "acme", budget: { usd: 2 } });
    await handle.result();
    const paid = [
      "agent/run.child/writer",
      "call/run/child",
      "flow/child",
      "flow/parent",
      "run/run",
      "run/run.child",
      "tenant/acme",
    ];
    expect(await accountsOf(stage)).toEqual(Object.fromEntries(paid.map((account) => [account, [0.01, 0]])));
    const [acme] = await tutti.accounts({ under: "tenant/" });
    expect(acme?.limit).toEqual({ usd: 5 });
    const runs = await tutti.accounts({ under: "run/" });
    expect(runs.map((record) => record.limit)).toEqual([{ usd: 2 }, { usd: 3 }]); // its own, and that of every run
    const forked = await (await tutti.open("run.child")).fork(toStepKey("/writer/model"));
    await forked.result();
    const accounts = await accountsOf(stage);
    expect(accounts["tenant/acme"]).toEqual([0.02, 0]);
    expect(accounts["run/run"]).toEqual([0.02, 0]);
    expect(bodiesOf(stage.entries, "run-started").map((body) => body.tenant)).toEqual(["acme", "acme", "acme"]);
  },
);

test(
  "an effect is reserved with its intent; refused, it leaves neither, and its key stays free",
  verifies("G11", "D3"),
  async () => {
    const stage = openStage();
    const office = openPostOffice();
    const mail = toMailTool(office, { guarantees: { costUsd: 0.4 } });
    const flow = plainFlow("mailing", async (run) => {
      for (const to of ["a", "b", "c"]) await run.call(mail, { to });
    });
    const tutti = await stage.open([flow], { tools: [mail] });
    expect((await errorOf(tutti.run(flow, {}, { budget: { usd: 1 } }))).code).toBe("BUDGET_SPENT");
    expect(office.sent).toEqual(["a", "b"]);
    expect(linesOf(stage.entries).slice(1)).toEqual([
      "budget-reserved /mail.send",
      "effect-intended /mail.send",
      "budget-settled /mail.send",
      "effect-settled /mail.send",
      "budget-reserved /mail.send#2",
      "effect-intended /mail.send#2",
      "budget-settled /mail.send#2",
      "effect-settled /mail.send#2",
      "step-failed /mail.send#3",
      "run-failed",
    ]);
    expect(await stage.ledger.findEffect(toEffectKey(`${mail.name}:c`))).toBeUndefined();
  },
);

test(
  "what certainly did not happen costs nothing; what may have happened costs all until its outcome is known",
  verifies("G11"),
  async () => {
    const stage = openStage();
    const office = openPostOffice();
    const fails = (code: "TOOL_FAILED" | "TOOL_ANSWER_INVALID", to: string, isDone: boolean) =>
      toMailTool(office, {
        name: `mail.${to}`,
        guarantees: { costUsd: 1 },
        run: () => {
          throw new TuttiError(code, "no");
        },
        check: () => (isDone ? { receipt: "sent" } : undefined),
      });
    const tools = [
      fails("TOOL_FAILED", "none", false),
      fails("TOOL_ANSWER_INVALID", "lost", false),
      fails("TOOL_ANSWER_INVALID", "sent", true),
    ];
    const flow = plainFlow("mailing", async (run) => {
      for (const tool of tools) await run.call(tool, { to: "a" }).catch(() => {});
    });
    const tutti = await stage.open([flow], { tools });
    await tutti.run(flow, {}, { budget: { usd: 9 } });
    expect(bodiesOf(stage.entries, "budget-settled").map(({ charged, by }) => [charged.usd ?? 0, by])).toEqual([
      [0, "call"],
      [0, "outcome"],
      [1, "outcome"],
    ]);
  },
);

test(
  "after a crash in the middle of a question, what it had reserved is spent, and it is asked again if there is room",
  verifies("G11", "D1"),
  async () => {
    const stage = openStage();
    const gate = makeGate();
    let asked = 0;
    const model: Model = {
      ...cheap(),
      async generate(request, signal) {
        if (asked++ === 0) await gate.opened;
        return cheap().generate(request, signal);
      },
    };
    const flow = writeTimes(1);
    const first = await stage.open([flow], { models: { fast: model } });
    const handle = await first.start(flow, {}, { id: "run", budget: { usd: 0.02 } });
    await until(() => asked === 1);
    const second = await stage.open([flow], { models: { fast: model } });
    await (await second.open("run")).result();
    expect(bodiesOf(stage.entries, "budget-settled").map(({ charged, by }) => [charged.usd, by])).toEqual([
      [0.01, "crash"],
      [0.01, "call"],
    ]);
    expect(await accountsOf(stage)).toEqual({ "run/run": [0.02, 0] });
    gate.open(); // the first process lives on, and may not write any more
    expect((await errorOf(handle.result())).code).toBe("LEDGER_FENCED");
    expect(await accountsOf(stage)).toEqual({ "run/run": [0.02, 0] });
  },
);

test(
  "a run that is cancelled in the middle of a question leaves nothing reserved, and what nobody knows is spent",
  verifies("G11", "D11"),
  async () => {
    const stage = openStage();
    const model: Model = { ...cheap(), generate: () => new Promise(() => {}) };
    const flow = writeTimes(1);
    const tutti = await stage.open([flow], { models: { fast: model } });
    const handle = await tutti.start(flow, {}, { id: "run", budget: { usd: 0.5 } });
    await until(() => stage.entries.some((entry) => entry.kind === "budget-reserved"));
    await handle.cancel();
    await errorOf(handle.result());
    expect(await accountsOf(stage)).toEqual({ "run/run": [0.01, 0] });
  },
);
