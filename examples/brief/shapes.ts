import { z } from "zod";

/** What a researcher found: a statement, and the words of a document that prove it. */
export const Finding = z.object({
  claim: z.string().describe("What the quote says, in one sentence."),
  quote: z.string().describe("Whole sentences, word for word from the source."),
  source: z.string().describe("The name of the source, exactly as the search gave it."),
});

export const Answer = z.object({ question: z.string(), findings: z.array(Finding) });

/** Why a quote can't be printed. */
export const Problem = z.object({ quote: z.string(), source: z.string(), reason: z.string() });

export const Verdict = z.object({ approved: z.boolean(), problems: z.array(Problem) });

export const Draft = z.object({
  title: z.string().describe("A headline for the topic, without a full stop."),
  summary: z.string().describe("Two or three sentences: what the documents say in all."),
  sections: z.array(
    z.object({
      heading: z.string().describe("The question of this section, or what it comes to."),
      paragraphs: z.array(
        z.object({
          text: z.string().describe("One statement, which the quote proves."),
          quote: z.string().describe("Copied word for word from a finding."),
          source: z.string().describe("The source of that finding."),
        }),
      ),
    }),
  ),
  note: z.string().describe("What a reader should know about how this was written and what it leaves open."),
});

/** One chart that could be drawn, from counts that nobody made up. */
export const Chart = z.object({
  by: z.enum(["document", "question"]),
  title: z.string(),
  bars: z.array(z.object({ label: z.string(), value: z.number() })),
});

export type Finding = z.infer<typeof Finding>;
export type Answer = z.infer<typeof Answer>;
export type Problem = z.infer<typeof Problem>;
export type Verdict = z.infer<typeof Verdict>;
export type Draft = z.infer<typeof Draft>;
export type Chart = z.infer<typeof Chart>;
