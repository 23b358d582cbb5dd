import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";

import {
  doneKeys,
  play,
  surviveEveryCrash,
  toAsking,
  toolResults,
  toScholar,
  type Played,
  type ScholarDefinition,
} from "../../../../test/agents/agent-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import type { ModelMessage } from "../contracts/model.ts";
import { openTutti } from "../engine/open-tutti.ts";
import { scriptedModel, type ScriptedModel } from "../testing/scripted-model.ts";
import { toToolHost } from "../testing/tool-host.ts";
import { tool } from "../tools/tool.ts";

const read = tool({
  name: "read",
  does: "Reads a page.",
  input: z.object({ page: z.int() }),
  output: z.object({ text: z.string() }),
  effect: "read",
  run: ({ page }) => ({ text: `page ${page}: ${"lorem ipsum ".repeat(200)}` }),
});

/** Reads a page in each turn, and answers after so many; sums up when it is asked to. */
function reader(pages: number): ScriptedModel {
  let page = 0;
  return scriptedModel(({ answer, messages }) => {
    if (answer.name === "summary") return { answer: { summary: `what ${messages.length} messages said` } };
    page = Math.max(page, ...pagesIn(messages)) + 1;
    return page > pages
      ? { answer: { answer: `read ${pages}` } }
      : { toolCalls: [{ id: "r", tool: "read", input: { page } }] };
  });
}

// What a model can still see of what it has read; a marker tells how far it was.
function pagesIn(messages: readonly ModelMessage[]): number[] {
  return messages.flatMap((message) =>
    message.role === "tool" ? [Number(/page (\d+)/.exec(JSON.stringify(message.result))?.[1] ?? 0)] : [],
  );
}

// What the tool above never looks at.
const unasked = toToolHost();

const turnsMax = 500;
const dropping = { afterMessages: 10, keepTurns: 2, by: "drop" } as const;
const summing = { afterTokens: 5_000, keepTurns: 2, by: { model: "fast" } } as const;

/** The output of a step, from the ledger alone. */
async function outputOf({ entries, ledger }: Played, key: string): Promise<unknown> {
  const entry = entries.find((each) => each.kind === "step-done" && each.key === key);
  const { out, outRef } = JSON.parse(entry?.body ?? "{}");
  return outRef === undefined ? out : JSON.parse((await ledger.readBlob(outRef.hash)) ?? "null");
}

/** The results of tools among the messages that steps named `compact` recorded, in order. */
async function leftResults(played: Played): Promise<readonly unknown[]> {
  const keys = doneKeys(played.entries).filter((key) => /\/compact(#\d+)?$/.test(key));
  const recorded = await Promise.all(keys.map((key) => outputOf(played, key)));
  const steps = [...JSON.stringify(recorded).matchAll(/"resultOf":"([^"]+)"/g)].map((match) => match[1] ?? "");
  return Promise.all(steps.map((step) => outputOf(played, step)));
}

test("a conversation is shortened by its rule: the task and the last turns stay word for word", async () => {
  const model = reader(12);
  const { outcome } = await play(model, toScholar({ tools: [read], turnsMax, compact: dropping }));
  expect(outcome).toMatchObject({ output: { answer: "read 12" } });
  expect(Math.max(...model.requests.map((request) => request.messages.length))).toBeLessThanOrEqual(10);
  const last = model.requests.at(-1)?.messages ?? [];
  expect(last.slice(0, 3)).toMatchObject([
    { role: "system" },
    { role: "user", text: expect.stringContaining("What does it mean?") },
    { role: "user", text: expect.stringMatching(/^\d+ earlier messages of this conversation were left out/) },
  ]);
  expect(pagesIn(last)).toEqual([10, 11, 12].slice(-toolResults(last).length));
  // A result never stands without the call that it belongs to.
  const shortened = model.requests.filter(({ messages }) => messages[2]?.role === "user");
  expect(shortened.length).toBeGreaterThan(0);
  expect(shortened.every(({ messages }) => messages[3]?.role === "assistant")).toBe(true);
});

test("what was left out can be read again from the ledger, every message of it", verifies("D14"), async () => {
  const played = await play(reader(12), toScholar({ tools: [read], turnsMax, compact: dropping }));
  const left = await leftResults(played);
  expect(left.length).toBeGreaterThan(6);
  expect(left).toEqual(left.map((_, index) => read.run({ page: index + 1 }, unasked)));
  const last = doneKeys(played.entries).findLast((key) => key.startsWith("/scholar/compact")) ?? "";
  expect(JSON.stringify(await outputOf(played, last))).toContain("earlier messages of this conversation were left out");
});

test("a model may sum up what is left out: its summary takes the place, and its tokens are counted", async () => {
  const model = reader(8);
  const { outcome, entries } = await play(model, toScholar({ tools: [read], turnsMax, compact: summing }));
  const summaries = model.requests.filter((request) => request.answer.name === "summary");
  expect(summaries.length).toBeGreaterThan(0);
  expect(summaries[0]?.messages[1]).toMatchObject({ text: expect.stringContaining("What does it mean?") });
  expect(model.requests.at(-1)?.messages[2]).toMatchObject({
    text: expect.stringContaining("In short: what 2 messages"),
  });
  expect(outcome).toMatchObject({ output: { answer: "read 8" }, usage: { modelCalls: model.requests.length } });
  expect(doneKeys(entries)).toEqual(expect.arrayContaining(["/scholar/compact", "/scholar/summary"]));
});

test("a summary that is none ends the call with a clear error", verifies("K4"), async () => {
  let page = 0;
  const model = scriptedModel(({ answer }) =>
    answer.name === "summary" ? { text: " " } : { toolCalls: [{ id: "r", tool: "read", input: { page: page++ } }] },
  );
  const { outcome } = await play(model, toScholar({ tools: [read], turnsMax, compact: summing }));
  expect(outcome).toMatchObject({ code: "MODEL_ANSWER_INVALID", message: expect.stringContaining("no summary") });
});

test("a shortened conversation is the same after a crash at any entry", verifies("D1", "D2"), async () => {
  for (const compact of [dropping, summing]) {
    const callee = toScholar({ tools: [read], turnsMax, compact });
    expect((await surviveEveryCrash(callee, () => reader(7))).differences).toEqual([]);
  }
});

/** The size of the ledger's file after so many calls of the model, each with a result of 2.4 kB. */
async function ledgerBytes(calls: number, change: Partial<ScholarDefinition> = {}): Promise<number> {
  const folder = mkdtempSync(path.join(tmpdir(), "tutti-growth-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, "ledger.db");
  const ask = toAsking(toScholar({ tools: [read], turnsMax, ...change }));
  const tutti = await openTutti({
    flows: [ask],
    models: { fast: reader(calls - 1) },
    ledger: file,
    durability: "process",
  });
  await tutti.run(ask, { question: "?" });
  await tutti.close();
  return statSync(file).size;
}

test(
  "the ledger grows with the work, not with the conversation: 200 calls take twice what 100 take",
  verifies("D14"),
  async () => {
    for (const change of [{}, { compact: dropping }]) {
      const [hundred, twoHundred] = [await ledgerBytes(100, change), await ledgerBytes(200, change)];
      expect(twoHundred / hundred).toBeLessThan(2.1);
      expect(twoHundred).toBeLessThan(2.5 * 200 * 2_400);
    }
  },
);
