import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";

import { verifies } from "../../../../test/verifies.ts";
import { agent } from "../agents/agent.ts";
import { systemClock } from "../base/clock.ts";
import { TuttiError } from "../base/errors.ts";
import { toRunId } from "../contracts/ids.ts";
import type { Model, ModelDelta, ModelMessage, ModelReply, ModelRequest } from "../contracts/model.ts";
import { openTutti } from "../engine/open-tutti.ts";
import { flow } from "../flow/flow.ts";
import { openMemoryLedger } from "../ledger/memory/memory-ledger.ts";
import { forbidNetworkModels } from "../models/network-switch.ts";
import { tool } from "../tools/tool.ts";
import { recordModel, replayModel } from "./recorded-model.ts";
import { scriptedModel } from "./scripted-model.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "tutti-recorded-"));
  file = path.join(folder, "recordings/scholar.ndjson");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

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

async function play(model: Model): Promise<unknown> {
  const ledger = openMemoryLedger({ clock: systemClock });
  const tutti = await openTutti({ flows: [ask], models: { fast: model }, ledger });
  try {
    return await tutti.run(ask, { question: "What is a ledger?" });
  } finally {
    await tutti.close();
  }
}

const toRequest = (text: string, more: readonly ModelMessage[] = []): ModelRequest => ({
  messages: [{ role: "user", text }, ...more],
  tools: [],
  answer: { name: "answer", schema: { type: "object" } },
});
const generate = (model: Model, request: ModelRequest): Promise<ModelReply> =>
  model.generate(request, new AbortController().signal);

test(
  "an agent that was recorded once runs again from the file, with the same answer and no network",
  verifies("X3", "M3"),
  async () => {
    const live = scriptedModel([
      { toolCalls: [{ id: "a", tool: "look.up", input: { word: "ledger" } }] },
      { answer: { answer: "a book" } },
    ]);
    expect(await play(recordModel(live, file))).toEqual({ answer: "a book" });
    using _ = forbidNetworkModels();
    expect(await play(replayModel(file))).toEqual({ answer: "a book" });
    expect(live.requests).toHaveLength(2);
  },
);

test("a replayed answer is the recorded one, whole, watched or not, and says who gave it", verifies("X3"), async () => {
  const reply: ModelReply = {
    text: "{}",
    toolCalls: [{ id: "1", tool: "t", input: { a: [1, null] } }],
    usage: { modelCalls: 2, inputTokens: 5, outputTokens: 5, cachedInputTokens: 1, reasoningTokens: 2, costUsd: 0.5 },
    confidence: { value: 0.5, source: "logprobs" },
    passedOver: [{ model: "x/y", code: "MODEL_REFUSED", why: "no" }],
    providerData: { by: "x/z", parts: [] },
  };
  const live: Model = { provider: "stage", id: "vendor/model-1", generate: async () => reply };
  await generate(recordModel(live, file), toRequest("?"));
  const deltas: ModelDelta[] = [];
  const watch = (delta: ModelDelta): void => void deltas.push(delta);
  // Which run asks is no part of the question.
  const asked = { ...toRequest("?"), hints: { run: toRunId("another") } };
  const replayed = await replayModel(file).generate(asked, new AbortController().signal, watch);
  expect(replayed).toEqual({ ...reply, provider: "stage", modelId: "vendor/model-1" });
  expect(deltas.map(({ text }) => text)).toEqual(["{}", '{"a":[1,null]}']);
});

test(
  "a question that was not recorded is refused, with what differs from the nearest one that was",
  verifies("X3", "K4"),
  async () => {
    const recording = recordModel(
      scriptedModel(() => ({ text: "{}" })),
      file,
    );
    await generate(recording, toRequest("Something else entirely."));
    await generate(recording, toRequest("How fast are ledgers on a disk that spins?"));
    const refused = generate(replayModel(file), toRequest("How fast are ledgers on a disk that stands still?"));
    await expect(refused).rejects.toMatchObject({
      code: "MODEL_REFUSED",
      message:
        `${file} holds no answer to this request. The nearest recorded one (line 2) differs:\n` +
        `  messages[0].text: recorded …"ers on a disk that spins?", asked …"ers on a disk that stands still?"`,
      facts: { file, recorded: 2 },
    });
    const longer = toRequest("Something else entirely.", [{ role: "user", text: "x".repeat(500) }]);
    await expect(generate(replayModel(file), longer)).rejects.toThrow(
      /messages\[1\]\.text: recorded nothing, asked "x{80}"…/,
    );
    writeFileSync(file, "");
    await expect(generate(replayModel(file), longer)).rejects.toThrow("The recording is empty.");
  },
);

test(
  "the same question asked again gets the recorded answers in order, and then the last one",
  verifies("X3"),
  async () => {
    const recording = recordModel(
      scriptedModel((_request, index) => ({ text: `answer ${index}` })),
      file,
    );
    await Promise.all([0, 1].map(() => generate(recording, toRequest("?"))));
    const replaying = replayModel(file);
    const texts: string[] = [];
    for (let count = 0; count < 3; count++) texts.push((await generate(replaying, toRequest("?"))).text);
    expect(texts).toEqual(["answer 0", "answer 1", "answer 1"]);
  },
);

test(
  "what looks like a key is in no recording, and its question is found all the same",
  verifies("X3", "G10"),
  async () => {
    const keys = [
      "sk-proj-4711abcdefghijklmnop",
      "AIzaSy4711abcdefghijklmnopqrs",
      "ghp_4711abcdefghijklmnopqrstuv",
      "Bearer 4711abcdefghijklmnop",
      "eyJhbGciOi.eyJzdWI4711.c2lnbmF0dXJl",
      "-----BEGIN PRIVATE KEY-----\n4711\n-----END PRIVATE KEY-----",
    ];
    const live = scriptedModel(() => ({ text: `I saw ${keys.join(" ")}.` }));
    const request = toRequest(`Keep these: ${keys.join(", ")} and 550e8400-e29b-41d4-a716-446655440000.`);
    const reply = await generate(recordModel(live, file), request);
    expect(reply.text).toContain(keys[0]);
    const text = readFileSync(file, "utf8");
    expect(text).not.toContain("4711");
    expect(text).toContain("550e8400-e29b-41d4-a716-446655440000");
    expect((await generate(replayModel(file), request)).text).toMatch(/^I saw \[redacted\]/);
  },
);

test("a failed call is not recorded, and a new recording replaces the old one", verifies("X3"), async () => {
  await generate(recordModel(scriptedModel([{ text: "old" }]), file), toRequest("?"));
  const live = scriptedModel([{ error: new TuttiError("MODEL_UNAVAILABLE", "down") }, { text: "new" }]);
  const recording = recordModel(live, file);
  await expect(generate(recording, toRequest("?"))).rejects.toMatchObject({ code: "MODEL_UNAVAILABLE" });
  await generate(recording, toRequest("?"));
  expect(readFileSync(file, "utf8").trim().split("\n")).toHaveLength(1);
  expect((await generate(replayModel(file), toRequest("?"))).text).toBe("new");
});

function unreadable(hint: string): unknown {
  return expect.objectContaining({ code: "SOURCE_UNREADABLE", hint: expect.stringContaining(hint) });
}

test("a file that is missing, damaged or can't be written is one clear error", verifies("K4"), async () => {
  expect(() => replayModel(file)).toThrow(unreadable("Make it with recordModel"));
  await generate(recordModel(scriptedModel([{ text: "{}" }]), file), toRequest("?"));
  for (const line of ["{", "{}", '{"fingerprint":1}']) {
    writeFileSync(file, `${readFileSync(file, "utf8").split("\n", 1)[0]}\n${line}\n`);
    expect(() => replayModel(file)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(`line 2 of ${file}`) }),
    );
  }
  truncateSync(file, 64 * 1024 * 1024 + 1);
  expect(() => replayModel(file)).toThrow("at most 67108864 are read");
  const inTheWay = path.join(file, "below-a-file.ndjson");
  await expect(
    generate(
      recordModel(
        scriptedModel(() => ({ text: "{}" })),
        inTheWay,
      ),
      toRequest("?"),
    ),
  ).rejects.toEqual(unreadable("may write to"));
});
