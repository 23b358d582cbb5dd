import { z } from "zod";

/** One line of `orders.json`: what is known of an order. */
export const Order = z.object({
  order: z.string(),
  customer: z.string(),
  item: z.string(),
  payments: z.array(z.string()),
  invoice: z.string().nullable(),
  parcel: z.string().nullable(),
  refund: z.string().nullable(),
});

/** One line of `manual.json`: what to answer when a ticket has all these words. */
export const Advice = z.object({ when: z.array(z.string()), answer: z.string() });

/** What a customer is told, and the words in our files that it leans on. */
export const Answer = z.object({ by: z.string(), text: z.string(), leansOn: z.array(z.string()) });

export const Ticket = z.object({ name: z.string(), text: z.string() });

/** What became of a ticket. */
export const Closed = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("answered"), ticket: z.string(), answer: Answer, path: z.string() }),
  z.object({ kind: z.literal("escalated"), ticket: z.string(), why: z.string(), path: z.string() }),
]);

export type Order = z.infer<typeof Order>;
export type Answer = z.infer<typeof Answer>;
export type Ticket = z.infer<typeof Ticket>;
export type Closed = z.infer<typeof Closed>;
