import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import type { LanguageModelV4CallOptions } from "@ai-sdk/provider";
import { afterEach, expect, test } from "vitest";

import { verifies } from "../../../../../test/verifies.ts";
import type { ModelReply, ModelRequest } from "../../contracts/model.ts";
import { openProviderServer, type ProviderServer } from "../../testing/provider-server.ts";
import { chatWire, messagesWire } from "../../testing/wire-answers.ts";
import { fromAiSdk } from "./ai-sdk-model.ts";
import type { AiSdkSettings } from "./ai-sdk-request.ts";

let server: ProviderServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const request: ModelRequest = {
  messages: [{ role: "user", text: "?" }],
  tools: [],
  answer: { name: "answer", schema: {} },
};

const said = { text: "{}", usage: { input: 1_000_000, cached: 500_000, output: 100_000 } };

async function chat(model: string, change: object = {}, settings: AiSdkSettings = {}): Promise<ModelReply> {
  await server?.close();
  server = await openProviderServer(() => ({
    kind: "answer",
    body: { ...Object(chatWire.answer(said)), model, ...change },
  }));
  const openai = createOpenAI({ apiKey: "test", baseURL: `${server.url}/v1` });
  return fromAiSdk(openai.chat(model), settings).generate(request, new AbortController().signal);
}

async function messages(usage: object, settings: AiSdkSettings = {}): Promise<ModelReply> {
  await server?.close();
  const body = Object(messagesWire.answer(said));
  server = await openProviderServer(() => ({ kind: "answer", body: { ...body, usage: { ...body.usage, ...usage } } }));
  const anthropic = createAnthropic({ apiKey: "test", baseURL: `${server.url}/v1` });
  return fromAiSdk(anthropic("claude-haiku-4-5"), settings).generate(request, new AbortController().signal);
}

test("a call has the list price of the model that answered; an unknown model has none", verifies("M4"), async () => {
  expect((await chat("gpt-5-mini")).usage.costUsd).toBe(0.5 * 0.25 + 0.5 * 0.025 + 0.1 * 2);
  expect((await chat("gpt-5-mini", { model: "gpt-5-2025-08-07" })).usage.costUsd).toBe(
    0.5 * 1.25 + 0.5 * 0.125 + 0.1 * 10,
  );
  expect((await chat("my-own-model")).usage).not.toHaveProperty("costUsd");
});

test("a price of one's own wins, for unknown models too, and is not sent", verifies("M4"), async () => {
  const price = { input: 1, output: 2 };
  expect((await chat("gpt-5-mini", {}, { price })).usage.costUsd).toBe(1.2);
  expect((await chat("my-own-model", {}, { price })).usage.costUsd).toBe(1.2);
  const openai = createOpenAI({ apiKey: "test", baseURL: `${server?.url}/v1` }).chat("my-own-model");
  const given: object[] = [];
  const spy = fromAiSdk(
    Object.assign(Object.create(openai), {
      doGenerate: (options: LanguageModelV4CallOptions) => {
        given.push(options);
        return openai.doGenerate(options);
      },
    }),
    { price, maxOutputTokens: 7 },
  );
  await spy.generate(request, new AbortController().signal);
  expect(given).toMatchObject([{ maxOutputTokens: 7 }]);
  expect(given[0]).not.toHaveProperty("price");
});

test("a call at other rates than the listed ones has no cost, rather than a wrong one", verifies("M4"), async () => {
  expect((await messages({})).usage.costUsd).toBeGreaterThan(0);
  const others: readonly [object, AiSdkSettings][] = [
    [{ service_tier: "priority" }, {}],
    [{ cache_creation_input_tokens: 10, cache_creation: { ephemeral_1h_input_tokens: 10 } }, {}],
    [{}, { providerOptions: { anthropic: { speed: "fast" } } }],
    [{}, { providerOptions: { anthropic: { inferenceGeo: "us" } } }],
  ];
  for (const [usage, settings] of others) expect((await messages(usage, settings)).usage).not.toHaveProperty("costUsd");
  const flex: AiSdkSettings = { providerOptions: { openai: { serviceTier: "flex" } } };
  expect((await chat("gpt-5-mini", {}, flex)).usage).not.toHaveProperty("costUsd");
  expect((await chat("gpt-5-mini", { usage: undefined })).usage).not.toHaveProperty("costUsd");
});

test(
  "an answer that can't be used was paid all the same, and its error says what it cost",
  verifies("M4"),
  async () => {
    const cut = { choices: [{ index: 0, message: { role: "assistant", content: "{" }, finish_reason: "length" }] };
    const failed = chat("gpt-5-mini", cut);
    await expect(failed).rejects.toMatchObject({
      code: "MODEL_ANSWER_INVALID",
      facts: { modelCalls: 1, inputTokens: 1_000_000, outputTokens: 100_000, costUsd: 0.3375 },
    });
  },
);

test(
  "how sure a model was of its words is the mean probability of a token, where it was asked for",
  verifies("M2"),
  async () => {
    const content = [0.9, 0.4].map((probability) => ({ token: "x", logprob: Math.log(probability), top_logprobs: [] }));
    const message = { role: "assistant", content: "{}" };
    const sure = await chat(
      "gpt-4o-mini",
      { choices: [{ index: 0, message, logprobs: { content }, finish_reason: "stop" }] },
      { providerOptions: { openai: { logprobs: true } } },
    );
    expect(sure.confidence?.source).toBe("logprobs");
    expect(sure.confidence?.value).toBeCloseTo(0.6, 10);
    expect(server?.requests[0]?.body).toMatchObject({ logprobs: true });
    expect(await chat("gpt-4o-mini")).not.toHaveProperty("confidence");
  },
);
