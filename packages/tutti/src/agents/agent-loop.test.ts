import { afterEach, expect, test } from "vitest";
import { z } from "zod";

import { dyingLedger, toolResults } from "../../../../test/agents/agent-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { systemClock } from "../base/clock.ts";
import { isTuttiError, TuttiError } from "../base/errors.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import type { Model, ModelRequest } from "../contracts/model.ts";
import type { Agent } from "../contracts/run.ts";
import { openTutti } from "../engine/open-tutti.ts";
import type { Activity, Tutti } from "../engine/tutti.ts";
import { flow } from "../flow/flow.ts";
import { openMemoryLedger } from "../ledger/memory/memory-ledger.ts";
import { route } from "../models/route.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { tool } from "../tools/tool.ts";
import type { AgentDefinition } from "./agent-definition.ts";
import { agent } from "./agent.ts";

const Question = z.object({ question: z.string() });
const Answer = z.object({ answer: z.string() });
type Definition = AgentDefinition<{ question: string }, { answer: string }>;

const looked: string[] = [];
const look = tool({
  name: "look.up",
  does: "Looks something up.",
  input: z.object({ word: z.string() }),
  output: z.object({ meaning: z.string() }),
  effect: "read",
  async run({ word }) {
    looked.push(word);
    // The later it was asked for, the sooner it answers: results do not come back in the order of the calls.
    await new Promise((resolve) => {
      setTimeout(resolve, word === "first" ? 12 : word === "second" ? 6 : 0);
    });
    if (word === "unknown") throw new TuttiError("TOOL_FAILED", "there is no such word");
    return { meaning: `meaning of ${word}` };
  },
});

function toAgent(change: Partial<Definition> = {}): Agent<{ question: string }, { answer: string }> {
  return agent({
    name: "scholar",
    does: "Answers.",
    model: "fast",
    tools: [look],
    input: Question,
    output: Answer,
    instructions: "Look words up.",
    ...change,
  });
}

let opened: Tutti[] = [];

afterEach(async () => {
  looked.length = 0;
  await Promise.all(opened.map((tutti) => tutti.close()));
  opened = [];
});

interface Played {
  readonly outcome: { readonly answer: string } | TuttiError;
  readonly entries: readonly LedgerEntry[];
  readonly activities: readonly Activity[];
}

async function play(model: Model, callee = toAgent()): Promise<Played> {
  const ask = toFlow(callee);
  const activities: Activity[] = [];
  const tutti = await openTutti({
    flows: [ask],
    models: { fast: model },
    ledger: openMemoryLedger({ clock: systemClock }),
    onActivity: (activity) => activities.push(activity),
  });
  opened.push(tutti);
  const handle = await tutti.start(ask, { question: "What does it mean?" }, { id: "run" });
  const outcome = await handle.result().catch((error: unknown) => {
    if (isTuttiError(error)) return error;
    throw error;
  });
  return { outcome, entries: await handle.entries(), activities };
}

function toFlow(callee: Agent<{ question: string }, { answer: string }>) {
  return flow({ name: "ask", input: Question, output: Answer, run: (run, input) => run.call(callee, input) });
}

const threeCalls = [
  { id: "a", tool: "look.up", input: { word: "first" } },
  { id: "b", tool: "look.up", input: { word: "second" } },
  { id: "c", tool: "look.up", input: { word: "third" } },
];

/** Looks three words up at once, then one more, then answers with what it was told. */
function scholarModel() {
  return scriptedModel(({ messages }) => {
    const results = toolResults(messages);
    if (results.length === 0) return { text: "I look them up.", toolCalls: threeCalls };
    if (results.length === 3) return { toolCalls: [{ id: "a", tool: "look.up", input: { word: "fourth" } }] };
    return { answer: { answer: JSON.stringify(results) } };
  });
}

const scholarAnswer = JSON.stringify([
  { id: "a", result: { meaning: "meaning of first" }, isError: false },
  { id: "b", result: { meaning: "meaning of second" }, isError: false },
  { id: "c", result: { meaning: "meaning of third" }, isError: false },
  { id: "a", result: { meaning: "meaning of fourth" }, isError: false },
]);

test(
  "an agent calls its tools, all of a turn at once, and answers from their results",
  verifies("X2", "C1"),
  async () => {
    const model = scholarModel();
    const { outcome, entries } = await play(model);
    expect(outcome).toEqual({ answer: scholarAnswer });
    expect(model.requests).toHaveLength(3);
    expect(entries.filter((entry) => entry.kind === "step-done").map((entry) => entry.key)).toEqual([
      "/scholar/model",
      "/scholar/look.up:c",
      "/scholar/look.up:b",
      "/scholar/look.up:a",
      "/scholar/model#2",
      "/scholar/look.up:a#2",
      "/scholar/model#3",
    ]);
  },
);

test("the model is told its role, the input as JSON, the tools and the answer that is wanted", async () => {
  const model = scriptedModel([{ answer: { answer: "so" } }]);
  await play(model);
  const [request] = model.requests;
  expect(request?.messages[0]).toMatchObject({
    role: "system",
    text: expect.stringMatching(/^You are scholar\. Answers\.\n\nLook words up\.\n\nRules:\n- /),
  });
  expect(request?.messages[1]).toMatchObject({
    role: "user",
    text: expect.stringContaining('"question": "What does it mean?"'),
  });
  expect(request?.tools).toMatchObject([
    { name: "look.up", does: "Looks something up.", input: { required: ["word"] } },
  ]);
  expect(request?.answer).toMatchObject({ name: "scholar", schema: { required: ["answer"] } });
});

test("a model's step records its words, calls and tokens, never the conversation", verifies("D14"), async () => {
  const { entries } = await play(scholarModel());
  const bodies = entries
    .filter((entry) => entry.key.startsWith("/scholar/model"))
    .map((entry): unknown => JSON.parse(entry.body));
  expect(bodies[0]).toMatchObject({
    out: { text: "I look them up.", toolCalls: threeCalls, usage: { modelCalls: 1 }, model: "scripted/script-1" },
  });
  expect(JSON.stringify(bodies)).not.toContain("You are scholar");
});

test("the tokens of all turns are added up once", verifies("M4"), async () => {
  const { entries } = await play(scholarModel());
  const closed = entries.find((entry) => entry.kind === "scope-closed");
  expect(JSON.parse(closed?.body ?? "{}")).toMatchObject({
    usage: { modelCalls: 3, inputTokens: 30, outputTokens: 15, costUsd: 0.03 },
  });
});

test("an unknown tool, or an input that does not fit, goes back to the model and costs no step", async () => {
  const model = scriptedModel([
    {
      toolCalls: [
        { id: "a", tool: "guess", input: {} },
        { id: "b", tool: "look.up", input: { word: 1 } },
        { id: "c", tool: "look.up", input: "first" },
      ],
    },
    { answer: { answer: "done" } },
  ]);
  const { outcome, entries } = await play(model);
  expect(outcome).toEqual({ answer: "done" });
  expect(toolResults(model.requests[1]?.messages ?? [])).toMatchObject([
    { id: "a", isError: true, result: 'There is no tool "guess". You have: look.up.' },
    { id: "b", isError: true, result: expect.stringContaining("word") },
    { id: "c", isError: true },
  ]);
  expect(looked).toEqual([]);
  expect(entries.filter((entry) => entry.kind === "step-done")).toHaveLength(2);
});

test("ids that a provider repeats or leaves out are told apart", async () => {
  const calls = ["", "", "x/y#1"].map((id, index) => ({ id, tool: "look.up", input: { word: `w${index}` } }));
  const model = scriptedModel([{ toolCalls: calls }, { answer: { answer: "done" } }]);
  const { entries } = await play(model);
  expect(toolResults(model.requests[1]?.messages ?? []).map((result) => JSON.stringify(result))).toEqual([
    '{"id":"call","result":{"meaning":"meaning of w0"},"isError":false}',
    '{"id":"call-2","result":{"meaning":"meaning of w1"},"isError":false}',
    '{"id":"x/y#1","result":{"meaning":"meaning of w2"},"isError":false}',
  ]);
  expect(entries.some((entry) => entry.key === "/scholar/look.up:x_y_1")).toBe(true);
});

test("an answer in a fence or among words is found", async () => {
  for (const text of ['```json\n{"answer":"so"}\n```', 'Here it is: {"answer":"so"} as asked.']) {
    expect((await play(scriptedModel([{ text }]))).outcome).toEqual({ answer: "so" });
  }
});

test("an answer that does not fit is repaired once: the model is told what is wrong", verifies("G2"), async () => {
  for (const wrong of ["no JSON", "", '{"answer": 1}', "{}"]) {
    const model = scriptedModel([{ text: wrong }, { answer: { answer: "better" } }]);
    expect((await play(model)).outcome).toEqual({ answer: "better" });
    expect(model.requests[1]?.messages.at(-1)).toMatchObject({
      role: "user",
      text: expect.stringContaining("can't be used"),
    });
  }
});

test("two answers that do not fit end the call with a clear error", verifies("K4"), async () => {
  const { outcome } = await play(scriptedModel([{ text: "no" }, { answer: { answer: 2 } }]));
  expect(outcome).toMatchObject({
    code: "MODEL_ANSWER_INVALID",
    message: expect.stringContaining("answer:"),
    hint: expect.any(String),
  });
});

test("an agent that never answers is stopped when its turns are used up", verifies("K4"), async () => {
  const model = scriptedModel(() => ({ toolCalls: [{ id: "again", tool: "look.up", input: { word: "first" } }] }));
  const { outcome } = await play(model, toAgent({ turnsMax: 3 }));
  expect(outcome).toMatchObject({ code: "AGENT_LIMIT" });
  expect(model.requests).toHaveLength(3);
});

test("a provider that is out of reach is asked again, and the attempt is in the ledger", verifies("D5"), async () => {
  const model = scriptedModel([
    { error: new TuttiError("MODEL_RATE_LIMITED", "wait", { retryAfterMs: 20 }) },
    { answer: { answer: "so" } },
  ]);
  const { outcome, entries } = await play(model);
  expect(outcome).toEqual({ answer: "so" });
  expect(entries.filter((entry) => entry.kind === "attempt-failed").map((entry) => entry.key)).toEqual([
    "/scholar/model",
  ]);
});

test("a refusal of the provider is not asked again and ends the run as what it is", async () => {
  const model = scriptedModel([
    {
      error: new TuttiError("MODEL_REFUSED", "openai did not accept the key (401)", { hint: "Check OPENAI_API_KEY." }),
    },
  ]);
  expect((await play(model)).outcome).toMatchObject({ code: "MODEL_REFUSED", hint: "Check OPENAI_API_KEY." });
  expect(model.requests).toHaveLength(1);
});

test("a tool's failure ends the run by its own code, unless the code says that the model should be told", async () => {
  const model = scriptedModel([
    { toolCalls: [{ id: "a", tool: "look.up", input: { word: "unknown" } }] },
    { answer: { answer: "told" } },
  ]);
  const { outcome } = await play(model);
  const told = new TuttiError("TOOL_FAILED", "").disposition === "tell-model";
  expect(outcome).toMatchObject(told ? { answer: "told" } : { code: "TOOL_FAILED" });
});

test(
  "a tier can route by the agent's task, by what is left to spend, and by how sure the last answer was",
  verifies("M2"),
  async () => {
    const unsure = { value: 0.3, source: "logprobs" } as const;
    const cheap = scriptedModel([
      { toolCalls: [{ id: "a", tool: "look.up", input: { word: "first" } }], confidence: unsure },
    ]);
    const strong = scriptedModel([{ answer: { answer: "sure" } }]);
    const asked: ModelRequest["hints"][] = [];
    const tier = route({
      models: { cheap, strong },
      by({ hints }) {
        asked.push(hints);
        return hints?.task === "explain" && (hints.confidence ?? 1) < 0.5 ? "strong" : "cheap";
      },
    });
    const callee = toAgent({ hints: { task: "explain", difficulty: "hard" }, costMaxUsd: 1 });
    expect((await play(tier, callee)).outcome).toEqual({ answer: "sure" });
    const always = { run: "run", task: "explain", difficulty: "hard" };
    expect(asked).toEqual([
      { ...always, budgetUsd: 1 },
      { ...always, budgetUsd: 0.99, confidence: 0.3 },
    ]);
  },
);

test("a tier without a model is a clear error", verifies("M1"), async () => {
  expect((await play(scriptedModel([]), toAgent({ model: "deep" }))).outcome).toMatchObject({ code: "MODEL_UNKNOWN" });
});

test("whoever watches is told which model is asked", verifies("X6"), async () => {
  const { activities } = await play(scriptedModel([{ answer: { answer: "so" } }]));
  expect(activities.find((activity) => activity.kind === "progress")).toMatchObject({ text: "asks scripted/script-1" });
});

test(
  "after a crash at any entry no answer of the model is paid twice, and every result finds its call",
  verifies("D1", "D2"),
  async () => {
    const callee = toAgent();
    const ask = toFlow(callee);
    const whole = await play(scholarModel(), callee);
    const appendsInAll = whole.entries.length - 1; // the first is written by the start
    for (let appends = 0; appends < appendsInAll; appends++) {
      const ledger = openMemoryLedger({ clock: systemClock });
      const { ledger: dying, died } = dyingLedger(ledger, appends);
      const first = await openTutti({ flows: [ask], models: { fast: scholarModel() }, ledger: dying });
      await first.start(ask, { question: "What does it mean?" }, { id: "run" });
      await died;
      await ledger.flush();
      await new Promise((resolve) => {
        setTimeout(resolve, 15); // what the dead process had begun ends unheard
      });
      const recorded = (await ledger.read((await first.open("run")).id))
        .filter((entry) => entry.kind === "step-done")
        .map((entry) => entry.key);
      const recordedAnswers = recorded.filter((key) => key.startsWith("/scholar/model")).length;
      looked.length = 0;

      const model = scholarModel();
      const second = await openTutti({ flows: [ask], models: { fast: model }, ledger });
      opened.push(second);
      const handle = await second.open("run");
      expect(await handle.result()).toEqual({ answer: scholarAnswer });
      expect(model.requests).toHaveLength(3 - recordedAnswers);
      expect(looked).toHaveLength(4 - (recorded.length - recordedAnswers));
      const done = (await handle.entries()).filter((entry) => entry.kind === "step-done").map((entry) => entry.key);
      expect(new Set(done).size).toBe(done.length);
    }
  },
);
