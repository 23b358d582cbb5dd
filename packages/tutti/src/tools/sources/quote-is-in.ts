/** Whether a text says exactly this. Only white space may differ: where a line is broken does not matter. */
export function quoteIsIn(source: { readonly text: string }, quote: string): boolean {
  const wanted = withSingleSpaces(quote);
  return wanted !== "" && withSingleSpaces(source.text).includes(wanted);
}

function withSingleSpaces(words: string): string {
  return words.replaceAll(/\s+/g, " ").trim();
}
