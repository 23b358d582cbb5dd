import { readFile } from "node:fs/promises";

import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { LanguageModelV4 } from "@ai-sdk/provider";
import { afterEach, expect, test } from "vitest";
import { z } from "zod";

import { verifies } from "../../../../../test/verifies.ts";
import { isTuttiError, TuttiError, toStoredError } from "../../base/errors.ts";
import { toRetryAfterMs } from "../../base/retry-after.ts";
import type { ModelReply, ModelRequest } from "../../contracts/model.ts";
import { openProviderServer, type ProviderAnswer, type ProviderServer } from "../../testing/provider-server.ts";
import { fromAiSdk } from "./ai-sdk-model.ts";

const key = "sk-test-4711abcdefghijklmnop";
let server: ProviderServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

const request: ModelRequest = {
  messages: [
    { role: "system", text: "You are brief." },
    { role: "user", text: "Where is it warm?" },
  ],
  tools: [],
  answer: {
    name: "person answer",
    schema: z.toJSONSchema(z.object({ name: z.string(), age: z.int(), occupation: z.string() })),
  },
};

const weather = {
  name: "get.weather",
  does: "Tells the weather.",
  input: z.toJSONSchema(z.object({ location: z.string(), unit: z.string().optional() })),
};

async function recorded(name: string): Promise<ProviderAnswer> {
  const body: unknown = JSON.parse(
    await readFile(new URL(`../../../test-data/openai/${name}.json`, import.meta.url), "utf8"),
  );
  return { kind: "answer", body };
}

function chatAnswer(
  content: unknown,
  finish = "stop",
  usage: unknown = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
): ProviderAnswer {
  const message = { role: "assistant", ...(typeof content === "object" ? content : { content }) };
  return {
    kind: "answer",
    body: {
      id: "1",
      object: "chat.completion",
      created: 1,
      model: "m-1",
      choices: [{ index: 0, message, finish_reason: finish }],
      usage,
    },
  };
}

type Api = "chat" | "responses" | "compatible";

async function generate(
  answer: ProviderAnswer,
  options: { api?: Api; request?: ModelRequest; signal?: AbortSignal; apiKey?: string } = {},
): Promise<ModelReply> {
  server = await openProviderServer(() => answer);
  const { apiKey = key, api = "chat" } = options;
  const baseURL = `${server.url}/v1`;
  const models: Record<Api, () => LanguageModelV4> = {
    chat: () => createOpenAI({ apiKey, baseURL }).chat("gpt-4o-mini"),
    responses: () => createOpenAI({ apiKey, baseURL })("gpt-4o-mini"),
    compatible: () => createOpenAICompatible({ name: "local", apiKey, baseURL })("some-model"),
  };
  return fromAiSdk(models[api]()).generate(options.request ?? request, options.signal ?? new AbortController().signal);
}

async function failure(answer: ProviderAnswer, options?: Parameters<typeof generate>[1]): Promise<TuttiError> {
  const thrown = await generate(answer, options).then(
    (reply) => reply,
    (error: unknown) => error,
  );
  if (isTuttiError(thrown)) return thrown;
  throw new TuttiError("BUG", `no TuttiError but ${JSON.stringify(thrown)}`);
}

function sent(): unknown {
  return server?.requests[0]?.body;
}

test(
  "a recorded chat answer comes back as text with the tokens that the provider counted",
  verifies("M3", "M4"),
  async () => {
    expect(await generate(await recorded("chat-json-mode"))).toEqual({
      text: '{"name":"John Doe","age":30,"occupation":"software engineer"}',
      toolCalls: [],
      usage: {
        modelCalls: 1,
        inputTokens: 45,
        outputTokens: 18,
        cachedInputTokens: 0,
        reasoningTokens: 0,
        costUsd: 0.00001755,
      },
      modelId: "gpt-4o-mini-2024-07-18",
    });
    expect(server?.requests[0]).toMatchObject({
      path: "/v1/chat/completions",
      headers: { authorization: `Bearer ${key}` },
    });
  },
);

test(
  "a recorded answer of the Responses API comes back the same way, its reasoning tokens inside the total",
  verifies("M3", "M4"),
  async () => {
    expect(await generate(await recorded("responses-json-output"), { api: "responses" })).toMatchObject({
      text: '{"name":"Alice Johnson","age":28,"occupation":"Software Engineer"}',
      usage: { modelCalls: 1, inputTokens: 56, outputTokens: 16 },
    });
    await server?.close();
    expect((await generate(await recorded("responses-reasoning"), { api: "responses" })).usage).toEqual({
      modelCalls: 1,
      inputTokens: 18,
      outputTokens: 222,
      cachedInputTokens: 0,
      reasoningTokens: 128,
      costUsd: 0.0009966,
    });
  },
);

test("a call of a tool comes back under our own name of it, though providers take no dots", async () => {
  const calling = { ...request, tools: [{ ...weather, name: "get_weather" }, weather] };
  const reply = await generate(await recorded("chat-tools"), { request: calling });
  expect(reply.toolCalls).toEqual([
    { id: "call_abc123", tool: "get_weather", input: { location: "San Francisco, CA", unit: "fahrenheit" } },
  ]);
  expect(sent()).toMatchObject({
    tools: [{ function: { name: "get_weather" } }, { function: { name: "get_weather_2" } }],
  });
  await server?.close();
  const dotted = await generate(await recorded("responses-tool-call"), {
    api: "responses",
    request: { ...request, tools: [weather] },
  });
  expect(dotted.toolCalls).toEqual([
    {
      id: "call_fibB55owSv9m6qr3TJJMnCEW",
      tool: "get.weather",
      input: { location: "San Francisco, CA", unit: "celsius" },
    },
  ]);
});

test("the whole conversation is sent: calls, results in one message, errors as errors", async () => {
  const calls = [
    { id: "a", tool: "get.weather", input: { location: "Rome" } },
    { id: "b", tool: "get.weather", input: "not an object" },
  ];
  const messages: ModelRequest["messages"] = [
    ...request.messages,
    { role: "assistant", text: "", toolCalls: calls },
    { role: "tool", callId: "a", tool: "get.weather", result: { celsius: 20 }, isError: false },
    { role: "tool", callId: "b", tool: "get.weather", result: "location is missing", isError: true },
    { role: "user", text: "Go on." },
  ];
  await generate(chatAnswer("{}"), { request: { ...request, messages, tools: [weather] } });
  expect(sent()).toMatchObject({
    messages: [
      { role: "system", content: "You are brief." },
      { role: "user", content: "Where is it warm?" },
      {
        role: "assistant",
        tool_calls: [
          { id: "a", function: { name: "get_weather", arguments: '{"location":"Rome"}' } },
          { id: "b", function: { arguments: "{}" } },
        ],
      },
      { role: "tool", tool_call_id: "a", content: '{"celsius":20}' },
      { role: "tool", tool_call_id: "b", content: '{"error":"location is missing"}' },
      { role: "user", content: "Go on." },
    ],
  });
});

test("a schema goes strict where OpenAI takes it so, and lax where it would refuse it", async () => {
  await generate(chatAnswer("{}"));
  expect(sent()).toMatchObject({
    response_format: { json_schema: { name: "person_answer", strict: true, schema: { additionalProperties: false } } },
  });
  await server?.close();
  const schema = z.toJSONSchema(z.object({ url: z.url(), note: z.string().optional() }), { io: "input" });
  await generate(chatAnswer("{}"), { request: { ...request, tools: [weather], answer: { name: "a", schema } } });
  expect(sent()).toMatchObject({
    response_format: { json_schema: { strict: false } },
    tools: [{ function: { strict: false } }],
  });
  expect(JSON.stringify(sent())).not.toContain("$schema");
});

test("an endpoint that promises no structured outputs is told the schema in words", async () => {
  await generate(chatAnswer("{}"), { api: "compatible" });
  expect(sent()).toMatchObject({
    messages: [{}, {}, { role: "user", content: expect.stringContaining('"occupation"') }],
  });
});

test("a tool input that is not JSON comes back as the text it is, so that the model can be told", async () => {
  const calls = [{ id: "x", type: "function", function: { name: "get_weather", arguments: '{"location": "Ro' } }];
  const reply = await generate(chatAnswer({ content: null, tool_calls: calls }, "tool_calls"), {
    request: { ...request, tools: [weather] },
  });
  expect(reply.toolCalls).toEqual([{ id: "x", tool: "get.weather", input: '{"location": "Ro' }]);
});

const rejected = {
  error: {
    message: `Incorrect API key provided: ${key}. You can find your API key at …`,
    type: "invalid_request_error",
    code: "invalid_api_key",
  },
};

test("a wrong key is one clear error that names the variable and never the key", verifies("K4", "G10"), async () => {
  const gemini = { error: { message: `API key not valid: ${key}. Please pass a valid API key.` } };
  for (const status of [401, 403, 400]) {
    const error = await failure({ kind: "answer", status, body: status === 400 ? gemini : rejected });
    expect(error).toMatchObject({
      code: "MODEL_REFUSED",
      disposition: "give-up",
      effect: "none",
      facts: { provider: "openai", status },
    });
    expect(error.hint).toContain("OPENAI_API_KEY");
    expect(JSON.stringify(toStoredError(error)) + String(error.stack)).not.toContain("4711");
    await server?.close();
  }
});

test("a missing key is said before anything is sent", verifies("K4"), async () => {
  const before = process.env["OPENAI_API_KEY"];
  delete process.env["OPENAI_API_KEY"];
  try {
    server = await openProviderServer(() => ({ kind: "hang" }));
    const model = fromAiSdk(createOpenAI({ baseURL: server.url })("gpt-4o-mini"));
    const error: unknown = await model
      .generate(request, new AbortController().signal)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "MODEL_REFUSED",
      message: "openai has no key",
      hint: "Check the environment variable OPENAI_API_KEY.",
    });
    expect(server.requests).toEqual([]);
  } finally {
    if (before !== undefined) process.env["OPENAI_API_KEY"] = before;
  }
});

test("too many requests are tried again, not before the provider allows it", verifies("D5"), async () => {
  const limited = { error: { message: "Rate limit reached", type: "requests", code: "rate_limit_exceeded" } };
  const error = await failure({ kind: "answer", status: 429, headers: { "retry-after": "7" }, body: limited });
  expect(error).toMatchObject({ code: "MODEL_RATE_LIMITED", disposition: "retry", retryAfterMs: 7_000 });
});

test("a used-up quota looks like too many requests and is not tried again", async () => {
  const error = await failure({
    kind: "answer",
    status: 429,
    body: {
      error: { message: "You exceeded your current quota", type: "insufficient_quota", code: "insufficient_quota" },
    },
  });
  expect(error).toMatchObject({ code: "MODEL_REFUSED", disposition: "give-up" });
});

test("how long to wait is understood in milliseconds, seconds and dates", () => {
  expect(toRetryAfterMs({ "retry-after-ms": "1500", "retry-after": "9" })).toBe(1_500);
  expect(toRetryAfterMs({ "retry-after": "0.5" })).toBe(500);
  expect(
    toRetryAfterMs({ date: "Fri, 20 Nov 2026 10:00:00 GMT", "retry-after": "Fri, 20 Nov 2026 10:00:30 GMT" }),
  ).toBe(30_000);
  expect(
    toRetryAfterMs({ date: "Fri, 20 Nov 2026 10:00:00 GMT", "retry-after": "Fri, 20 Nov 2026 09:00:00 GMT" }),
  ).toBe(0);
  expect(toRetryAfterMs({ "retry-after": "9999999999999" })).toBe(86_400_000);
  expect(toRetryAfterMs({ "retry-after": "soon" })).toBeUndefined();
  expect(toRetryAfterMs({})).toBeUndefined();
});

const faults: readonly [promise: string, answer: ProviderAnswer, code: string, disposition: string][] = [
  [
    "a fault of the provider is tried again",
    { kind: "answer", status: 500, body: { error: { message: "The server had an error" } } },
    "MODEL_UNAVAILABLE",
    "retry",
  ],
  ["an overloaded provider is tried again", { kind: "answer", status: 529, body: "" }, "MODEL_UNAVAILABLE", "retry"],
  ["a connection that is closed without an answer is tried again", { kind: "cut" }, "MODEL_UNAVAILABLE", "retry"],
  [
    "an answer that breaks off on the wire is tried again",
    { kind: "cut", after: '{"id": "1", "choices": [' },
    "MODEL_UNAVAILABLE",
    "retry",
  ],
  [
    "an unknown model is not tried again",
    { kind: "answer", status: 404, body: { error: { message: "The model `gpt-9` does not exist" } } },
    "MODEL_REFUSED",
    "give-up",
  ],
  [
    "a request that the provider can't take is not tried again",
    { kind: "answer", status: 400, body: { error: { message: "context_length_exceeded" } } },
    "MODEL_REFUSED",
    "give-up",
  ],
  [
    "an answer that is not JSON is invalid",
    { kind: "answer", body: "<html>Welcome to the proxy</html>" },
    "MODEL_ANSWER_INVALID",
    "give-up",
  ],
  [
    "an answer of another shape is invalid",
    { kind: "answer", body: { choices: "none" } },
    "MODEL_ANSWER_INVALID",
    "give-up",
  ],
  [
    "an answer that is cut off at the token limit is invalid",
    chatAnswer('{"name":"Jo', "length"),
    "MODEL_ANSWER_INVALID",
    "give-up",
  ],
  [
    "an answer that a content filter stopped is a refusal",
    chatAnswer("", "content_filter"),
    "MODEL_REFUSED",
    "give-up",
  ],
];

for (const [promise, answer, code, disposition] of faults) {
  test(`on the wire: ${promise}`, verifies("K4"), async () => {
    const error = await failure(answer);
    expect(error).toMatchObject({ code, disposition });
    expect(error.hint).toBeTruthy();
    expect(server?.requests).toHaveLength(1); // one call is one attempt
  });
}

test("a provider that can't be reached is tried again, and the hint says where to look", verifies("K4"), async () => {
  const model = fromAiSdk(createOpenAI({ apiKey: key, baseURL: "http://127.0.0.1:1/v1" })("gpt-4o-mini"));
  const error: unknown = await model.generate(request, new AbortController().signal).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    code: "MODEL_UNAVAILABLE",
    disposition: "retry",
    message: expect.stringContaining("can't be reached"),
  });
});

test("a call that takes too long ends as unavailable; one that was cancelled ends as what cancelled it", async () => {
  expect(await failure({ kind: "hang" }, { signal: AbortSignal.timeout(50) })).toMatchObject({
    code: "MODEL_UNAVAILABLE",
    message: "openai did not answer in time",
  });
  await server?.close();
  const cancelled = new TuttiError("RUN_CANCELLED", "the run was cancelled");
  const controller = new AbortController();
  setTimeout(() => controller.abort(cancelled), 50);
  expect(await failure({ kind: "hang" }, { signal: controller.signal })).toBe(cancelled);
});

test("what is not a model of the AI SDK is refused at once", verifies("K4"), () => {
  for (const given of [
    "gpt-5-mini",
    undefined,
    { specificationVersion: "v2", doGenerate: () => undefined },
    { specificationVersion: "v4" },
  ]) {
    expect(() => Reflect.apply(fromAiSdk, undefined, [given])).toThrow(
      expect.objectContaining({ code: "DEFINITION_INVALID" }),
    );
  }
});
