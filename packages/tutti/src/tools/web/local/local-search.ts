import { setImmediate } from "node:timers/promises";

import { toTerms } from "../../../base/text-rank.ts";
import { toPassages } from "../../sources/passages.ts";
import type { SkippedSource, Source } from "../../sources/source.ts";
import { openSources, type SourceOptions } from "../../sources/sources.ts";
import { toPlainWords } from "../search-provider.ts";
import { toHitsWanted, type SearchProvider, type WebSearchInput, type WebSearchOutput } from "../web-search.ts";
import { openPassageStore, type PassageStore, type StoredPassage } from "./passage-store.ts";

export interface LocalSearchOptions extends SourceOptions {
  /** What the ledger calls it; `local` by default. */
  readonly name?: string;
  /** The address of the site that the folder is a copy of: a hit is then the page's address there. */
  readonly baseUrl?: string;
}

/** A provider of searches in folders on this machine: a site's copy, or documents. It needs no key and no network. */
export interface LocalSearch extends SearchProvider {
  readonly pages: number;
  /** Files that were passed over, and why. */
  readonly skipped: readonly SkippedSource[];
  close(): void;
}

const pagesAtOnce = 50;

/**
 * Reads the folders and indexes their words in memory.
 * @throws TuttiError SOURCE_UNREADABLE when a folder is missing or can't be read.
 */
export async function openLocalSearch(
  folders: readonly string[],
  { name = "local", baseUrl, ...options }: LocalSearchOptions = {},
): Promise<LocalSearch> {
  const sources = await openSources(folders, options);
  const store = openPassageStore();
  for (let from = 0; from < sources.list.length; from += pagesAtOnce) {
    const pages = sources.list.slice(from, from + pagesAtOnce);
    store.add(pages.flatMap((source) => toStored(source, toUrl(source, baseUrl))));
    await setImmediate(); // runs that are under way go on meanwhile
  }
  return {
    name,
    pages: sources.list.length,
    skipped: sources.skipped,
    run: (input) => search(store, input),
    close: () => store.close(),
  };
}

/** On a site, the path in the folder is the path there; else an address that only names the document. */
function toUrl({ id }: Source, baseUrl: string | undefined): string {
  const parts = id.split("/").map(encodeURIComponent);
  if (baseUrl === undefined) return `local:${parts.join("/")}`;
  const path = parts
    .slice(1)
    .join("/")
    .replace(/(^|\/)index\.html?$/, "$1");
  return `${baseUrl.replace(/\/+$/, "")}/${path}`;
}

function toStored(source: Source, url: string): StoredPassage[] {
  const titleTerms = toTerms(source.title).join(" ");
  return toPassages(source).map(({ start, end }) => {
    const text = source.text.slice(start, end);
    return { url, title: source.title, text, titleTerms, terms: toTerms(text).join(" ") };
  });
}

const termsMax = 16;

/** Pages with all of the words, and after them those with some. */
function search(store: PassageStore, input: WebSearchInput): WebSearchOutput {
  const limit = toHitsWanted(input);
  // Letters and digits only, so a question can't be read as FTS5's own language.
  const terms = [...new Set(toTerms(input.query))].slice(0, termsMax).map((term) => `"${term.replaceAll('"', "")}"`);
  const matches = terms.length === 0 ? [] : [terms.join(" AND "), terms.join(" OR ")];
  const rows = new Map<string, { readonly title: string; readonly text: string }>();
  for (const match of matches) {
    if (rows.size >= limit) break;
    for (const row of store.find(match, limit)) if (!rows.has(row.url)) rows.set(row.url, row);
  }
  const hits = [...rows]
    .slice(0, limit)
    .map(([url, { title, text }]) => ({ title, url, snippet: toPlainWords(text, snippetMax) }));
  return { hits, query: input.query, trust: "untrusted" };
}

const snippetMax = 1_000;
