import { flow, type Flow } from "tutti";
import type { z } from "zod";

import { Purchase, toBuyer, toSpecialists } from "./agents.ts";
import { Decision } from "./shapes.ts";
import type { OfferTools } from "./tools.ts";

/** A supervisor lets four specialists judge every offer, and decides. Whom it passed over, and why, goes into the ledger. */
export function toPurchase(tools: OfferTools, concurrency?: number): Flow<z.infer<typeof Purchase>, Decision> {
  const buyer = toBuyer(toSpecialists(tools), concurrency);
  return flow({
    name: "purchase",
    does: "Chooses an offer.",
    input: Purchase,
    output: Decision,
    run: async (run, purchase) => {
      const decision = await run.call(buyer, purchase);
      const { choice, why, ranking, excluded } = decision;
      run.record("decision-made", {
        about: purchase.need.what,
        chosen: choice ?? "none of them",
        why,
        alternatives: [
          ...ranking
            .filter(({ supplier }) => supplier !== choice)
            .map(({ supplier, score }) => ({ name: supplier, why: "its score is lower", score })),
          ...excluded.map(({ supplier, by, why: reason }) => ({ name: supplier, why: `veto of ${by}: ${reason}` })),
        ],
      });
      return decision;
    },
  });
}
