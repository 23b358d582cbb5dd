import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { LanguageModelV4 } from "@ai-sdk/provider";
import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";

import { verifies } from "../../../../../test/verifies.ts";
import { agent } from "../../agents/agent.ts";
import { systemClock } from "../../base/clock.ts";
import { openTutti } from "../../engine/open-tutti.ts";
import { flow } from "../../flow/flow.ts";
import { openMemoryLedger } from "../../ledger/memory/memory-ledger.ts";
import { openProviderServer, type ProviderServer } from "../../testing/provider-server.ts";
import { chatWire, geminiWire, messagesWire, responsesWire, type Said, type Wire } from "../../testing/wire-answers.ts";
import { tool } from "../../tools/tool.ts";
import { fromAiSdk } from "./ai-sdk-model.ts";

let server: ProviderServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const look = tool({
  name: "look.up",
  does: "Looks a word up.",
  input: z.object({ word: z.string() }),
  output: z.object({ meaning: z.string() }),
  effect: "read",
  run: ({ word }) => ({ meaning: `meaning of ${word}` }),
});
const scholar = agent({
  name: "scholar",
  does: "Answers.",
  model: "fast",
  tools: [look],
  input: z.object({ question: z.string() }),
  output: z.object({ answer: z.string() }),
  instructions: "Look words up.",
});
const ask = flow({
  name: "ask",
  input: z.object({ question: z.string() }),
  output: z.object({ answer: z.string() }),
  run: (run, input) => run.call(scholar, input),
});

const thinking = { text: "I should look it up.", signature: "c2lnbmVkIGJ5IHRoZSBwcm92aWRlcg==" };
const calling: Said = { thinking, calls: [{ id: "a", name: "look_up", input: { word: "ledger" } }] };
const answering: Said = { text: '{"answer":"a book"}' };

/** Runs the agent through its two turns, and returns what the provider was told in the second. */
async function playTurns(wire: Wire, open: (url: string) => LanguageModelV4): Promise<string> {
  server = await openProviderServer((_, index) => ({
    kind: "answer",
    body: wire.answer(index === 0 ? calling : answering),
  }));
  const ledger = openMemoryLedger({ clock: systemClock });
  const tutti = await openTutti({ flows: [ask], models: { fast: fromAiSdk(open(server.url)) }, ledger });
  try {
    expect(await tutti.run(ask, { question: "What is a ledger?" })).toEqual({ answer: "a book" });
    return JSON.stringify(server.requests[1]?.body);
  } finally {
    await tutti.close();
  }
}

describe("what a provider wants to see again comes back with the next turn, from the ledger", () => {
  test("Gemini's thought signature, on the call that it signs", verifies("M3"), async () => {
    const body = await playTurns(geminiWire, (url) =>
      createGoogleGenerativeAI({ apiKey: "test", baseURL: `${url}/v1beta` })("gemini-3-flash-preview"),
    );
    expect(body).toMatch(/"functionCall":\{[^}]*"name":"look_up".*?"thoughtSignature":"c2lnbmVk/);
  });

  test("Anthropic's signed thinking, before the call", verifies("M3"), async () => {
    const body = await playTurns(messagesWire, (url) =>
      createAnthropic({ apiKey: "test", baseURL: `${url}/v1` })("claude-haiku-4-5"),
    );
    expect(body).toMatch(/"type":"thinking","thinking":"I should look it up\.","signature":"c2lnbmVk.*"tool_use"/);
  });

  test(
    "OpenAI's reasoning item itself, not a reference to what OpenAI may have forgotten",
    verifies("M3"),
    async () => {
      const body = await playTurns(responsesWire, (url) =>
        createOpenAI({ apiKey: "test", baseURL: `${url}/v1` })("gpt-5-mini"),
      );
      expect(body).toMatch(/"type":"reasoning".*"encrypted_content":"c2lnbmVk.*"type":"function_call"/);
      expect(body).not.toContain("item_reference");
      expect(server?.requests[0]?.body).toMatchObject({ store: false, include: ["reasoning.encrypted_content"] });
    },
  );

  test("the thinking of a local model", verifies("M3"), async () => {
    const body = await playTurns(chatWire, (url) =>
      createOpenAICompatible({ name: "ollama", baseURL: `${url}/v1` })("qwen3"),
    );
    expect(body).toContain('"reasoning_content":"I should look it up."');
  });
});

test("another model is told the words and the calls of a turn, and nothing that only its author can read", async () => {
  server = await openProviderServer((_, index) => ({
    kind: "answer",
    body: messagesWire.answer(index === 0 ? calling : answering),
  }));
  const anthropic = createAnthropic({ apiKey: "test", baseURL: `${server.url}/v1` });
  const [first, second] = [fromAiSdk(anthropic("claude-haiku-4-5")), fromAiSdk(anthropic("claude-sonnet-4-5"))];
  const question = { messages: [{ role: "user" as const, text: "?" }], tools: [], answer: { name: "a", schema: {} } };
  const { signal } = new AbortController();
  const { text, toolCalls, providerData } = await first.generate(question, signal);
  expect(JSON.stringify(providerData)).toContain(thinking.signature);
  const turn = { role: "assistant" as const, text, toolCalls, ...(providerData === undefined ? {} : { providerData }) };
  const result = { role: "tool" as const, callId: "a", tool: "look_up", result: 1, isError: false };
  await second.generate({ ...question, messages: [...question.messages, turn, result] }, signal);
  const body = JSON.stringify(server.requests[1]?.body);
  expect(body).toContain("tool_use");
  expect(body).not.toContain(thinking.signature);
});
