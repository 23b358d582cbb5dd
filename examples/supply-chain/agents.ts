import { agent, type Model } from "tutti";
import { rule, ruleModel } from "tutti/models";
import { z } from "zod";

import { CustomerOrder, Part, Shortage } from "./shapes.ts";

const Facts = z.object({ shortage: Shortage, part: Part, orders: z.array(CustomerOrder) });
const Late = z.array(z.string()).describe("Orders that will be late.");

/** Two agents see every shortage, and neither knows of the other. */
export const buyer = agent({
  name: "buyer",
  does: "Reorders what runs short, and tells customers whose orders will be late.",
  model: "fast",
  input: Facts,
  output: z.object({ pieces: z.number(), late: Late }),
  instructions: "Order whole lots, until twice the reorder level is reached.",
});

export const carer = agent({
  name: "carer",
  does: "Looks after customers: tells those whose orders will be late.",
  model: "fast",
  input: Facts,
  output: z.object({ late: Late }),
  instructions: "An order is late when its part comes after the day on which it is due.",
});

export function openModel(): Model {
  const toLate = ({ shortage, orders }: z.infer<typeof Facts>): string[] =>
    orders.filter(({ dueInDays }) => dueInDays < shortage.days).map(({ order }) => order);
  return ruleModel(
    {
      buyer: rule(Facts, (facts) => {
        const missing = facts.part.reorderAt * 2 - facts.shortage.level;
        return { pieces: Math.max(1, Math.ceil(missing / facts.part.lot)) * facts.part.lot, late: toLate(facts) };
      }),
      carer: rule(Facts, (facts) => ({ late: toLate(facts) })),
    },
    { id: "supply-1" },
  );
}
