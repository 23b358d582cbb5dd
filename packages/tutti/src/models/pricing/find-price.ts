import type { Price } from "./price.ts";
import { prices } from "./prices.ts";

// `gpt-5-mini-2025-08-07`, `claude-haiku-4-5-20251001`: a snapshot costs what its model costs, unless it is listed itself.
const snapshotDate = /-(?:\d{4}-\d{2}-\d{2}|\d{8})$/;

/** The list price of a provider's model, by the first name that is known; `undefined` when none is: a price is never guessed. */
export function findPrice(provider: string, ids: readonly string[]): Price | undefined {
  for (const id of ids) {
    const price = lookUp(`${provider}/${id}`) ?? lookUp(`${provider}/${id.replace(snapshotDate, "")}`);
    if (price !== undefined) return price;
  }
  return undefined;
}

function lookUp(name: string): Price | undefined {
  return Object.hasOwn(prices, name) ? prices[name] : undefined;
}
