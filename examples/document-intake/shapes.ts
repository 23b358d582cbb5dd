import { z } from "zod";

const cents = z.number().int();

/** What stands on an invoice; null where it stands nowhere. Amounts are in hundredths of its currency. */
export const Invoice = z.object({
  supplier: z.string().nullable(),
  number: z.string().nullable(),
  date: z.iso.date().nullable(),
  costCentre: z.string().nullable(),
  currency: z.string().nullable(),
  lines: z.array(z.object({ text: z.string(), count: z.number(), priceCents: cents, amountCents: cents })),
  netCents: cents.nullable(),
  taxCents: cents.nullable(),
  totalCents: cents.nullable(),
});

/** `rules.json`: what holds for every invoice. Amounts are in the currency of the books. */
export const Rules = z.object({
  currency: z.string(),
  rates: z.record(z.string(), z.number().positive()),
  approveAbove: z.number().positive(),
  budgets: z.record(z.string(), z.number()),
});

/** What is to be booked, in hundredths of the currency of the books. */
export const Posting = z.object({
  reference: z.string(),
  costCentre: z.string(),
  amountCents: cents,
  file: z.string(),
});
export const Booking = Posting.extend({ id: z.string() });

/** What became of an invoice. */
export const Outcome = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("posted"), booking: Booking, approvedBy: z.string().nullable() }),
  z.object({ kind: z.literal("returned"), problems: z.array(z.string()).min(1) }),
  z.object({ kind: z.literal("refused"), by: z.string() }),
]);

export type Invoice = z.infer<typeof Invoice>;
export type Rules = z.infer<typeof Rules>;
export type Posting = z.infer<typeof Posting>;
export type Booking = z.infer<typeof Booking>;
export type Outcome = z.infer<typeof Outcome>;
