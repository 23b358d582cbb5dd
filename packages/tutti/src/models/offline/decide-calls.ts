import { toTerms, toWords } from "../../base/text-rank.ts";
import type { ModelTool, ToolCall } from "../../contracts/model.ts";
import { toFocus, type Conversation } from "./conversation.ts";
import { isReadingMatter, textByRole } from "./evidence.ts";
import { takeSchema } from "./fill.ts";
import { toNameWords } from "./property-role.ts";
import { fits, isObject, toSchemaNode, type FieldsNode, type JsonObject, type SchemaField } from "./schema-node.ts";
import { recordListsOf, type Scope } from "./scope.ts";

const readsMax = 2;
const callsMax = 12;
const searchesMax = 2;
const hitsWanted = 12;

/**
 * The tool calls that would bring something new: first a search for the question and every tool whose input was handed in,
 * then reading where the search hit. A search that finds nothing is tried once more with its most telling words.
 */
export function decideCalls(tools: readonly ModelTool[], conversation: Conversation, scope: Scope): ToolCall[] {
  if (conversation.calls.length >= callsMax) return [];
  const wanted: { readonly tool: string; readonly input: JsonObject }[] = [];
  for (const tool of tools) {
    const node = toSchemaNode(tool.input);
    if (node.kind !== "fields") continue;
    const query = node.fields.find(isQuery);
    if (query !== undefined && node.fields.every((field) => field === query || !field.required)) {
      const earlier = conversation.calls.filter((call) => call.tool === tool.name);
      wanted.push(
        ...decideSearches(query, node, { ...conversation, calls: earlier }).map((input) => ({
          tool: tool.name,
          input,
        })),
      );
      continue;
    }
    const taken = takeSchema(tool.input, scope);
    if (taken !== undefined) wanted.push({ tool: tool.name, input: taken });
    else wanted.push(...decideReads(tool.name, node, conversation));
  }
  const done = new Set(conversation.calls.map((call) => JSON.stringify([call.tool, call.input])));
  return wanted
    .filter((call) => !done.has(JSON.stringify([call.tool, call.input])))
    .map((call, index) => ({ id: `call-${conversation.calls.length + index + 1}`, ...call }));
}

const queryNames = new Set(["query", "q", "question", "search", "terms", "keywords", "text", "words"]);

function isQuery(field: SchemaField): boolean {
  const words = toNameWords(field.name);
  return words.some((word) => queryNames.has(word)) && field.node().kind === "text";
}

function decideSearches(query: SchemaField, node: FieldsNode, { question, calls }: Conversation): JsonObject[] {
  if (calls.length > searchesMax || calls.some((call) => !call.isError && isReadingMatter(call.result))) return [];
  const words = toQueryWords(question);
  // First the question, and what it is about by itself. Then its longest words: those are the rarest, more often than not.
  const rare = words.toSorted((left, right) => right.length - left.length).slice(0, 2);
  const queries = calls.length === 0 ? [words, toQueryWords(toFocus(question))] : [rare];
  const texts = new Set(
    queries.map((chosen) => (chosen.length === 0 ? question : chosen.join(" "))).filter((text) => text.trim() !== ""),
  );
  const limit = node.fields.find((field) => /^(?:limit|count|top|k|n|max\w*)$/i.test(field.name));
  const limitNode = limit?.node();
  const most =
    limit === undefined || limitNode?.kind !== "number" ? {} : { [limit.name]: Math.min(hitsWanted, limitNode.max) };
  return [...texts].map((text) => ({ [query.name]: text, ...most }));
}

// Each word once, as it is written, without those that say nothing.
function toQueryWords(question: string): string[] {
  const byTerm = new Map<string, string>();
  for (const word of toWords(question)) {
    const term = toTerms(word)[0];
    if (term !== undefined && !byTerm.has(term)) byTerm.set(term, word);
  }
  return [...byTerm.values()];
}

/** Reads what a search hit: every field that the tool requires stands in the hit, under the same name. */
function decideReads(
  tool: string,
  node: FieldsNode,
  conversation: Conversation,
): { readonly tool: string; readonly input: JsonObject }[] {
  if (conversation.calls.some((call) => call.tool === tool)) return [];
  const reads = new Map<string, JsonObject>();
  for (const call of conversation.calls) {
    if (call.isError || !isObject(call.result)) continue;
    for (const hit of recordListsOf(call.result).flatMap((list) => list.records)) {
      const named = node.fields.filter((field) => hit[field.name] !== undefined && fits(field.node(), hit[field.name]));
      if (named.length === 0 || node.fields.some((field) => field.required && !named.includes(field))) continue;
      const source = textByRole(hit, "source") || JSON.stringify(hit);
      if (!reads.has(source) && reads.size < readsMax)
        reads.set(source, Object.fromEntries(named.map((field) => [field.name, hit[field.name]])));
    }
  }
  return [...reads.values()].map((input) => ({ tool, input }));
}
