import { expect, test } from "vitest";
import { z } from "zod";

import { verifies } from "../../../../test/verifies.ts";
import { TuttiError } from "../base/errors.ts";
import type { Model, ModelDelta, ModelReply, ModelRequest } from "../contracts/model.ts";
import { cascade, type CascadeOptions } from "./cascade.ts";

const usage = { modelCalls: 1, inputTokens: 8, outputTokens: 4 };
const request: ModelRequest = {
  messages: [{ role: "user", text: "?" }],
  tools: [{ name: "look", does: "Looks.", input: z.toJSONSchema(z.object({ word: z.string() })) }],
  answer: { name: "answer", schema: z.toJSONSchema(z.object({ mood: z.enum(["good", "bad"]), sure: z.number() })) },
};

function actor(id: string, costUsd: number, act: Partial<ModelReply> | TuttiError): Model {
  return {
    provider: "stage",
    id,
    generate: async (_request, _signal, watch) => {
      if (act instanceof TuttiError) throw act;
      const reply = { text: "", toolCalls: [], usage: { ...usage, costUsd }, ...act };
      watch?.({ kind: "text", text: reply.text });
      return reply;
    },
  };
}

const strong = actor("strong", 1, { text: '{"mood":"bad","sure":1}' });

async function ask(first: Partial<ModelReply> | TuttiError, options: Partial<CascadeOptions> = {}) {
  const deltas: ModelDelta[] = [];
  const model = cascade({ first: actor("cheap", 0.25, first), stronger: strong, ...options });
  const reply = await model.generate(request, new AbortController().signal, (delta) => deltas.push(delta));
  return { ...reply, deltas };
}

const good = { text: 'Here: {"mood":"good","sure":0.6}' };

test(
  "an answer of the cheap model that will do is the answer, and all that is paid",
  verifies("M2", "M4"),
  async () => {
    const reply = await ask(good);
    expect(reply).toMatchObject({ text: good.text, modelId: "cheap", usage: { modelCalls: 1, costUsd: 0.25 } });
    expect(reply.deltas).toEqual([{ kind: "text", text: good.text }]);
    expect(reply).not.toHaveProperty("passedOver");
  },
);

const faults: readonly (readonly [what: string, first: Partial<ModelReply>, why: string])[] = [
  ["not JSON", { text: "good" }, "the answer is not JSON"],
  ["of another shape", { text: '{"mood":"good"}' }, "the answer.sure is missing"],
  ["of other values", { text: '{"mood":"so-so","sure":1}' }, 'the answer.mood should be one of ["good","bad"]'],
  ["a call of no tool", { toolCalls: [{ id: "1", tool: "jump", input: {} }] }, 'it calls "jump", which is not there'],
  [
    "a call that does not fit",
    { toolCalls: [{ id: "1", tool: "look", input: { word: 1 } }] },
    "the input of look.word should be string",
  ],
];

test.each(faults)(
  "the strong model is asked when the cheap one's answer is %s; both are paid",
  verifies("M2", "M4"),
  async (_what, first, why) => {
    const reply = await ask(first);
    expect(reply).toMatchObject({
      text: '{"mood":"bad","sure":1}',
      provider: "stage",
      modelId: "strong",
      usage: { modelCalls: 2, inputTokens: 16, costUsd: 1.25 },
      passedOver: [{ model: "stage/cheap", code: "MODEL_ANSWER_INVALID", why }],
    });
    expect(reply.deltas).toEqual([{ kind: "text", text: '{"mood":"bad","sure":1}' }]);
  },
);

test("a fitting call of a tool is no reason to ask the strong model", verifies("M2"), async () => {
  const toolCalls = [{ id: "1", tool: "look", input: { word: "x" } }];
  expect(await ask({ toolCalls }, { confidenceMin: 0.9 })).toMatchObject({ modelId: "cheap", toolCalls });
});

test(
  "the strong model is asked when the cheap one is not sure enough, by its provider's probabilities or its own word",
  verifies("M2"),
  async () => {
    const probable = (value: number) => ({ ...good, confidence: { value, source: "logprobs" } as const });
    expect(await ask(probable(0.8), { confidenceMin: 0.7 })).toMatchObject({ modelId: "cheap" });
    expect(await ask(probable(0.6), { confidenceMin: 0.7 })).toMatchObject({
      modelId: "strong",
      passedOver: [{ why: "it is 0.60 sure, and 0.7 is wanted" }],
    });
    // Who says nothing of it is not sure.
    expect(await ask(good, { confidenceMin: 0.1 })).toMatchObject({ modelId: "strong" });
    const Answer = z.object({ sure: z.number() });
    const ownWord = (answer: unknown): number => Answer.parse(answer).sure;
    expect(await ask(good, { confidenceMin: 0.6, ownWord })).toMatchObject({ modelId: "cheap" });
    expect(await ask(probable(1), { confidenceMin: 0.61, ownWord })).toMatchObject({ modelId: "strong" });
    for (const confidenceMin of [-1, 1.5, Number.NaN])
      expect(() => cascade({ first: strong, stronger: strong, confidenceMin })).toThrow(
        expect.objectContaining({ code: "DEFINITION_INVALID" }),
      );
  },
);

test("a check of one's own has the last word", verifies("M2"), async () => {
  expect(await ask(good, { accept: async ({ text }) => text.includes("good") })).toMatchObject({ modelId: "cheap" });
  expect(await ask(good, { accept: () => false })).toMatchObject({
    modelId: "strong",
    passedOver: [{ why: "it was not accepted" }],
  });
});

test(
  "a cheap model that can't be asked is passed over; what is no model's failure ends it",
  verifies("M2", "M3"),
  async () => {
    expect(await ask(new TuttiError("MODEL_UNAVAILABLE", "down"))).toMatchObject({
      modelId: "strong",
      usage: { modelCalls: 1, costUsd: 1 },
      passedOver: [{ model: "stage/cheap", code: "MODEL_UNAVAILABLE", why: "down" }],
    });
    await expect(ask(new TuttiError("RUN_CANCELLED", "cancelled"))).rejects.toMatchObject({ code: "RUN_CANCELLED" });
  },
);

test(
  "when the strong model fails, its error says what the cheap one cost, and still when to try again",
  verifies("M2", "M4"),
  async () => {
    const limited = new TuttiError("MODEL_RATE_LIMITED", "wait", {
      retryAfterMs: 700,
      hint: "Wait.",
      facts: { status: 429 },
    });
    await expect(ask({ text: "?" }, { stronger: actor("strong", 1, limited) })).rejects.toMatchObject({
      code: "MODEL_RATE_LIMITED",
      hint: "Wait.",
      retryAfterMs: 700,
      facts: { status: 429, modelCalls: 1, costUsd: 0.25, passedOver: ["stage/cheap MODEL_ANSWER_INVALID"] },
    });
  },
);
