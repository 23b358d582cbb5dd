import { z } from "zod";

export const Place = z.object({ place: z.string(), country: z.string(), rent: z.number(), wages: z.number() });
export type Place = z.infer<typeof Place>;

/** `question.json`: what is asked, and when people speak: while the agents think about a place. */
export const Assignment = z.object({
  question: z.string(),
  places: z.array(z.string()).min(1),
  direction: z.object({ during: z.string(), by: z.string(), text: z.string(), reason: z.string() }),
  freeze: z.object({ during: z.string(), by: z.string(), reason: z.string() }),
});

export const Finding = z.object({
  place: z.string(),
  costs: z.number().nullable().describe("A year, in euros; null when the place is out of the question."),
});
export type Finding = z.infer<typeof Finding>;

export const Advice = z.object({
  place: z.string().nullable(),
  why: z.string(),
  passedOver: z.array(z.string()),
  /** What people said that was kept. */
  under: z.array(z.string()),
});
export type Advice = z.infer<typeof Advice>;
