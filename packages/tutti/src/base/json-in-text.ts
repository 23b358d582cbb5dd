/** The first JSON value of a text: bare, in a code fence, or with words around it. `undefined` when there is none. */
export function findJson(text: string): { readonly value: unknown } | undefined {
  for (const candidate of [text, insideFence(text), insideBrackets(text)]) {
    if (candidate === undefined) continue;
    try {
      return { value: JSON.parse(candidate) };
    } catch {
      // The next candidate may be it.
    }
  }
  return undefined;
}

// By position, not by pattern: a pattern over text of any kind and length may take for ever.
function insideFence(text: string): string | undefined {
  const fence = text.indexOf("```");
  const from = fence < 0 ? -1 : text.indexOf("\n", fence);
  const to = from < 0 ? -1 : text.indexOf("```", from);
  return to < 0 ? undefined : text.slice(from, to);
}

function insideBrackets(text: string): string | undefined {
  const from = text.search(/[[{]/);
  const to = Math.max(text.lastIndexOf("}"), text.lastIndexOf("]"));
  return from < 0 || to < from ? undefined : text.slice(from, to + 1);
}
