/**
 * What counts for how deep a rule is nested: comments and texts, which do not; operators; brackets; the end of a rule. A text that is not closed
 * reaches to the end, where Cedar stops too; looking for its end again and again would take for ever.
 */
const tokens = /\/\/[^\n]*|"[^"\\]*(?:\\.[^"\\]*)*"?|\bif\b|&&|\|\||[-+*.!()[\]{};]/gsu;

/** Of an operator, which nests the next part; a bracket costs Cedar four times as much. */
const weightMax = 200;
const bracketWeight = 4;

/**
 * Where the first rule stands that is nested so deep that Cedar could break down on it: it is recursive, its stack is small, and once it has
 * run over, nothing in this process can use it any more (decisions/023). Undefined, if there is none.
 */
export function findTooDeep(text: string): number | undefined {
  let [depth, deepest, operators] = [0, 0, 0];
  for (const { 0: token, index } of text.matchAll(tokens)) {
    if (token.startsWith("//") || token.startsWith(`"`)) continue;
    if (token === ";") [depth, deepest, operators] = [0, 0, 0];
    else if ("([{".includes(token)) deepest = Math.max(deepest, ++depth);
    else if (")]}".includes(token)) depth--;
    else operators++;
    if (deepest * bracketWeight + operators > weightMax) return index;
  }
  return undefined;
}
