import type { Usage } from "../../contracts/outcome.ts";

/** What a model costs, in US dollars per million tokens. */
export interface Price extends Rates {
  /** For a call with more input than this, other rates hold for all of its tokens. */
  readonly long?: Rates & { readonly overInputTokens: number };
}

interface Rates {
  readonly input: number;
  readonly output: number;
  /** For tokens that the provider had in its cache; like `input` where it makes no difference. */
  readonly cachedInput?: number;
  /** For tokens that the provider put into its cache; like `input` where it makes no difference. */
  readonly cacheWrite?: number;
}

type Tokens = Pick<Usage, "inputTokens" | "outputTokens" | "cachedInputTokens" | "cacheWriteTokens">;

/** What one call cost, in US dollars. Each token is counted once: those of the cache are a part of the input. */
export function toCostUsd(used: Tokens, price: Price): number {
  const { inputTokens, outputTokens, cachedInputTokens: cached = 0, cacheWriteTokens: written = 0 } = used;
  const rates = price.long !== undefined && inputTokens > price.long.overInputTokens ? price.long : price;
  const plain = Math.max(0, inputTokens - cached - written);
  const millionths =
    plain * rates.input +
    cached * (rates.cachedInput ?? rates.input) +
    written * (rates.cacheWrite ?? rates.input) +
    outputTokens * rates.output;
  return Math.round(millionths * 1e6) / 1e12; // beyond that it is only the noise of decimals
}
