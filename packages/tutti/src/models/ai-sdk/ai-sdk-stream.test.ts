import { readFile } from "node:fs/promises";

import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import type { LanguageModelV4, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { afterEach, expect, test } from "vitest";

import { verifies } from "../../../../../test/verifies.ts";
import { TuttiError } from "../../base/errors.ts";
import type { ModelDelta, ModelReply, ModelRequest } from "../../contracts/model.ts";
import { openProviderServer, type ProviderAnswer, type ProviderServer } from "../../testing/provider-server.ts";
import { chatWire, messagesWire } from "../../testing/wire-answers.ts";
import { fromAiSdk } from "./ai-sdk-model.ts";
import type { AiSdkSettings } from "./ai-sdk-request.ts";

let server: ProviderServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const request: ModelRequest = {
  messages: [{ role: "user", text: "Go on." }],
  tools: [],
  answer: { name: "answer", schema: {} },
};

async function watchRecording(
  name: string,
  api: "chat" | "responses",
): Promise<ModelReply & { readonly seen: string }> {
  const text = await readFile(new URL(`../../../test-data/openai/${name}.txt`, import.meta.url), "utf8");
  server = await openProviderServer(() => ({ kind: "events", events: [text] }));
  const openai = createOpenAI({ apiKey: "test", baseURL: `${server.url}/v1` });
  let seen = "";
  const watch = (delta: ModelDelta): void => void (seen += delta.text);
  const model = fromAiSdk(api === "chat" ? openai.chat("gpt-4o-mini") : openai("gpt-4o-mini"));
  return { ...(await model.generate(request, new AbortController().signal, watch)), seen };
}

test("a recorded stream of Chat Completions is put together", verifies("M3", "M4"), async () => {
  const { text, seen, usage, modelId } = await watchRecording("chat-stream", "chat");
  expect(text).toBe("In circuits bright, minds take flight.");
  expect(seen).toBe(text);
  expect(usage).toMatchObject({ modelCalls: 1, inputTokens: 12, outputTokens: 12, costUsd: 0.000009 });
  expect(modelId).toBe("gpt-4o-mini-2024-07-18");
});

test(
  "a recorded stream of the Responses API is put together, and its reasoning is counted",
  verifies("M3", "M4"),
  async () => {
    const json = await watchRecording("responses-json-output-stream", "responses");
    expect(JSON.parse(json.text)).toMatchObject({ name: expect.any(String), age: expect.any(Number) });
    expect(json.seen).toBe(json.text);
    await server?.close();
    const reasoned = await watchRecording("responses-reasoning-stream", "responses");
    expect(reasoned.text).toMatch(/^The first 10 prime numbers are: .* is 129\.$/s);
    expect(reasoned.usage).toMatchObject({ inputTokens: 18, outputTokens: 414, reasoningTokens: 320 });
  },
);

test(
  "an endpoint that can't stream is asked for whole answers, and its fault says how",
  verifies("M3", "K4"),
  async () => {
    server = await openProviderServer(() => ({ kind: "answer", body: chatWire.answer({ text: "{}" }) }));
    const chat = createOpenAI({ apiKey: "test", baseURL: `${server.url}/v1` }).chat("gpt-4o-mini");
    const ask = (settings: AiSdkSettings): Promise<ModelReply> =>
      fromAiSdk(chat, settings).generate(request, new AbortController().signal, () => {});
    const error: unknown = await ask({}).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "MODEL_UNAVAILABLE", hint: expect.stringContaining("streams: false") });
    expect((await ask({ streams: false })).text).toBe("{}");
    expect(server.requests.map(({ body }) => Object(body).stream === true)).toEqual([true, false]);
    expect(server.requests[1]?.body).not.toHaveProperty("streams");
  },
);

test("a recorded refusal is the model's words, not an error", verifies("M3"), async () => {
  const refused = await watchRecording("responses-refusal-stream", "responses");
  expect(refused.text).toBe(refused.seen);
  expect(refused.text.length).toBeGreaterThan(10);
});

async function failAnthropic(events: readonly string[]): Promise<unknown> {
  const served: ProviderAnswer = { kind: "events", events };
  server = await openProviderServer(() => served);
  const model = fromAiSdk(createAnthropic({ apiKey: "test", baseURL: `${server.url}/v1` })("claude-haiku-4-5"));
  const failed = model.generate(request, new AbortController().signal, () => {});
  return failed.catch((error: unknown) => error);
}

function toErrorEvent(type: string): string {
  return `event: error\ndata: ${JSON.stringify({ type: "error", error: { type, message: "Sorry." } })}\n\n`;
}

test(
  "an error that a provider sends inside its stream is told by what it says, and half an answer is not kept",
  verifies("M3", "K4"),
  async () => {
    const half = messagesWire.events({ text: "a long story" }).slice(0, 4);
    expect(await failAnthropic([...half, toErrorEvent("overloaded_error")])).toMatchObject({
      code: "MODEL_UNAVAILABLE",
      message: expect.stringContaining("Sorry."),
    });
    await server?.close();
    expect(await failAnthropic([...half, toErrorEvent("rate_limit_error")])).toMatchObject({
      code: "MODEL_RATE_LIMITED",
    });
    await server?.close();
    expect(await failAnthropic([...half, toErrorEvent("invalid_request_error")])).toMatchObject({
      code: "MODEL_REFUSED",
    });
  },
);

function modelOf(parts: Iterable<LanguageModelV4StreamPart>, onCancel: () => void): LanguageModelV4 {
  const iterator = parts[Symbol.iterator]();
  return {
    specificationVersion: "v4",
    provider: "made-up",
    modelId: "m-1",
    supportedUrls: {},
    doGenerate: () => Promise.reject(new Error("not asked at once")),
    doStream: async () => ({
      stream: new ReadableStream<LanguageModelV4StreamPart>({
        pull(controller) {
          const next = iterator.next();
          if (next.done === true) controller.close();
          else controller.enqueue(next.value);
        },
        cancel: onCancel,
      }),
    }),
  };
}

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: 1, text: 1, reasoning: undefined },
};

function* endless(): Iterable<LanguageModelV4StreamPart> {
  yield { type: "text-start", id: "1" };
  const delta = "x".repeat(1_000_000);
  for (;;) yield { type: "text-delta", id: "1", delta };
}

test("a stream that never ends is cut off at a length that no answer has, and closed", verifies("K4"), async () => {
  let cancelled = 0;
  const model = fromAiSdk(modelOf(endless(), () => (cancelled += 1)));
  await expect(model.generate(request, new AbortController().signal, () => {})).rejects.toMatchObject({
    code: "MODEL_ANSWER_INVALID",
  });
  expect(cancelled).toBe(1);
});

test("of several texts the one that the provider marks as the answer is the answer, as it is without a watcher", async () => {
  const parts: LanguageModelV4StreamPart[] = [
    { type: "text-start", id: "1", providerMetadata: { "made-up": { phase: "commentary" } } },
    { type: "text-delta", id: "1", delta: "Let me think." },
    { type: "text-end", id: "1" },
    { type: "text-start", id: "2", providerMetadata: { "made-up": { phase: "final_answer" } } },
    { type: "text-delta", id: "2", delta: "{}" },
    { type: "text-end", id: "2" },
    { type: "finish", finishReason: { unified: "stop", raw: "stop" }, usage },
  ];
  const reply = await fromAiSdk(modelOf(parts, () => {})).generate(request, new AbortController().signal, () => {});
  expect(reply.text).toBe("{}");
});

test("a stream that does not listen to being left is left and closed all the same", async () => {
  const over = new TuttiError("STEP_TIMEOUT", "the step took too long");
  const controller = new AbortController();
  let cancelled: unknown;
  const silent: LanguageModelV4 = {
    ...modelOf([], () => {}),
    doStream: async () => ({
      stream: new ReadableStream<LanguageModelV4StreamPart>({
        start(parts) {
          parts.enqueue({ type: "text-start", id: "1" });
          parts.enqueue({ type: "text-delta", id: "1", delta: "Well," });
        },
        cancel: (reason) => void (cancelled = reason),
      }),
    }),
  };
  // By then the next part is waited for.
  const leaveLater = (): void => void setImmediate(() => controller.abort(over));
  await expect(fromAiSdk(silent).generate(request, controller.signal, leaveLater)).rejects.toBe(over);
  expect(cancelled).toBe(over);
});

test("a piece that belongs to nothing is a stream that broke, not half an answer", verifies("K4"), async () => {
  const parts: LanguageModelV4StreamPart[] = [
    { type: "text-delta", id: "1", delta: "Hm." },
    { type: "finish", finishReason: { unified: "stop", raw: "stop" }, usage },
  ];
  const failed = fromAiSdk(modelOf(parts, () => {})).generate(request, new AbortController().signal, () => {});
  await expect(failed).rejects.toMatchObject({ code: "MODEL_UNAVAILABLE" });
});
