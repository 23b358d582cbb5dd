import { anything, fields, recordOf, text, type Shape } from "../../base/shape.ts";
import type { HttpRequest } from "../http/ask-http.ts";
import { askJson } from "../http/ask-http.ts";
import { openKey, type ServiceKey } from "../http/service-key.ts";
import { toHitsWanted, type SearchProvider, type WebHit, type WebSearchInput } from "./web-search.ts";

/** What every service takes. */
export interface SearchServiceOptions {
  /** Where the service is, without the path: another region, a proxy, a server of your own. */
  readonly baseUrl?: string;
  /** What the ledger calls it; the service's name by default. Needed when one service is given twice. */
  readonly name?: string;
  /** For one request; 20 s by default. */
  readonly timeoutMs?: number;
  /** The largest answer; 5 MB by default. */
  readonly bytesMax?: number;
}

export interface KeyedSearchOptions extends SearchServiceOptions {
  readonly key: ServiceKey;
}

/** How one service is asked, and what its answer is. */
export interface SearchService<Answer> {
  readonly name: string;
  readonly baseUrl: string;
  readonly path: string;
  /** How the key is sent. */
  readonly toKeyHeaders?: (key: string) => Readonly<Record<string, string>>;
  readonly toQuestion: (input: WebSearchInput, limit: number) => SearchQuestion;
  readonly answer: Shape<Answer>;
  readonly toHits: (answer: Answer) => readonly FoundHit[];
}

/** By GET with parameters, or by POST with JSON. */
export type SearchQuestion =
  | { readonly parameters: Readonly<Record<string, string>> }
  | { readonly json: Readonly<Record<string, unknown>> };

/** A hit as a service gives it. */
export interface FoundHit {
  readonly title: string;
  readonly url: string;
  readonly snippet: string;
  readonly publishedAt: string;
}

/** Makes a provider of a service. Searching changes nothing, so whatever goes wrong, nothing has happened. */
export function toSearchProvider<Answer>(
  service: SearchService<Answer>,
  options: SearchServiceOptions & { readonly key?: ServiceKey },
): SearchProvider {
  const name = options.name ?? service.name;
  return {
    name,
    async run(input, { signal }) {
      const limit = toHitsWanted(input);
      const question = service.toQuestion(input, limit);
      const url = toAddress(options.baseUrl ?? service.baseUrl, service.path, question);
      const key = options.key === undefined ? undefined : await openKey(options.key, { provider: name, url, signal });
      const keyHeaders = key === undefined ? {} : (service.toKeyHeaders?.(key) ?? {});
      const request: HttpRequest = {
        provider: name,
        url,
        secretHeaders: keyHeaders,
        effect: "read",
        signal,
        timeoutMs: options.timeoutMs,
        bytesMax: options.bytesMax,
        ...("json" in question ? { json: question.json } : {}),
      };
      const answer = await askJson(request, service.answer);
      return { hits: toCleanHits(service.toHits(answer), limit), query: input.query, trust: "untrusted" };
    },
  };
}

// A text, so that a base URL which is none is refused where requests are made, with a hint.
function toAddress(baseUrl: string, path: string, question: SearchQuestion): string {
  const address = `${baseUrl.replace(/\/+$/, "")}${path}`;
  return "parameters" in question ? `${address}?${new URLSearchParams(question.parameters).toString()}` : address;
}

const titleMax = 300;
const snippetMax = 1_000;

/** Each page once, only what a browser could open, and no more than was asked for. */
function toCleanHits(found: readonly FoundHit[], limit: number): WebHit[] {
  const hits = new Map<string, WebHit>();
  for (const { title, url, snippet, publishedAt } of found) {
    if (hits.size >= limit) break;
    if (!/^https?:\/\//i.test(url) || hits.has(url)) continue;
    const heading = toPlainWords(title, titleMax);
    hits.set(url, {
      title: heading === "" ? url : heading,
      url,
      snippet: toPlainWords(snippet, snippetMax),
      ...(publishedAt === "" ? {} : { publishedAt: toPlainWords(publishedAt, titleMax) }),
    });
  }
  return [...hits.values()];
}

/** One line without control characters, cut at `lengthMax`. */
export function toPlainWords(words: string, lengthMax: number): string {
  return words
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, " ")
    .trim()
    .slice(0, lengthMax);
}

/** A hit whose words and date are called differently at each service. Only the address has to be there. */
export function hitShape(names: { readonly snippet: string; readonly publishedAt: string }): Shape<FoundHit> {
  return (value, path) => {
    const { url } = address(value, path);
    const found = words(value, path);
    return {
      url,
      title: toText(found["title"]),
      snippet: toText(found[names.snippet]),
      publishedAt: toText(found[names.publishedAt]),
    };
  };
}

const address = fields({ url: text });
const words = recordOf(anything);

// A service may leave these out, or set them to null.
function toText(value: unknown): string {
  return typeof value === "string" ? value : "";
}
