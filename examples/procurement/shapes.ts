import { z } from "zod";

/** `need.json`: what is bought, and what counts how much. */
export const Need = z.object({
  what: z.string(),
  quantity: z.number().int().positive(),
  budget: z.number().positive(),
  orderedOn: z.iso.date(),
  latestDays: z.number().int().positive(),
  certificates: z.array(z.string()),
  weights: z.record(z.string(), z.number()).describe("What each specialist's score counts for."),
});

/** `<supplier>.json`: what a supplier offers. */
export const Offer = z.object({
  supplier: z.string(),
  unitPrice: z.number().positive(),
  discount: z.object({ fromQuantity: z.number().int(), percent: z.number() }),
  deliveryDays: z.number().int().positive(),
  depositPercent: z.number().min(0).max(100),
  foundedIn: z.number().int(),
  certificates: z.array(z.object({ name: z.string(), validUntil: z.iso.date() })),
});

/** `deliveries.json`: how it went before. */
export const Delivery = z.object({ supplier: z.string(), promisedDays: z.number(), tookDays: z.number() });

/** What one specialist says of one offer. */
export const Opinion = z.object({
  by: z.string(),
  supplier: z.string(),
  score: z.number().min(0).max(100),
  veto: z.boolean().describe("True if it must not be bought, whatever the others say."),
  why: z.string().describe("One sentence, with the figures."),
});

export const Decision = z.object({
  choice: z.string().nullable().describe("The supplier; null when every offer has a veto."),
  why: z.string(),
  ranking: z.array(z.object({ supplier: z.string(), score: z.number() })),
  excluded: z.array(Opinion).describe("Vetoes."),
  dissent: z.array(Opinion).describe("Of each specialist who would have chosen another: that opinion."),
  opinions: z.array(Opinion),
});

export type Need = z.infer<typeof Need>;
export type Offer = z.infer<typeof Offer>;
export type Delivery = z.infer<typeof Delivery>;
export type Opinion = z.infer<typeof Opinion>;
export type Decision = z.infer<typeof Decision>;
