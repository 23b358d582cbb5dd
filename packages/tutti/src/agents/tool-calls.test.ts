import { expect, test } from "vitest";
import { z } from "zod";

import { doneKeys, play, toAsking, toolResults, toScholar } from "../../../../test/agents/agent-fixture.ts";
import { bodiesOf, openStage, until } from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { tool } from "../tools/tool.ts";
import { callsPerTurnMax } from "./ask-model.ts";
import { inputCharactersMax, resultCharactersMax } from "./tool-calls.ts";

const echo = tool({
  name: "echo",
  does: "Says it again.",
  input: z.object({ text: z.string(), times: z.int().default(1) }),
  output: z.object({ text: z.string() }),
  effect: "read",
  run: ({ text, times }) => ({ text: text.repeat(times) }),
});

const done = { answer: { answer: "done" } };

test(
  "a turn that asks for more calls than are made gets the first ones, and the model is told",
  verifies("K4"),
  async () => {
    const flood = Array.from({ length: 5_000 }, (_, index) => ({
      id: `c${index}`,
      tool: "echo",
      input: { text: `t${index}` },
    }));
    const model = scriptedModel([{ toolCalls: flood }, done]);
    const { outcome, entries } = await play(model, toScholar({ tools: [echo] }));
    expect(outcome).toMatchObject({ output: { answer: "done" } });
    expect(doneKeys(entries).filter((key) => key.includes("echo"))).toHaveLength(callsPerTurnMax);
    const messages = model.requests[1]?.messages ?? [];
    expect(toolResults(messages)).toHaveLength(callsPerTurnMax);
    expect(messages.at(-1)).toMatchObject({
      role: "user",
      text: expect.stringContaining(`${5_000 - callsPerTurnMax} more calls`),
    });
    const recorded = entries.find((entry) => entry.key === "/scholar/model");
    expect(JSON.parse(recorded?.body ?? "{}")).toMatchObject({ out: { dropped: 5_000 - callsPerTurnMax } });
  },
);

test("an input that is longer than any should be is not passed on, and costs no step", verifies("K4"), async () => {
  const text = "x".repeat(inputCharactersMax);
  const model = scriptedModel([{ toolCalls: [{ id: "a", tool: "echo", input: { text } }] }, done]);
  const { entries } = await play(model, toScholar({ tools: [echo] }));
  expect(toolResults(model.requests[1]?.messages ?? [])).toMatchObject([
    { isError: true, result: expect.stringContaining(`at most ${inputCharactersMax}`) },
  ]);
  expect(doneKeys(entries)).toEqual(["/scholar/model", "/scholar/model#2"]);
});

test("of a result that is too long the model sees the beginning; the ledger has the whole", async () => {
  const times = 3 * resultCharactersMax;
  const model = scriptedModel([{ toolCalls: [{ id: "a", tool: "echo", input: { text: "x", times } }] }, done]);
  const { entries, ledger } = await play(model, toScholar({ tools: [echo] }));
  const [shown] = toolResults(model.requests[1]?.messages ?? []);
  expect(JSON.stringify(shown?.result).length).toBeLessThan(resultCharactersMax + 200);
  expect(shown?.result).toContain("characters in all");
  const step = entries.find((entry) => entry.key.startsWith("/scholar/echo"));
  const { outRef } = JSON.parse(step?.body ?? "{}");
  expect(await ledger.readBlob(outRef.hash)).toBe(JSON.stringify({ text: "x".repeat(times) }));
});

test("a tool's own refusal is told to the model with its hint; the model may go on", async () => {
  const picky = tool({ ...echo, needs: [{ name: "the text is polite", check: () => "it is not" }] });
  const model = scriptedModel([{ toolCalls: [{ id: "a", tool: "echo", input: { text: "x" } }] }, done]);
  const { outcome } = await play(model, toScholar({ tools: [picky] }));
  expect(outcome).toMatchObject({ output: { answer: "done" } });
  expect(toolResults(model.requests[1]?.messages ?? [])).toMatchObject([
    { isError: true, result: expect.stringContaining('"the text is polite" does not hold: it is not') },
  ]);
});

test(
  "what a crash left open is found out under its key, also when a person has given a directive since",
  verifies("D3", "G5"),
  async () => {
    const stage = openStage();
    const keys: string[] = [];
    const post = tool({
      name: "post",
      does: "Posts a letter.",
      input: z.object({}),
      output: z.object({ posted: z.number() }),
      effect: "idempotent",
      run(_, { idempotencyKey }) {
        keys.push(idempotencyKey);
        return keys.length === 1 ? new Promise(() => {}) : { posted: keys.length };
      },
    });
    const model = scriptedModel([{ toolCalls: [{ id: "p", tool: "post", input: {} }] }, done]);
    const flow = toAsking(toScholar({ tools: [post] }));
    const first = await stage.open([flow], { models: { fast: model } });
    await first.start(flow, { question: "?" }, { id: "r" });
    await until(() => keys.length === 1);
    const elsewhere = await stage.open([], { recover: false });
    await (await elsewhere.open("r")).steer({ kind: "constraint", text: "No letters" }, { by: "ann" });
    const second = await stage.open([flow], { models: { fast: model } });
    expect(await (await second.open("r")).result()).toMatchObject({ output: { answer: "done" } });
    expect(keys).toEqual([keys[0], keys[0]]);
    expect(bodiesOf(stage.entries, "effect-settled")).toMatchObject([{ out: { posted: 2 } }]);
    expect(JSON.stringify(model.requests.at(-1)?.messages)).toContain("No letters");
  },
);
