import { document, topic } from "tutti";
import { z } from "zod";

/** A reading of a shelf. Readings come twice and out of order: `at`, in minutes, says which is the newest. */
export const Stock = z.object({ part: z.string(), level: z.number(), at: z.number() });
export const Delay = z.object({ part: z.string(), shipment: z.string(), days: z.number(), at: z.number() });
export const Part = z.object({ part: z.string(), reorderAt: z.number(), lot: z.number(), supplier: z.string() });
export const CustomerOrder = z.object({
  order: z.string(),
  customer: z.string(),
  part: z.string(),
  dueInDays: z.number(),
});
export const Shortage = z.object({ part: z.string(), shipment: z.string(), level: z.number(), days: z.number() });

export type Stock = z.infer<typeof Stock>;
export type Delay = z.infer<typeof Delay>;
export type Part = z.infer<typeof Part>;
export type CustomerOrder = z.infer<typeof CustomerOrder>;
export type Shortage = z.infer<typeof Shortage>;

export const stockTopic = topic({ name: "stock", payload: Stock, key: ({ part }) => part });
export const delayTopic = topic({ name: "delays", payload: Delay, key: ({ part }) => part });
export const shortageTopic = topic({ name: "shortages", payload: Shortage, key: ({ part }) => part });

/** What is known of a part, from both topics: this is where they are correlated. */
export const situation = document({
  name: "situation",
  value: z.object({
    stock: Stock.nullable(),
    delay: Delay.nullable(),
    /** The shipment whose shortage was announced. */
    announced: z.string().nullable(),
  }),
  initial: { stock: null, delay: null, announced: null },
});
