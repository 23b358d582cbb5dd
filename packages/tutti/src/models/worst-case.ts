import type { Model, ModelRequest, WorstCase } from "../contracts/model.ts";
import { estimateInputTokens, outputTokensDefault } from "../limits/estimate-tokens.ts";
import { toCostUsd, type Price } from "./pricing/price.ts";

/** What one call uses at most, from the length of the request, the longest answer, and the price if it is known. */
export function toWorstCase(
  request: ModelRequest,
  {
    price,
    outputTokensMax = outputTokensDefault,
  }: { readonly price: Price | undefined; readonly outputTokensMax?: number | undefined },
): WorstCase {
  const inputTokens = estimateInputTokens(request);
  const tokens = inputTokens + outputTokensMax;
  if (price === undefined) return { tokens };
  // Whatever part of the input the provider had or put into its cache, the dearest rate counts.
  const rates = [0, inputTokens].flatMap((cached) => [
    toCostUsd({ inputTokens, outputTokens: outputTokensMax, cachedInputTokens: cached }, price),
    toCostUsd({ inputTokens, outputTokens: outputTokensMax, cacheWriteTokens: cached }, price),
  ]);
  return { tokens, costUsd: Math.max(...rates) };
}

/** What a model says of itself, or what can be known without. */
function worstCaseOf(model: Model, request: ModelRequest): WorstCase {
  return model.worstCase?.(request) ?? toWorstCase(request, { price: undefined });
}

/** For models that may all be asked for one reply. */
export function addWorstCases(models: readonly Model[], request: ModelRequest): WorstCase {
  return combine(models, request, (values) => values.reduce((sum, value) => sum + value, 0));
}

/** For models of which one is asked. */
export function maxWorstCase(models: readonly Model[], request: ModelRequest): WorstCase {
  return combine(models, request, (values) => Math.max(...values));
}

function combine(
  models: readonly Model[],
  request: ModelRequest,
  fold: (values: readonly number[]) => number,
): WorstCase {
  const cases = models.map((model) => worstCaseOf(model, request));
  const costs = cases.flatMap(({ costUsd }) => (costUsd === undefined ? [] : [costUsd]));
  return {
    tokens: fold(cases.map((each) => each.tokens)),
    calls: fold(cases.map((each) => each.calls ?? 1)),
    ...(costs.length < cases.length ? {} : { costUsd: fold(costs) }),
  };
}
