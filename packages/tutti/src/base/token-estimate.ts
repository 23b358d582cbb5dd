// English text and JSON come to between three and a half and four and a half characters a token with the common tokenizers.
const charactersPerToken = 4;

/** About how many tokens a text takes: its length over four, rounded up. Good for limits that need not be exact; not for bills. */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / charactersPerToken);
}
