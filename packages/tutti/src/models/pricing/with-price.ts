import { TuttiError } from "../../base/errors.ts";
import type { Model } from "../../contracts/model.ts";
import { toWorstCase } from "../worst-case.ts";
import { toCostUsd, type Price } from "./price.ts";

/** What a model costs, and how long its answers can get. */
export interface PriceSettings extends Price {
  /** What the provider is told as its limit, reasoning included; 16,384 by default. */
  readonly outputTokensMax?: number;
}

/**
 * A model whose calls have a price, so that budgets in US dollars can be kept: what a call may cost is known before it is made, and what it
 * cost is in its usage where the provider does not say it.
 * @throws TuttiError DEFINITION_INVALID for a price or a length that can't be one.
 */
export function withPrice(model: Model, price: PriceSettings): Model {
  const { input, output, outputTokensMax } = price;
  for (const [name, value] of Object.entries({ input, output, outputTokensMax })) {
    if (value === undefined || (Number.isFinite(value) && value >= 0)) continue;
    throw new TuttiError("DEFINITION_INVALID", `the price of ${model.provider}/${model.id}: ${name} is ${value}`, {
      hint: "Give US dollars per million tokens, as the provider's price list says.",
    });
  }
  return {
    ...model,
    provider: model.provider,
    id: model.id,
    worstCase: (request) => toWorstCase(request, { price, outputTokensMax }),
    async generate(request, signal, watch) {
      const reply = await model.generate(request, signal, watch);
      const { usage } = reply;
      if (usage.costUsd !== undefined) return reply;
      return { ...reply, usage: { ...usage, costUsd: toCostUsd(usage, price) } };
    },
  };
}
