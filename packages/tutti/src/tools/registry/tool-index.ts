import { toTerms, toTextIndex } from "../../base/text-rank.ts";
import type { Tool } from "../../contracts/callable.ts";
import { findJsonSchema } from "../../contracts/schema.ts";
import { toRequestTerms } from "./request-terms.ts";

export interface ToolIndex {
  /** Positions of the tools that fit, best first, with their scores; equal scores in the order of the list. */
  rank(request: string, limit: number): readonly { readonly index: number; readonly score: number }[];
}

// A word in the name says more about a tool than one in its description, and that more than one about a field.
const nameRepeats = 3;
const tagRepeats = 2;
const fieldWeight = 0.15;
// Another word for what was asked says less than the word itself.
const meantWeight = 0.7;
// Descriptions begin with what a tool does; notes, warnings and examples follow.
const doesCharacters = 200;

/** What something is found by: tools, and whatever else says what it does. */
export type Findable = Pick<Tool, "name" | "tags"> &
  Partial<Pick<Tool, "input">> & { readonly does?: string | undefined };

/** Ranks tools with BM25: for each word of a request the better of the word itself and what else it may be called. */
export function toToolIndex(tools: readonly Findable[]): ToolIndex {
  const purposes = toTextIndex(tools.map(toPurposeTerms));
  const fields = toTextIndex(
    tools.map(({ input }) => toFieldTerms(input === undefined ? undefined : findJsonSchema(input, "input"))),
  );
  const gainOf = (term: string): Map<number, number> => {
    const gains = new Map<number, number>();
    for (const { index, score } of purposes.rank([term], tools.length)) gains.set(index, score);
    for (const { index, score } of fields.rank([term], tools.length))
      gains.set(index, (gains.get(index) ?? 0) + score * fieldWeight);
    return gains;
  };
  return {
    rank(request, limit) {
      const scores = new Map<number, number>();
      for (const { asked, meant } of toRequestTerms(request)) {
        const best = new Map<number, number>(asked === undefined ? [] : gainOf(asked));
        for (const term of meant) {
          for (const [index, gain] of gainOf(term)) best.set(index, Math.max(best.get(index) ?? 0, gain * meantWeight));
        }
        for (const [index, gain] of best) scores.set(index, (scores.get(index) ?? 0) + gain);
      }
      return [...scores]
        .map(([index, score]) => ({ index, score }))
        .toSorted((left, right) => right.score - left.score || left.index - right.index)
        .slice(0, limit);
    },
  };
}

function toPurposeTerms(tool: Findable): string[] {
  return [
    ...repeat(toNameTerms(tool.name), nameRepeats),
    ...repeat((tool.tags ?? []).flatMap(toNameTerms), tagRepeats),
    ...toTerms((tool.does ?? "").slice(0, doesCharacters)),
  ];
}

/** `createPullRequest` and `create_pull_request` are three words. */
function toNameTerms(name: string): string[] {
  return toTerms(name.replaceAll(/(\p{Ll}|\p{N})(\p{Lu})/gu, "$1 $2").replaceAll("_", " "));
}

function repeat(terms: readonly string[], times: number): string[] {
  return Array.from({ length: times }, () => terms).flat();
}

// Of the first level only: what lies deeper says more about formats than about what a tool is for.
function toFieldTerms(schema: Readonly<Record<string, unknown>> | undefined): string[] {
  const properties = schema?.["properties"];
  if (typeof properties !== "object" || properties === null) return [];
  return Object.entries(properties).flatMap(([name, field]: [string, unknown]) => [
    ...toNameTerms(name),
    ...(hasDescription(field) ? toTerms(field.description) : []),
  ]);
}

function hasDescription(field: unknown): field is { readonly description: string } {
  return typeof field === "object" && field !== null && "description" in field && typeof field.description === "string";
}
