import { agent, type Agent, type Tool } from "tutti";
import { supervisor } from "tutti/plans";
import { z } from "zod";

import { Decision, Need, Opinion } from "./shapes.ts";
import type { OfferTools } from "./tools.ts";

export const Task = z.object({ need: Need, supplier: z.string() });
export type Specialist = Agent<z.infer<typeof Task>, Opinion>;
export const Purchase = z.object({ need: Need, suppliers: z.array(z.string()).min(1) });

/** Four specialists, each with an eye of its own and the tools for it. */
export function toSpecialists({ readOffer, priceOffer, readDeliveries }: OfferTools): Specialist[] {
  return [
    specialist("price", "what it costs in all, against the budget", [priceOffer]),
    specialist("delivery", "when it will be there, by what was promised and kept before", [readOffer, readDeliveries]),
    specialist("compliance", "certificates that are asked for and valid", [readOffer]),
    specialist("risk", "what may go wrong: deposit, age, deliveries that were late", [readOffer, readDeliveries]),
  ];
}

function specialist(name: string, looks: string, tools: readonly Tool[]): Specialist {
  return agent({
    name,
    does: `Looks at one offer for ${looks}.`,
    model: "fast",
    tools,
    input: Task,
    output: Opinion,
    instructions: `You judge ${looks} and nothing else. Look at the files before you judge, and give the figures.`,
  });
}

/** Who plans for the specialists, lets them work, and decides. */
export function toBuyer(members: readonly Specialist[], concurrency = 64): Agent<z.infer<typeof Purchase>, Decision> {
  return supervisor({
    name: "buyer",
    does: "Chooses one of several offers with the help of specialists.",
    model: "deep",
    members,
    input: Purchase,
    output: Decision,
    instructions:
      "Have every specialist judge every offer. An offer with a veto is out. Of the rest, take the one with the highest score by `weights`. Keep every veto and every dissent with its reason.",
    concurrency,
    versionsMax: 1, // another plan would only ask the same of the same files
  });
}
