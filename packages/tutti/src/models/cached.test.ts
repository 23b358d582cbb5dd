import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect, test } from "vitest";
import { z } from "zod";

import { verifies } from "../../../../test/verifies.ts";
import { agent } from "../agents/agent.ts";
import { systemClock } from "../base/clock.ts";
import { TuttiError } from "../base/errors.ts";
import { toRunId } from "../contracts/ids.ts";
import type { Model, ModelDelta, ModelHints, ModelReply, ModelRequest } from "../contracts/model.ts";
import { openTutti } from "../engine/open-tutti.ts";
import { flow } from "../flow/flow.ts";
import { openMemoryLedger } from "../ledger/memory/memory-ledger.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { cached } from "./cached.ts";

function toRequest(text: string, hints: ModelHints = { run: toRunId("r1") }): ModelRequest {
  return { messages: [{ role: "user", text }], tools: [], answer: { name: "answer", schema: {} }, hints };
}

const numbered = () => scriptedModel((_request, index) => ({ text: `answer ${index}` }));

const ask = (model: Model, request: ModelRequest, signal = new AbortController().signal): Promise<ModelReply> =>
  model.generate(request, signal);

test("the same question in a run is paid once, in a row and at once, and says so", verifies("M5", "M4"), async () => {
  const inner = numbered();
  const model = cached(inner);
  const [first, second, other] = await Promise.all([
    ask(model, toRequest("a")),
    ask(model, toRequest("a")),
    ask(model, toRequest("b")),
  ]);
  expect(first).toMatchObject({ text: "answer 0", usage: { modelCalls: 1, costUsd: 0.01 } });
  expect(first).not.toHaveProperty("cached");
  const free = { modelCalls: 0, inputTokens: 0, outputTokens: 0, costUsd: 0 };
  expect(second).toEqual({ text: "answer 0", toolCalls: [], usage: free, cached: true });
  expect(other.text).toBe("answer 1");
  const deltas: ModelDelta[] = [];
  const third = await model.generate(toRequest("a"), new AbortController().signal, (delta) => deltas.push(delta));
  expect(third).toEqual(second);
  expect(deltas).toEqual([{ kind: "text", text: "answer 0" }]);
  expect(inner.requests).toHaveLength(2);
});

test(
  "another run, a question that wants a fresh answer, one that is not allowed, and one of no run are asked",
  verifies("M5"),
  async () => {
    const inner = numbered();
    const model = cached(inner, { allow: ({ hints }) => hints?.task !== "vote" });
    const run = toRunId("r1");
    await ask(model, toRequest("a"));
    const hints: readonly ModelHints[] = [{ run: toRunId("r2") }, { run, fresh: true }, { run, task: "vote" }, {}, {}];
    for (const [index, each] of hints.entries())
      expect(await ask(model, toRequest("a", each))).toMatchObject({
        text: `answer ${index + 1}`,
        usage: { modelCalls: 1 },
      });
    expect(await ask(model, toRequest("a", { run, task: "write", budgetUsd: 3 }))).toMatchObject({
      text: "answer 0",
      cached: true,
    });
  },
);

test(
  "a failure is not kept: whoever asks with it gets it, whoever asks after it asks anew",
  verifies("M5"),
  async () => {
    const inner = scriptedModel([{ error: new TuttiError("MODEL_UNAVAILABLE", "down") }, { text: "up" }]);
    const model = cached(inner);
    const both = await Promise.allSettled([ask(model, toRequest("a")), ask(model, toRequest("a"))]);
    expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(inner.requests).toHaveLength(1);
    expect(await ask(model, toRequest("a"))).toMatchObject({ text: "up" });
  },
);

/** Answers when it is told to, and leaves when it is aborted. */
function openPatient() {
  const waiting: (() => void)[] = [];
  const model: Model = {
    provider: "stage",
    id: "patient",
    generate: (_request, signal) =>
      new Promise((resolve, reject) => {
        const number = waiting.push(() =>
          resolve({
            text: `answer ${number}`,
            toolCalls: [],
            usage: { modelCalls: 1, inputTokens: 1, outputTokens: 1 },
          }),
        );
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
  };
  return { model, waiting };
}

test(
  "when the first asker is cancelled, the one who waited with it asks itself; a cancelled waiter leaves at once",
  verifies("M5", "D11"),
  async () => {
    const { model: inner, waiting } = openPatient();
    const model = cached(inner);
    const gone = new TuttiError("RUN_CANCELLED", "cancelled");
    const askers = [new AbortController(), new AbortController(), new AbortController()];
    const [first, second, third] = askers.map(({ signal }) => ask(model, toRequest("a"), signal));
    askers[2]?.abort(gone);
    await expect(third).rejects.toBe(gone);
    askers[0]?.abort(gone);
    await expect(first).rejects.toBe(gone);
    await expect.poll(() => waiting.length).toBe(2);
    waiting[1]?.();
    expect(await second).toMatchObject({ text: "answer 2", usage: { modelCalls: 1 } });
  },
);

test(
  "what is remembered has a limit: the oldest question of a run is paid again, nothing else",
  verifies("M5"),
  async () => {
    const inner = numbered();
    const model = cached(inner);
    for (let number = 0; number <= 1_000; number++) await ask(model, toRequest(`question ${number}`));
    expect(await ask(model, toRequest("question 1"))).toMatchObject({ cached: true });
    expect(await ask(model, toRequest("question 0"))).not.toHaveProperty("cached");
    for (let number = 0; number <= 100; number++) await ask(model, toRequest("a", { run: toRunId(`run ${number}`) }));
    expect(await ask(model, toRequest("question 1000"))).not.toHaveProperty("cached");
  },
);

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
  output: z.object({ calls: z.number() }),
  run: async (run, { texts }) => {
    const results = await Promise.all(texts.map((text) => run.result(judge, { text })));
    return { calls: results.reduce((sum, { usage }) => sum + (usage?.modelCalls ?? 0), 0) };
  },
});

test(
  "agents of one run that ask the same are paid once, and the ledger says which answer was not paid",
  verifies("M5", "M4"),
  async () => {
    const inner = scriptedModel(() => ({ answer: { mood: "good" } }));
    const ledger = openMemoryLedger({ clock: systemClock });
    const tutti = await openTutti({ flows: [rate], models: { fast: cached(inner) }, ledger });
    try {
      const run = await tutti.start(rate, { texts: ["a", "b", "a", "a"] });
      expect(await run.result()).toEqual({ calls: 2 });
      const marked = (await run.entries()).filter(
        ({ kind, body }) => kind === "step-done" && body.includes('"cached":true'),
      );
      expect(marked).toHaveLength(2);
      expect(await tutti.run(rate, { texts: ["a"] })).toEqual({ calls: 1 });
      expect(inner.requests).toHaveLength(3);
    } finally {
      await tutti.close();
    }
  },
);

const twice = flow({
  name: "twice",
  input: z.object({}),
  output: z.object({ moods: z.array(z.string()) }),
  run: async (run) => {
    const first = await run.call(judge, { text: "a" });
    await run.wait("go");
    const second = await run.call(judge, { text: "a" }, { name: "again" });
    return { moods: [first.mood, second.mood] };
  },
});

test(
  "after a crash no recorded answer is paid again, and a question that comes up again is paid once more",
  verifies("M5", "D2"),
  async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "tutti-cached-"));
    try {
      const [first, second] = [
        scriptedModel(() => ({ answer: { mood: "before" } })),
        scriptedModel(() => ({ answer: { mood: "after" } })),
      ];
      const open = (model: Model) =>
        openTutti({
          flows: [twice],
          models: { fast: cached(model) },
          ledger: path.join(folder, "ledger.db"),
          control: false,
        });
      const before = await open(first);
      await (await before.start(twice, {}, { id: "run" })).settled();
      await before.close();
      const after = await open(second);
      const run = await after.open("run");
      await run.signal("go", {});
      expect(await run.result()).toEqual({ moods: ["before", "after"] });
      await after.close();
      expect([first.requests.length, second.requests.length]).toEqual([1, 1]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
