import { z } from "zod";

/** `question.json`: what is compared. */
export const Question = z.object({
  question: z.string(),
  products: z.array(z.object({ name: z.string(), alsoKnownAs: z.array(z.string()) })).min(1),
  aspects: z.array(z.object({ name: z.string(), better: z.enum(["more", "less"]) })).min(1),
});

export const Quote = z.object({ quote: z.string(), source: z.string() });

/** `called`: the name under which the library is searched. */
export const SearchTask = z.object({ product: z.string(), called: z.string(), aspect: z.string() });
export const Found = z.object({ quotes: z.array(Quote) });

export const CompareTask = z.object({
  aspect: z.object({ name: z.string(), better: z.enum(["more", "less"]) }),
  found: z.array(z.object({ product: z.string(), quotes: z.array(Quote) })),
});
export const Comparison = z.object({
  aspect: z.string(),
  best: z.string().nullable().describe("A product; null when the quotes do not tell."),
  cells: z.array(Quote.extend({ product: z.string(), value: z.number() })),
});

/** What the plan yields: a comparison for each aspect. */
export const Analysis = z.record(z.string(), Comparison);

export type Analysis = z.infer<typeof Analysis>;
export type Question = z.infer<typeof Question>;
export type Quote = z.infer<typeof Quote>;
export type Comparison = z.infer<typeof Comparison>;
