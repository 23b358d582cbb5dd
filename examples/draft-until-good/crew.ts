import { writeFileSync } from "node:fs";
import path from "node:path";

import { agent, tool, type Callable, type Model } from "tutti";
import { rule, ruleModel } from "tutti/models";
import { z } from "zod";

export const Brief = z.object({
  name: z.string().regex(/^[\w-]+$/u),
  facts: z.array(z.string()).min(1),
  unwanted: z.array(z.string()),
  wordsMax: z.number(),
});
export type Brief = z.infer<typeof Brief>;

const Text = z.object({ text: z.string() });
const Wanted = z.object({
  text: z.string(),
  facts: z.array(z.string()),
  unwanted: z.array(z.string()),
  wordsMax: z.number(),
});
const Points = z.object({ text: z.string(), facts: z.array(z.string()), points: z.array(z.string()) });

/** What is wrong with a text, in words. Nothing here is left to a model. */
export function findPoints({ text, facts, unwanted, wordsMax }: z.infer<typeof Wanted>): string[] {
  const count = text.split(/\s+/u).length;
  return [
    ...unwanted.filter((word) => text.includes(word)).map((word) => `unwanted: ${word}`),
    ...facts.filter((fact) => !text.includes(fact)).map((fact) => `missing: ${fact}`),
    ...(count > wordsMax ? [`too long: ${count} words instead of ${wordsMax}`] : []),
  ];
}

/** Who may be called by the plan, by name. */
export function toCrew(folder: string): Callable[] {
  const writer = agent({
    name: "writer",
    does: "Writes a first draft.",
    model: "fast",
    input: z.object({ facts: z.array(z.string()) }),
    output: Text,
    instructions: "Friendly, every fact in its own sentence.",
  });
  const editor = agent({
    name: "editor",
    does: "Revises a text by what a check found.",
    model: "fast",
    input: Points,
    output: Text,
    instructions: "Change what the first point names, and nothing else.",
  });
  const check = tool({
    name: "check",
    does: "Says what is wrong with a text.",
    input: Wanted,
    output: z.object({ accepted: z.boolean(), points: z.array(z.string()) }),
    effect: "read",
    run(wanted) {
      const points = findPoints(wanted);
      return { accepted: points.length === 0, points };
    },
  });
  const publish = tool({
    name: "publish",
    does: "Publishes an announcement.",
    input: z.object({ name: z.string(), text: z.string() }),
    output: z.object({ file: z.string() }),
    effect: "idempotent",
    key: ({ name }) => name,
    run({ name, text }) {
      const file = path.join(folder, `${name}.txt`);
      writeFileSync(file, `${text}\n`);
      return { file };
    },
  });
  return [writer, editor, check, publish];
}

const opening = "We are very happy to share this exciting news with all of you.";
const closing = "Thank you so much for your patience, and please do get in touch.";

/** The writer is wordy and forgets the last fact; the editor repairs one thing at a time. */
export function openModel(): Model {
  return ruleModel(
    {
      writer: rule(z.object({ facts: z.array(z.string()) }), ({ facts }) => ({
        text: [opening, ...facts.slice(0, Math.max(1, facts.length - 1)).map(toSentence), closing].join(" "),
      })),
      editor: rule(Points, ({ text, points: [point = ""] }) => {
        const [kind, what = ""] = point.split(": ");
        if (kind === "missing") return { text: `${text} ${toSentence(what)}` };
        if (kind === "unwanted") return { text: text.replaceAll(new RegExp(` ?${what}`, "gu"), "") };
        // Too long: courtesies go first, the one at the end before the one at the start.
        const shorter = text.includes(closing)
          ? text.replace(` ${closing}`, "")
          : text.replace(/^We are [^.]*\. /u, "");
        return { text: shorter };
      }),
    },
    { id: "writing-1" },
  );
}

function toSentence(fact: string): string {
  return `Please note that ${fact}.`;
}
