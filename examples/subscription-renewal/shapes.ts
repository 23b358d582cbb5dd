import { z } from "zod";

export const dayMs = 24 * 60 * 60 * 1_000;

export const Customer = z.object({
  customer: z.string(),
  email: z.string(),
  plan: z.string(),
  priceEur: z.number(),
  endsOn: z.iso.date(),
});
export const Answer = z.object({ customer: z.string(), on: z.iso.date(), answer: z.enum(["paid", "cancelled"]) });
/** A process lives from one morning to another. In between nobody is there. */
export const Life = z.object({ from: z.iso.date(), to: z.iso.date() });
export const Letter = z.object({ to: z.string(), about: z.string(), sentOn: z.iso.date() });

export type Customer = z.infer<typeof Customer>;
export type Answer = z.infer<typeof Answer>;
export type Life = z.infer<typeof Life>;
export type Letter = z.infer<typeof Letter>;

export const reminderDays = [30, 14, 3] as const;

export function toDay(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}
