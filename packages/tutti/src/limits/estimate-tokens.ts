import type { ModelRequest } from "../contracts/model.ts";

/** A model that says nothing about it answers with at most so many tokens. */
export const outputTokensDefault = 16_384;
/** Fewer than any tokeniser needs for a token of ordinary text. */
const charactersPerToken = 3;

/** How many tokens a request has at most, from its words. */
export function estimateInputTokens({ messages, tools, answer }: ModelRequest): number {
  return Math.ceil(JSON.stringify({ messages, tools, answer }).length / charactersPerToken);
}
