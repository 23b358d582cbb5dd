import { TuttiError } from "../../base/errors.ts";
import { anything, fields, listOf } from "../../base/shape.ts";
import { hitShape, toSearchProvider, type KeyedSearchOptions, type SearchServiceOptions } from "./search-provider.ts";
import type { SearchProvider } from "./web-search.ts";

const searxngAnswer = fields(
  { results: listOf(hitShape({ snippet: "content", publishedAt: "publishedDate" })) },
  { unresponsive_engines: listOf(anything) },
);

/** A SearXNG server of your own. Its settings must allow the format `json`. */
export function searxng(options: SearchServiceOptions & { readonly baseUrl: string }): SearchProvider {
  return toSearchProvider(
    {
      name: "searxng",
      baseUrl: options.baseUrl,
      path: "/search",
      toQuestion: ({ query }) => ({ parameters: { q: query, format: "json" } }),
      answer: searxngAnswer,
      toHits({ results, unresponsive_engines: silent = [] }) {
        // It asks others: when some of them did not answer, nothing found does not mean that there is nothing.
        if (results.length > 0 || silent.length === 0) return results;
        const name = options.name ?? "searxng";
        throw new TuttiError("TOOL_UNAVAILABLE", `${name}: ${silent.length} of its engines did not answer`, {
          hint: "It is tried again; look at the server's engines if this goes on.",
        });
      },
    },
    options,
  );
}

// Where nothing is found, it leaves `web` out; `query` is always there.
const braveAnswer = fields(
  { query: fields({}) },
  { web: fields({ results: listOf(hitShape({ snippet: "description", publishedAt: "page_age" })) }) },
);

/** Brave Search, api.search.brave.com. */
export function brave(options: KeyedSearchOptions): SearchProvider {
  return toSearchProvider(
    {
      name: "brave",
      baseUrl: "https://api.search.brave.com",
      path: "/res/v1/web/search",
      toKeyHeaders: (key) => ({ "x-subscription-token": key }),
      toQuestion: ({ query }, limit) => ({
        parameters: { q: query, count: String(limit), text_decorations: "false", result_filter: "web" },
      }),
      answer: braveAnswer,
      toHits: ({ web }) => web?.results ?? [],
    },
    options,
  );
}

const tavilyAnswer = fields({ results: listOf(hitShape({ snippet: "content", publishedAt: "published_date" })) });

/** Tavily, api.tavily.com. */
export function tavily(options: KeyedSearchOptions): SearchProvider {
  return toSearchProvider(
    {
      name: "tavily",
      baseUrl: "https://api.tavily.com",
      path: "/search",
      toKeyHeaders: (key) => ({ authorization: `Bearer ${key}` }),
      toQuestion: ({ query }, limit) => ({ json: { query, max_results: limit } }),
      answer: tavilyAnswer,
      toHits: ({ results }) => results,
    },
    options,
  );
}

const exaAnswer = fields({ results: listOf(hitShape({ snippet: "text", publishedAt: "publishedDate" })) });
const wordsOfPageMax = 600;

/** Exa, api.exa.ai. */
export function exa(options: KeyedSearchOptions): SearchProvider {
  return toSearchProvider(
    {
      name: "exa",
      baseUrl: "https://api.exa.ai",
      path: "/search",
      toKeyHeaders: (key) => ({ "x-api-key": key }),
      toQuestion: ({ query }, limit) => ({
        json: { query, numResults: limit, contents: { text: { maxCharacters: wordsOfPageMax } } },
      }),
      answer: exaAnswer,
      toHits: ({ results }) => results,
    },
    options,
  );
}
