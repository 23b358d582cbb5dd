import { expect, test } from "vitest";
import { z } from "zod";

import { play, surviveEveryCrash, toolResults, toScholar } from "../../../../test/agents/agent-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import type { Clock } from "../base/clock.ts";
import { scriptedModel, type ScriptedModel } from "../testing/scripted-model.ts";
import { tool } from "../tools/tool.ts";
import { repeatRefusalsMax, repeatsMax } from "./tool-calls.ts";

const look = tool({
  name: "look.up",
  does: "Looks something up.",
  input: z.object({ word: z.string() }),
  output: z.object({ meaning: z.string() }),
  effect: "read",
  run: ({ word }) => ({ meaning: `meaning of ${word}` }),
});

/** Looks another word up in every turn, as long as it has tools; then answers. Each turn costs 15 tokens and a cent. */
function tireless(): ScriptedModel {
  return scriptedModel(({ tools, messages }) =>
    tools.length === 0
      ? { answer: { answer: `after ${toolResults(messages).length} results` } }
      : { toolCalls: [{ id: "a", tool: "look.up", input: { word: `w${toolResults(messages).length}` } }] },
  );
}

/** The same, but it does not answer when it is told to. */
function stubborn(): ScriptedModel {
  return scriptedModel(({ messages }) => ({
    toolCalls: [{ id: "a", tool: "look.up", input: { word: `w${toolResults(messages).length}` } }],
  }));
}

/** Makes the same call over and over. */
function circling(): ScriptedModel {
  return scriptedModel(() => ({ toolCalls: [{ id: "a", tool: "look.up", input: { word: "it" } }] }));
}

/** A clock on which every look takes a second. */
function tickingClock(): Clock {
  let now = 1_760_000_000_000;
  return { now: () => (now += 1_000), after: () => () => {} };
}

// Each leaves room for four turns: 60 tokens, 4 cents.
const limits = [
  ["turns", { turnsMax: 4 }, 4],
  ["tokens", { tokensMax: 70 }, 4],
  ["cost", { costMaxUsd: 0.0495 }, 4],
] as const;

for (const [limit, change, calls] of limits) {
  test(
    `when the limit of an agent is near (${limit}), its tools are withdrawn and it answers with what it has`,
    verifies("K4"),
    async () => {
      const model = tireless();
      const { outcome } = await play(model, toScholar({ tools: [look], ...change }));
      expect(outcome).toMatchObject({ output: { answer: `after ${calls - 1} results` } });
      const last = model.requests.at(-1);
      expect(last?.tools).toEqual([]);
      expect(last?.messages.at(-1)).toMatchObject({ role: "user", text: expect.stringContaining("last turn") });
      expect(model.requests.slice(0, -1).every((request) => request.tools.length === 1)).toBe(true);
    },
  );

  test(`an agent that does not answer in its last turn ends with the limit's name: ${limit}`, async () => {
    const model = stubborn();
    const { outcome } = await play(model, toScholar({ tools: [look], ...change }));
    expect(outcome).toMatchObject({
      code: "AGENT_LIMIT",
      facts: { agent: "scholar", limit },
      hint: expect.any(String),
    });
    expect(model.requests).toHaveLength(calls);
  });
}

test("time is drawn from the ledger, so a replay counts the same, and its limit ends the call", async () => {
  const clock = tickingClock();
  const model = stubborn();
  const { outcome, entries } = await play(model, toScholar({ tools: [look], durationMaxMs: 20_000 }), { clock });
  expect(outcome).toMatchObject({ code: "AGENT_LIMIT", facts: { limit: "time", max: 20_000 } });
  expect(model.requests.length).toBeLessThan(12);
  const drawn = entries.filter((entry) => entry.kind === "value-drawn");
  expect(drawn).toHaveLength(model.requests.length);
});

test("an agent without a limit of time draws no time", async () => {
  const { entries } = await play(tireless(), toScholar({ tools: [look], turnsMax: 3 }));
  expect(entries.filter((entry) => entry.kind === "value-drawn")).toEqual([]);
});

test("a limit cuts no answer off that was already paid for", async () => {
  const { outcome } = await play(scriptedModel([{ answer: { answer: "so" } }]), toScholar({ tokensMax: 1 }));
  expect(outcome).toMatchObject({ output: { answer: "so" }, usage: { inputTokens: 10 } });
});

test("an answer in the last turn that can't be used is said with the limit", async () => {
  const { outcome } = await play(scriptedModel([{ text: "no" }]), toScholar({ turnsMax: 1 }));
  expect(outcome).toMatchObject({ code: "AGENT_LIMIT", message: expect.stringContaining("it is not JSON") });
});

test("repairs are counted: none, or as many as are allowed", async () => {
  for (const repairsMax of [0, 3]) {
    const model = scriptedModel(() => ({ text: "no" }));
    const { outcome } = await play(model, toScholar({ repairsMax }));
    expect(outcome).toMatchObject({ code: "MODEL_ANSWER_INVALID" });
    expect(model.requests).toHaveLength(repairsMax + 1);
  }
});

test(
  "the same call with the same input, over and over, is refused with a hint, and then ends the agent",
  verifies("K4"),
  async () => {
    const same = circling();
    const { outcome, entries } = await play(same, toScholar({ tools: [look] }));
    expect(outcome).toMatchObject({ code: "AGENT_LIMIT", facts: { limit: "repeats" } });
    expect(entries.filter((entry) => entry.key.startsWith("/scholar/look.up"))).toHaveLength(repeatsMax);
    const refused = toolResults(same.requests.at(-1)?.messages ?? []).filter((result) => result.isError);
    expect(refused).toHaveLength(repeatRefusalsMax);
    expect(refused[0]?.result).toContain("in a row");
  },
);

test("another input, or another turn in between, is no repetition; a tool for polling may be asked on", async () => {
  const words = ["a", "a", "b", "a", "a", "b", "a", "a"];
  const alternating = scriptedModel([
    ...words.map((word) => ({ toolCalls: [{ id: "a", tool: "look.up", input: { word } }] })),
    { answer: { answer: "so" } },
  ]);
  expect((await play(alternating, toScholar({ tools: [look] }))).outcome).toMatchObject({ output: { answer: "so" } });
  const polling = scriptedModel([
    ...words.map(() => ({ toolCalls: [{ id: "a", tool: "look.up", input: { word: "a" } }] })),
    { answer: { answer: "ready" } },
  ]);
  const patient = toScholar({ tools: [tool({ ...look, tags: ["polling"] })] });
  expect((await play(polling, patient)).outcome).toMatchObject({ output: { answer: "ready" } });
});

test("limits and repetitions count the same after a crash at any entry", verifies("D1", "D2"), async () => {
  const callee = toScholar({ tools: [look], tokensMax: 70, durationMaxMs: 1e9 });
  expect(await surviveEveryCrash(callee, tireless)).toMatchObject({ points: expect.any(Number), differences: [] });
  expect((await surviveEveryCrash(toScholar({ tools: [look] }), circling)).differences).toEqual([]);
});
