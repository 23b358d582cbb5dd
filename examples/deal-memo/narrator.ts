import { agent, type Agent } from "tutti";
import { quotesAreIn } from "tutti/checks";
import type { Rule } from "tutti/models";
import { z } from "zod";

import { everyNumberIsQuoted, Remark, Sentence, Sources } from "./shapes.ts";

const Given = z.object({
  company: z.string(),
  sources: Sources,
  /** What checks and people have said of earlier drafts. */
  remarks: z.array(Remark),
});
type Given = z.infer<typeof Given>;
const Draft = z.object({ sentences: z.array(Sentence).min(1) });
type Draft = z.infer<typeof Draft>;

/** Writes the narrative. What can't be traced to a source does not leave it. */
export const narrator: Agent<Given, Draft> = agent({
  name: "narrator",
  does: "Writes what a banker has to know of a company, each sentence with what it rests on.",
  model: "fast",
  input: Given,
  output: Draft,
  instructions: "Quote for each sentence the lines that it rests on, word for word. Heed every remark.",
  ensures: [
    everyNumberIsQuoted,
    quotesAreIn({
      quotes: ({ sentences }: Draft) => sentences.flatMap(({ evidence }) => evidence),
      textOf: (source, { sources }: Given) => sources[source],
    }),
  ],
  repairsMax: 0, // the flow tells it what was wrong, as it tells it what people say
});

/** How the narrator writes without a language model: in round numbers, until a check finds one that is in no source. */
export const narrate: Rule = ({ input }) => {
  const { company, sources, remarks } = Given.parse(input);
  const isExact = remarks.some(({ by }) => by === "check");
  const show = (figure: string): string => (isExact ? figure : String(Math.round(Number(figure))));
  const crm = (sources["crm"] ?? "").split("\n");
  const figures = crm.findLast((line) => line.startsWith("In ")) ?? "";
  const [year = "", revenue = "", ebitda = ""] = figures.match(/[\d.]*\d/gu) ?? [];
  const valuation = sources["valuation"] ?? "";
  const [multiple = ""] = valuation.match(/[\d.]*\d/gu) ?? [];
  const worth = /worth ([\d.]+)/u.exec(valuation)?.[1] ?? "";
  const asked = crm.filter(
    (line) => line !== figures && remarks.some(({ by, text }) => by === "banker" && isAbout(text, line)),
  );
  const draft: Draft = {
    sentences: [
      {
        text: `${company} made ${show(revenue)} million euros of revenue in ${year}, and ${show(ebitda)} of EBITDA.`,
        evidence: [{ source: "crm", quote: figures }],
      },
      {
        text: `Its comparables trade at ${show(multiple)} times EBITDA, which makes it worth ${show(worth)} million euros.`,
        evidence: [{ source: "valuation", quote: valuation }],
      },
      ...asked.map((line) => ({ text: `On record: ${line}`, evidence: [{ source: "crm", quote: line }] })),
    ],
  };
  return { answer: draft };
};

/** Whether two sentences share two longer words. */
function isAbout(remark: string, line: string): boolean {
  const words = new Set(toWords(remark));
  return new Set(toWords(line).filter((word) => words.has(word))).size >= 2;
}

function toWords(text: string): string[] {
  return text.toLowerCase().match(/\p{L}{6,}/gu) ?? [];
}
