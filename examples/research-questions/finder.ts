import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

import { agent, flow, openTutti, systemClock, tool } from "tutti";
import { rule, ruleModel } from "tutti/models";
import { openMemoryLedger } from "tutti/testing";
import { z } from "zod";

export const Answer = z.object({ quote: z.string(), source: z.string() });
export type Answer = z.infer<typeof Answer>;
const Passage = z.object({ text: z.string(), source: z.string() });
const Question = z.object({ question: z.string(), passages: z.array(Passage) });

const finder = agent({
  name: "finder",
  does: "Finds the sentence that answers a question.",
  model: "fast",
  input: Question,
  output: Answer,
  instructions: "Quote one sentence, word for word, and name its source.",
});

/** The sentence that has the most of the question's rare words. */
const model = ruleModel(
  {
    finder: rule(Question, ({ question, passages }) => {
      const wanted = toWords(question);
      const share = (word: string): number => 1 / passages.filter(({ text }) => toWords(text).has(word)).length;
      const score = (text: string): number =>
        [...toWords(text)].reduce((sum, word) => sum + (wanted.has(word) ? share(word) : 0), 0);
      const [best] = passages.toSorted((left, right) => score(right.text) - score(left.text));
      return { quote: best?.text ?? "", source: best?.source ?? "" };
    }),
  },
  { id: "finder-1" },
);

function toWords(text: string): ReadonlySet<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu));
}

/** Answers questions from the documents of a folder. What it does is its own run, in a ledger that ends with its process. */
export async function openFinder(library: string): Promise<(question: string) => Promise<Answer>> {
  const read = tool({
    name: "library.read",
    does: "Reads every sentence of the library.",
    input: z.object({}),
    output: z.array(Passage),
    effect: "read",
    run: () => readLibrary(library),
  });
  const answer = flow({
    name: "answer",
    input: z.object({ question: z.string() }),
    output: Answer,
    run: async (run, { question }) => run.call(finder, { question, passages: await run.call(read, {}) }),
  });
  const tutti = await openTutti({
    flows: [answer],
    models: { fast: model },
    ledger: openMemoryLedger({ clock: systemClock }),
  });
  return (question) => tutti.run(answer, { question });
}

export async function readLibrary(library: string): Promise<z.infer<typeof Passage>[]> {
  const names = (await readdir(library)).filter((name) => name.endsWith(".md")).toSorted();
  const passages = names.map(async (source) => {
    const lines = (await readFile(path.join(library, source), "utf8")).split("\n");
    return lines.filter((line) => line.endsWith(".")).map((text) => ({ text, source }));
  });
  return (await Promise.all(passages)).flat();
}
