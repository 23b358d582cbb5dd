import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { LanguageModelV4 } from "@ai-sdk/provider";
import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";

import { verifies } from "../../../../../test/verifies.ts";
import { isTuttiError, TuttiError } from "../../base/errors.ts";
import type { ModelDelta, ModelReply, ModelRequest } from "../../contracts/model.ts";
import { openProviderServer, type ProviderAnswer, type ProviderServer } from "../../testing/provider-server.ts";
import { chatWire, geminiWire, messagesWire, responsesWire, type Said, type Wire } from "../../testing/wire-answers.ts";
import { fromAiSdk } from "./ai-sdk-model.ts";

interface Provider {
  readonly name: string;
  readonly wire: Wire;
  readonly open: (url: string) => LanguageModelV4;
  /** What its wire format says of usage beyond the totals. */
  readonly counts: readonly ("cached" | "written" | "reasoning")[];
}

const apiKey = "test-4711abcdefghijklmnop";
const providers: readonly Provider[] = [
  {
    name: "OpenAI, Responses",
    wire: responsesWire,
    open: (url) => createOpenAI({ apiKey, baseURL: `${url}/v1` })("gpt-5-mini"),
    counts: ["cached", "reasoning"],
  },
  {
    name: "OpenAI, Chat Completions",
    wire: chatWire,
    open: (url) => createOpenAI({ apiKey, baseURL: `${url}/v1` }).chat("gpt-4o-mini"),
    counts: ["cached", "reasoning"],
  },
  {
    name: "Anthropic",
    wire: messagesWire,
    open: (url) => createAnthropic({ apiKey, baseURL: `${url}/v1` })("claude-haiku-4-5"),
    counts: ["cached", "written", "reasoning"],
  },
  {
    name: "Google",
    wire: geminiWire,
    open: (url) => createGoogleGenerativeAI({ apiKey, baseURL: `${url}/v1beta` })("gemini-2.5-flash"),
    counts: ["cached", "reasoning"],
  },
  {
    name: "a compatible server",
    wire: chatWire,
    open: (url) =>
      createOpenAICompatible({ name: "local", apiKey, baseURL: `${url}/v1`, supportsStructuredOutputs: true })("some"),
    counts: ["cached", "reasoning"],
  },
  {
    name: "Ollama",
    wire: chatWire,
    open: (url) => createOpenAICompatible({ name: "ollama", baseURL: `${url}/v1` })("qwen3"),
    counts: ["cached", "reasoning"],
  },
];

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
  tools: [
    { name: "get.weather", does: "Tells the weather.", input: z.toJSONSchema(z.object({ location: z.string() })) },
  ],
  answer: { name: "answer", schema: z.toJSONSchema(z.object({ occupation: z.string() })) },
};

const usage = { input: 100, cached: 40, written: 20, output: 50, reasoning: 30 };
const answer: Said = { text: '{"occupation":"gardener"}', usage };
const twoCalls: Said = {
  text: "I look.",
  calls: [
    { id: "a", name: "get_weather", input: { location: "Rome" } },
    { id: "b", name: "get_weather", input: { location: "Oslo" } },
  ],
};

interface Asked {
  readonly reply: ModelReply;
  readonly deltas: readonly ModelDelta[];
}

type How = "at once" | "watched";

async function ask({ wire, open }: Provider, said: Said, how: How): Promise<Asked> {
  await server?.close();
  server = await openProviderServer(() =>
    how === "at once" ? { kind: "answer", body: wire.answer(said) } : { kind: "events", events: wire.events(said) },
  );
  const deltas: ModelDelta[] = [];
  const watch = how === "watched" ? (delta: ModelDelta) => void deltas.push(delta) : undefined;
  const reply = await fromAiSdk(open(server.url)).generate(request, new AbortController().signal, watch);
  return { reply, deltas };
}

interface Leaving {
  readonly at: "question" | "word";
  readonly because: TuttiError;
}

async function fail(provider: Provider, served: ProviderAnswer, leaving?: Leaving): Promise<TuttiError> {
  await server?.close();
  const controller = new AbortController();
  const leave = (at: Leaving["at"]): void => {
    if (leaving?.at === at) controller.abort(leaving.because);
  };
  server = await openProviderServer(() => {
    leave("question");
    return served;
  });
  const watch = served.kind === "events" ? (): void => leave("word") : undefined;
  const thrown = await fromAiSdk(provider.open(server.url))
    .generate(request, controller.signal, watch)
    .then(
      (reply) => reply,
      (error: unknown) => error,
    );
  if (isTuttiError(thrown)) return thrown;
  throw new TuttiError("BUG", `no TuttiError but ${JSON.stringify(thrown)}`);
}

describe.each(providers)("$name", (provider) => {
  test.each(["at once", "watched"] as const)(
    "answers %s, with tokens counted once and their parts known",
    verifies("M3", "M4"),
    async (how) => {
      const { reply } = await ask(provider, answer, how);
      const { counts } = provider;
      expect(reply).toMatchObject({ text: answer.text, toolCalls: [] });
      expect(reply.usage).toMatchObject({ modelCalls: 1, inputTokens: 100, outputTokens: 50 });
      expect(reply.usage).toMatchObject({
        cachedInputTokens: 40,
        ...(counts.includes("written") ? { cacheWriteTokens: 20 } : {}),
        reasoningTokens: 30,
      });
      expect(JSON.stringify(server?.requests[0]?.body)).toContain("occupation");
    },
  );

  test.each(["at once", "watched"] as const)(
    "asks %s for several calls, under our names",
    verifies("M3"),
    async (how) => {
      const { reply } = await ask(provider, twoCalls, how);
      expect(reply.text).toBe("I look.");
      expect(reply.toolCalls.map(({ tool, input }) => [tool, input])).toEqual([
        ["get.weather", { location: "Rome" }],
        ["get.weather", { location: "Oslo" }],
      ]);
      expect(new Set(reply.toolCalls.map(({ id }) => id)).size).toBe(2);
    },
  );

  test(
    "tells a watcher the words and the calls while they come; the reply is the same as without",
    verifies("M3"),
    async () => {
      const said: Said = { ...twoCalls, usage, thinking: { text: "Warm places.", signature: "c2lnbmVk" } };
      const atOnce = await ask(provider, said, "at once");
      const { reply, deltas } = await ask(provider, said, "watched");
      const told = (kind: ModelDelta["kind"]): string =>
        deltas.map((delta) => (delta.kind === kind ? delta.text : "")).join("");
      expect(told("text")).toBe("I look.");
      expect(told("tool-call")).toBe('{"location":"Rome"}{"location":"Oslo"}');
      expect(deltas.filter((delta) => delta.kind === "text").length).toBeGreaterThan(1);
      expect(deltas.every((delta) => delta.kind !== "tool-call" || delta.tool === "get.weather")).toBe(true);
      // Gemini's calls have no ids: its package draws them.
      const plainly = ({ toolCalls, ...rest }: ModelReply): unknown => ({
        ...rest,
        modelId: undefined,
        toolCalls: toolCalls.map((call) => (provider.wire === geminiWire ? { ...call, id: "" } : call)),
      });
      expect(plainly(reply)).toEqual(plainly(atOnce.reply));
    },
  );
});

describe.each(providers)("$name, when it fails", (provider) => {
  test("every way to fail is one clear error that says whether to try again", verifies("M3", "K4"), async () => {
    const said = { error: { message: "No.", type: "none", code: 1, status: "NONE" }, type: "error" };
    const whole = provider.wire.events(twoCalls);
    const part = whole.slice(0, Math.ceil(whole.length / 2));
    const ways: readonly (readonly [ProviderAnswer, Partial<TuttiError>])[] = [
      [{ kind: "answer", status: 401, body: said }, { code: "MODEL_REFUSED" }],
      [
        { kind: "answer", status: 429, headers: { "retry-after": "3" }, body: said },
        { code: "MODEL_RATE_LIMITED", retryAfterMs: 3_000 },
      ],
      [{ kind: "answer", status: 503, body: said }, { code: "MODEL_UNAVAILABLE" }],
      [{ kind: "cut", after: '{"id":"1","ty' }, { code: "MODEL_UNAVAILABLE" }],
      [{ kind: "answer", body: '{"id":"1","ty' }, { code: "MODEL_ANSWER_INVALID" }],
      [{ kind: "events", events: part, after: "cut" }, { code: "MODEL_UNAVAILABLE" }],
      [{ kind: "events", events: part, after: "end" }, { code: "MODEL_UNAVAILABLE" }],
      [{ kind: "events", events: [...part, 'data: {"cut of'], after: "end" }, { code: "MODEL_UNAVAILABLE" }],
      [{ kind: "events", events: [], after: "end" }, { code: "MODEL_UNAVAILABLE" }],
    ];
    for (const [served, expected] of ways) expect(await fail(provider, served)).toMatchObject(expected);
  });

  test("a silent provider is left when the step's time is over, before a word and in the middle", async () => {
    const whole = provider.wire.events(twoCalls);
    const because = new TuttiError("STEP_TIMEOUT", "the step took too long");
    expect(await fail(provider, { kind: "hang" }, { at: "question", because })).toBe(because);
    const silent: ProviderAnswer = { kind: "events", events: whole.slice(0, -2), after: "hang" };
    expect(await fail(provider, silent, { at: "word", because })).toBe(because);
  });
});
