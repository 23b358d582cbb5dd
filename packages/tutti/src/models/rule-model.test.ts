import { expect, test } from "vitest";
import { z } from "zod";

import { verifies } from "../../../../test/verifies.ts";
import { agent } from "../agents/agent.ts";
import { systemClock } from "../base/clock.ts";
import { openTutti } from "../engine/load-engine.ts";
import { flow } from "../flow/flow.ts";
import { openMemoryLedger } from "../ledger/memory/memory-ledger.ts";
import { tool } from "../tools/tool.ts";
import { ruleModel } from "./rule-model.ts";

const Word = z.object({ word: z.string() });
const Length = z.object({ length: z.number() });
const measure = tool({
  name: "word.measure",
  does: "Counts the letters of a word.",
  input: Word,
  output: Length,
  effect: "read",
  run: ({ word }) => ({ length: word.length }),
});
const counter = agent({
  name: "counter",
  does: "Says how long a word is.",
  model: "fast",
  tools: [measure],
  input: Word,
  output: Length,
  instructions: "",
});
const count = flow({ name: "count", input: Word, output: Length, run: (run, word) => run.call(counter, word) });

async function play(model: ReturnType<typeof ruleModel>): Promise<{ length: number }> {
  const tutti = await openTutti({
    flows: [count],
    models: { fast: model },
    ledger: openMemoryLedger({ clock: systemClock }),
  });
  try {
    return await tutti.run(count, { word: "```json\n{}``` and more" });
  } finally {
    await tutti.close();
  }
}

test(
  "an agent without a language model works by its rule: it is given its input and what its tools brought",
  verifies("X3"),
  async () => {
    const model = ruleModel({
      counter: ({ input, results }) =>
        results.length === 0 ? { calls: [{ tool: "word.measure", input }] } : { answer: results[0]?.result },
    });
    expect(await play(model)).toEqual({ length: 22 });
  },
);

test("an agent without a rule is refused with the names of those that have one", verifies("K4"), async () => {
  const refused = play(ruleModel({ writer: () => ({ answer: {} }) }));
  await expect(refused).rejects.toMatchObject({ code: "MODEL_REFUSED", hint: expect.stringContaining("writer") });
});

test("a rule that throws is not asked again, and what a tool refused is named", verifies("K4"), async () => {
  let asked = 0;
  const throwing = ruleModel({
    counter: () => {
      asked += 1;
      throw new Error("no such word");
    },
  });
  await expect(play(throwing)).rejects.toMatchObject({ message: "the rule of counter failed: no such word" });
  expect(asked).toBe(1);
  const careless = ruleModel({
    counter: ({ results }) => {
      if (results.length === 0) return { calls: [{ tool: "word.measure", input: {} }] };
      return { answer: Length.parse(results[0]?.result) };
    },
  });
  await expect(play(careless)).rejects.toMatchObject({
    code: "MODEL_REFUSED",
    message: expect.stringContaining("word.measure refused: "),
  });
});
