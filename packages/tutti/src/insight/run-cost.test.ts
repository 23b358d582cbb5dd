import { afterEach, expect, test } from "vitest";
import { z } from "zod";

import { verifies } from "../../../../test/verifies.ts";
import { agent } from "../agents/agent.ts";
import { TuttiError } from "../base/errors.ts";
import type { Model } from "../contracts/model.ts";
import { openTutti } from "../engine/open-tutti.ts";
import type { Tutti } from "../engine/tutti.ts";
import { flow } from "../flow/flow.ts";
import { openMemoryLedger } from "../ledger/memory/memory-ledger.ts";
import { failover } from "../models/failover.ts";
import { openManualClock } from "../testing/manual-clock.ts";
import { scriptedModel, type ScriptedReply } from "../testing/scripted-model.ts";
import { toRunTree } from "./next-run-tree.ts";
import { totalsOf } from "./run-tree.ts";

let tutti: Tutti | undefined;
afterEach(() => tutti?.close());

const judge = agent({
  name: "judge",
  does: "Tells the mood.",
  model: "fast",
  input: z.object({ text: z.string() }),
  output: z.object({ mood: z.string() }),
  instructions: "",
});
const rate = flow({
  name: "rate",
  input: z.object({ texts: z.array(z.string()) }),
  output: z.object({ costs: z.array(z.number()) }),
  run: async (run, { texts }) => {
    const costs: number[] = [];
    for (const text of texts) costs.push((await run.result(judge, { text })).usage?.costUsd ?? 0);
    return { costs };
  },
});

const good: ScriptedReply = { answer: { mood: "good" } };
// Every scripted answer costs a cent: here a failed call cost as much.
const facts = { modelCalls: 1, inputTokens: 10, outputTokens: 5, costUsd: 0.01 };
const paidFor = (code: "MODEL_UNAVAILABLE" | "MODEL_ANSWER_INVALID"): ScriptedReply => ({
  error: new TuttiError(code, "paid and lost", { facts }),
});

async function play(model: Model, texts: readonly string[]) {
  const clock = openManualClock();
  tutti = await openTutti({ flows: [rate], models: { fast: model }, ledger: openMemoryLedger({ clock }), clock });
  const run = await tutti.start(rate, { texts: [...texts] });
  const ended = run.result().then(
    (output) => output.costs,
    () => undefined,
  );
  await clock.advance(60_000);
  const costs = await ended;
  return { costs, entries: await run.entries(), usage: totalsOf(toRunTree(await run.entries())).usage };
}

test("a run costs what its agents cost, and an agent what its questions cost", verifies("M4"), async () => {
  const { costs, usage } = await play(
    scriptedModel(() => good),
    ["a", "b", "c"],
  );
  expect(costs).toEqual([0.01, 0.01, 0.01]);
  expect(usage.modelCalls).toBe(3);
  expect(usage.costUsd).toBeCloseTo(0.03, 10);
});

test(
  "models that were passed over are in the ledger, with why, and paid once",
  verifies("M3", "M4", "O1"),
  async () => {
    const failing = { ...scriptedModel(() => paidFor("MODEL_ANSWER_INVALID")), id: "failing" };
    const { costs, usage, entries } = await play(failover([failing, scriptedModel(() => good)]), ["a"]);
    expect(costs).toEqual([0.02]);
    expect(usage).toMatchObject({ modelCalls: 2, inputTokens: 20, costUsd: 0.02 });
    const [recorded] = entries.filter(({ kind }) => kind === "step-done").map(({ body }) => body);
    expect(recorded).toContain('"model":"scripted/script-1"');
    expect(recorded).toContain(
      '"passedOver":[{"model":"scripted/failing","code":"MODEL_ANSWER_INVALID","why":"paid and lost"}]',
    );
  },
);

test(
  "a try that was paid and lost is counted in the run, also when the agent fails or tries again",
  verifies("M4"),
  async () => {
    const again = await play(scriptedModel([paidFor("MODEL_UNAVAILABLE"), good]), ["a"]);
    expect(again.costs).toEqual([0.01]);
    expect(again.usage).toMatchObject({ modelCalls: 2, costUsd: 0.02 });
    await tutti?.close();
    const failed = await play(scriptedModel([good, paidFor("MODEL_ANSWER_INVALID")]), ["a", "b"]);
    expect(failed.costs).toBeUndefined();
    expect(failed.usage).toMatchObject({ modelCalls: 2, costUsd: 0.02 });
  },
);
