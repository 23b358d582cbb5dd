/** The web for agents: search and fetch, over several providers, safely. */
/** What a provider of your own asks its service with. */
export { askHttp, askJson, type HttpRequest } from "./tools/http/ask-http.ts";
export type { HttpAnswer } from "./tools/http/exchange.ts";
export type { Explained } from "./tools/http/http-errors.ts";
export { openKey, type KeyUse, type ServiceKey } from "./tools/http/service-key.ts";
export type { KeyedSearchOptions, SearchServiceOptions } from "./tools/web/search-provider.ts";
export { folderSearch } from "./tools/web/local/folder-search.ts";
export { openLocalSearch, type LocalSearch, type LocalSearchOptions } from "./tools/web/local/local-search.ts";
export { brave, exa, searxng, tavily } from "./tools/web/search-services.ts";
export {
  webSearch,
  type SearchProvider,
  type WebHit,
  type WebSearchInput,
  type WebSearchOptions,
  type WebSearchOutput,
} from "./tools/web/web-search.ts";
export { webFetch, type WebFetchInput, type WebFetchOptions, type WebPage } from "./tools/web/web-fetch.ts";
