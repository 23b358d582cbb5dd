/** Documents in folders as tools for agents: search, read, and a check of quotes. */
export { quoteIsIn } from "./tools/sources/quote-is-in.ts";
export { sourceTools, type SourceTools } from "./tools/sources/source-tools.ts";
export type { SkippedSource, Source } from "./tools/sources/source.ts";
export { openSources, type SourceOptions, type Sources } from "./tools/sources/sources.ts";
