import { expect, test } from "vitest";
import { z } from "zod";

import {
  play,
  surviveEveryCrash,
  toScholar,
  type Answered,
  type ScholarDefinition,
} from "../../../../test/agents/agent-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { scriptedModel, type ScriptedModel } from "../testing/scripted-model.ts";
import { answerCharactersMax } from "./ask-model.ts";

test("an answer of ten megabytes is sent back once, and only its beginning is kept", verifies("K4"), async () => {
  const huge = JSON.stringify({ answer: "x".repeat(10 * 1024 * 1024) });
  const model = scriptedModel([{ text: huge }, { text: huge }]);
  const { outcome, entries } = await play(model, toScholar());
  expect(outcome).toMatchObject({
    code: "MODEL_ANSWER_INVALID",
    message: expect.stringContaining(`at most ${answerCharactersMax}`),
  });
  expect(JSON.stringify(model.requests[1]?.messages).length).toBeLessThan(10_000);
  expect(entries.reduce((sum, entry) => sum + entry.body.length, 0)).toBeLessThan(20_000);
});

test("an empty answer, and one that is no JSON, are said as what they are", async () => {
  for (const [text, says] of [
    ["", "it is empty"],
    ["  \n", "it is empty"],
    ["I can't.", "it is not JSON"],
  ] as const) {
    const { outcome } = await play(scriptedModel([{ text }, { text }]), toScholar());
    expect(outcome).toMatchObject({ code: "MODEL_ANSWER_INVALID", message: expect.stringContaining(says) });
  }
});

const short: NonNullable<ScholarDefinition["ensures"]>[number] = {
  name: "the answer has at most three words",
  check: ({ answer }) => answer.split(" ").length <= 3 || `it has ${answer.split(" ").length}`,
};

test(
  "an answer that breaks a guarantee goes back like one that does not fit, and what holds is a confidence by check",
  verifies("G2", "P2"),
  async () => {
    const model = scriptedModel([{ answer: { answer: "far too many words here" } }, { answer: { answer: "just so" } }]);
    const { outcome, entries } = await play(model, toScholar({ ensures: [short] }));
    expect(outcome).toMatchObject({ output: { answer: "just so" }, confidence: { value: 1, source: "check" } });
    expect(model.requests[0]?.messages[0]).toMatchObject({ text: expect.stringContaining(short.name) });
    expect(model.requests[1]?.messages.at(-1)).toMatchObject({ text: expect.stringContaining("it has 5") });
    const asked = entries.filter((entry) => entry.key.startsWith("/scholar/ensures"));
    expect(asked.map((entry): unknown => JSON.parse(entry.body).out)).toEqual([
      { asked: [short.name], breach: `"${short.name}" does not hold: it has 5` },
      { asked: [short.name] },
    ]);
  },
);

test("an answer that goes on breaking a guarantee ends the call", verifies("G2"), async () => {
  const long = { answer: { answer: "far too many words here" } };
  const { outcome } = await play(scriptedModel([long, long]), toScholar({ ensures: [short] }));
  expect(outcome).toMatchObject({ code: "MODEL_ANSWER_INVALID", message: expect.stringContaining(short.name) });
});

test("a guarantee that can't be told does not hold", async () => {
  const broken = { name: "the moon is full", check: () => Promise.reject(new Error("clouds")) };
  const { outcome } = await play(
    scriptedModel(() => ({ answer: { answer: "so" } })),
    toScholar({ ensures: [broken] }),
  );
  expect(outcome).toMatchObject({ message: expect.stringContaining("it can't be told: clouds") });
});

test("an agent without guarantees claims no confidence and pays for no step", async () => {
  const { outcome, entries } = await play(scriptedModel([{ answer: { answer: "so" } }]), toScholar());
  expect(outcome).not.toHaveProperty("confidence");
  expect(entries.map((entry) => entry.kind)).toEqual([
    "run-started",
    "agent-started",
    "step-done",
    "scope-closed",
    "run-done",
  ]);
});

test("a model that is asked how sure it is says so beside its answer, and its word is recorded", async () => {
  const model = scriptedModel([
    { answer: { answer: "bare" } },
    { answer: { answer: { answer: "so" }, confidence: 0.7 } },
  ]);
  const { outcome, entries } = await play(model, toScholar({ confidence: "self", ensures: [short] }));
  expect(model.requests[0]?.answer.schema).toMatchObject({
    required: ["answer", "confidence"],
    properties: { answer: { type: "object", required: ["answer"] } },
  });
  expect(outcome).toMatchObject({ output: { answer: "so" }, confidence: { value: 0.7, source: "self" } });
  const closed = entries.find((entry) => entry.kind === "scope-closed");
  expect(JSON.parse(closed?.body ?? "{}")).toMatchObject({ confidence: { value: 0.7, source: "self" } });
});

test("a confidence that is none is sent back", async () => {
  for (const confidence of [1.2, -0.1, "high", null]) {
    const model = scriptedModel(() => ({ answer: { answer: { answer: "so" }, confidence } }));
    const { outcome } = await play(model, toScholar({ confidence: "self" }));
    expect(outcome).toMatchObject({ code: "MODEL_ANSWER_INVALID", message: expect.stringContaining("confidence") });
  }
});

test("a schema that refers to itself still does when a confidence stands beside the answer", async () => {
  interface Tree {
    readonly name: string;
    readonly parts: readonly Tree[];
  }
  const Tree: z.ZodType<Tree> = z.object({
    name: z.string(),
    get parts() {
      return z.array(Tree);
    },
  });
  const output = Tree.transform(({ name }): Answered => ({ answer: name }));
  const model = scriptedModel([{ answer: { answer: { name: "root", parts: [] }, confidence: 1 } }]);
  const { outcome } = await play(model, toScholar({ confidence: "self", output }));
  expect(outcome).toMatchObject({ output: { answer: "root" } });
  const schema = JSON.stringify(model.requests[0]?.answer.schema);
  expect(schema).not.toContain('"$ref":"#"');
  expect(schema).toContain('"$ref":"#/');
});

test("a schema that changes what it parses is asked once: one-way changes work", verifies("C1"), async () => {
  let parsed = 0;
  const output = z.object({ words: z.array(z.string()) }).transform(({ words }): Answered => {
    parsed += 1;
    return { answer: words.join(" ") };
  });
  const model = scriptedModel([{ answer: { words: ["just", "so"] } }]);
  const { outcome } = await play(model, toScholar({ output, ensures: [short] }));
  expect(outcome).toMatchObject({ output: { answer: "just so" } });
  expect(parsed).toBe(1);
});

/** Needs to be told that its answer is too long. */
function wordy(): ScriptedModel {
  return scriptedModel(({ messages }) => ({
    answer: { answer: { answer: messages.length < 4 ? "far too many words here" : "just so" }, confidence: 0.5 },
  }));
}

test("answers, repairs and guarantees are the same after a crash at any entry", verifies("D1", "D2"), async () => {
  const callee = toScholar({ ensures: [short], confidence: "self" });
  expect((await surviveEveryCrash(callee, wordy)).differences).toEqual([]);
});
