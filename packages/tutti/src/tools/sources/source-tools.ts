import { fields, flag, integer, decimal, listOf, text } from "../../base/shape.ts";
import type { Tool } from "../../contracts/callable.ts";
import { schemaOf } from "../../contracts/schema.ts";
import { tool } from "../tool.ts";
import { toPassageIndex, type PassageIndex } from "./passages.ts";
import type { Source } from "./source.ts";
import type { Sources } from "./sources.ts";

export interface SearchHit {
  readonly source: string;
  readonly title: string;
  readonly passage: string;
  /** Higher is better; comparable within one search only. */
  readonly score: number;
  /** Where the passage begins in the source; `read` takes it as `at`. */
  readonly at: number;
}

export interface SearchInput {
  readonly query: string;
  readonly limit?: number;
}

export interface SearchOutput {
  readonly hits: readonly SearchHit[];
  /** How many documents were looked through. */
  readonly searched: number;
}

export interface ReadInput {
  readonly source: string;
  readonly at?: number;
}

/** A source that is not there is an answer, not an error: a model may have misspelt it. */
export interface ReadOutput {
  readonly found: boolean;
  readonly source: string;
  readonly title: string;
  readonly text: string;
  /** Where `text` begins, and how long the whole source is. */
  readonly at: number;
  readonly length: number;
}

export interface SourceTools {
  readonly search: Tool<SearchInput, SearchOutput>;
  readonly read: Tool<ReadInput, ReadOutput>;
}

const hitsDefault = 6;
const hitsMax = 20;
const readMax = 4_000;

/** Two tools over sources that were opened: find passages, and read around a place. Both change nothing. */
export function sourceTools(sources: Sources): SourceTools {
  let index: PassageIndex | undefined; // built when somebody searches
  const search = tool({
    name: "sources.search",
    does: "Searches the documents for words and returns the passages that fit best, with the name of their source.",
    input: searchInput,
    output: searchOutput,
    effect: "read",
    run({ query, limit }) {
      index ??= toPassageIndex(sources.list);
      const found = index.search(query, Math.min(Math.max(1, limit ?? hitsDefault), hitsMax));
      return { hits: found.map(toHit), searched: sources.list.length };
    },
  });
  const read = tool({
    name: "sources.read",
    does: "Returns the text of one document around a place in it. Take `source` and `at` from a search.",
    input: readInput,
    output: readOutput,
    effect: "read",
    run: ({ source, at }) => readAround(sources.find(source), source, at ?? 0),
  });
  return { search, read };
}

function toHit(found: {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
  readonly score: number;
}): SearchHit {
  const { source, start, end, score } = found;
  return {
    source: source.id,
    title: source.title,
    passage: source.text.slice(start, end),
    score: Math.round(score * 1_000) / 1_000,
    at: start,
  };
}

function readAround(source: Source | undefined, id: string, at: number): ReadOutput {
  if (source === undefined) return { found: false, source: id, title: "", text: "", at: 0, length: 0 };
  const { title, text: whole } = source;
  // A third before the place, two thirds after it, and all of it where the text is short.
  const wished = Math.min(Math.max(0, at - readMax / 3), Math.max(0, whole.length - readMax));
  const start = wished === 0 ? 0 : afterBreak(whole, Math.floor(wished));
  const end = start + readMax >= whole.length ? whole.length : beforeBreak(whole, start + readMax);
  return { found: true, source: id, title, text: whole.slice(start, end), at: start, length: whole.length };
}

// Begins and ends at a line where there is one near, so that no sentence is cut.
function afterBreak(whole: string, place: number): number {
  const found = whole.indexOf("\n", place);
  return found < 0 || found > place + readMax / 10 ? place : found + 1;
}

function beforeBreak(whole: string, place: number): number {
  const found = whole.lastIndexOf("\n", place);
  return found < place - readMax / 10 ? place : found;
}

const searchInput = schemaOf<SearchInput>(fields({ query: text }, { limit: integer }), {
  type: "object",
  properties: {
    query: { type: "string", description: "Words to look for; rare ones count most." },
    limit: {
      type: "integer",
      minimum: 1,
      maximum: hitsMax,
      description: `How many passages; ${hitsDefault} by default.`,
    },
  },
  required: ["query"],
  additionalProperties: false,
});

const searchOutput = schemaOf<SearchOutput>(
  fields({
    hits: listOf(fields({ source: text, title: text, passage: text, score: decimal, at: integer })),
    searched: integer,
  }),
  { type: "object" },
);

const readInput = schemaOf<ReadInput>(fields({ source: text }, { at: integer }), {
  type: "object",
  properties: {
    source: { type: "string", description: "The name of a document, as a search gave it." },
    at: { type: "integer", minimum: 0, description: "The place to read around; the beginning by default." },
  },
  required: ["source"],
  additionalProperties: false,
});

const readOutput = schemaOf<ReadOutput>(
  fields({ found: flag, source: text, title: text, text, at: integer, length: integer }),
  { type: "object" },
);
