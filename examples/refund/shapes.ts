import { z } from "zod";

export const Order = z.object({
  order: z.string(),
  what: z.string(),
  paidCents: z.number().int(),
  /** Part of what was paid. */
  shippingCents: z.number().int(),
  deliveredOn: z.iso.date(),
});
export type Order = z.infer<typeof Order>;

export const Request = z.object({ id: z.string(), order: z.string(), on: z.iso.date(), words: z.string() });
export type Request = z.infer<typeof Request>;

export const Refund = z.object({ order: z.string(), amountCents: z.number().int().positive(), why: z.string() });
export type Refund = z.infer<typeof Refund>;

/** What the bank says of a refund: people may have made another amount of it. */
export const Paid = z.object({ receipt: z.string(), amountCents: z.number().int() });
export type Paid = z.infer<typeof Paid>;

export const Outcome = z.object({ paidBackCents: z.number().int(), why: z.string() });
export type Outcome = z.infer<typeof Outcome>;

/** `desk.json`: who is there, and what they say, in order. */
export const Desk = z.object({
  people: z.array(z.object({ name: z.string(), roles: z.array(z.string()) })),
  votes: z.array(
    z
      .object({ request: z.string(), by: z.string() })
      .and(
        z.discriminatedUnion("verdict", [
          z.object({ verdict: z.literal("approve") }),
          z.object({ verdict: z.literal("reject"), reason: z.string() }),
        ]),
      ),
  ),
});
export type Vote = z.infer<typeof Desk>["votes"][number];

export function toEuros(cents: number): string {
  return (cents / 100).toFixed(2);
}
