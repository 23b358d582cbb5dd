import { claimsAreProved } from "tutti/checks";
import { z } from "zod";

export const Account = z.object({
  id: z.string(),
  company: z.string(),
  jurisdiction: z.string(),
  /** In millions of euros. */
  figures: z.array(z.object({ year: z.number().int(), revenue: z.number(), ebitda: z.number() })).min(1),
  notes: z.array(z.string()),
});
export type Account = z.infer<typeof Account>;

export const Comparable = z.object({ company: z.string(), value: z.number(), ebitda: z.number() });

/** What the memo may rest on: texts by name, a fact on each line. */
export const Sources = z.record(z.string(), z.string());
export type Sources = z.infer<typeof Sources>;

export const Sentence = z.object({
  text: z.string(),
  evidence: z.array(z.object({ source: z.string(), quote: z.string().describe("One line, word for word.") })),
});
export type Sentence = z.infer<typeof Sentence>;

/** What is said of a draft, for the next one. */
export const Remark = z.object({ by: z.enum(["check", "banker"]), text: z.string() });

/** No sentence has a number that its own quotes don't have. */
export const everyNumberIsQuoted = claimsAreProved({
  name: "every number of a sentence stands in what it quotes",
  claims: ({ sentences }: { readonly sentences: readonly Sentence[] }) =>
    sentences.map(({ text, evidence }) => ({ claim: text, evidence: evidence.map(({ quote }) => quote) })),
});

/** What is filed. What a banker makes of it by an edit is parsed by the same schema, so it is refused in the same way. */
export const Memo = z
  .object({ account: z.string(), sentences: z.array(Sentence).min(1), compliance: z.array(z.string()) })
  .superRefine(async (memo, context) => {
    const verdict = await everyNumberIsQuoted.check(memo, undefined);
    if (verdict !== true) context.addIssue({ code: "custom", message: String(verdict) });
  });
export type Memo = z.infer<typeof Memo>;

export const Filed = z.object({ id: z.string(), account: z.string() });
export type Filed = z.infer<typeof Filed>;

const Vote = z.discriminatedUnion("verdict", [
  z.object({ by: z.string(), verdict: z.literal("approve") }),
  z.object({ by: z.string(), verdict: z.literal("reject"), reason: z.string() }),
  /** Replaces `from` by `to`, once, in each sentence as it is printed, or in what it quotes as well. */
  z.object({
    by: z.string(),
    verdict: z.literal("edit"),
    part: z.enum(["text", "text and quote"]),
    from: z.string(),
    to: z.string(),
  }),
]);
export type Vote = z.infer<typeof Vote>;

/** `desk.json`: who is there, who asks for which memo, and what people say of it, in order. */
export const Desk = z.object({
  people: z.array(z.object({ name: z.string(), roles: z.array(z.string()) })),
  deals: z.array(z.object({ account: z.string(), askedBy: z.string(), votes: z.array(Vote) })).min(1),
});
export type Deal = z.infer<typeof Desk>["deals"][number];
