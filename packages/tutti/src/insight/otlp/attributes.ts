import type { StoredError } from "../../base/errors.ts";
import { sha256 } from "../../base/hash.ts";
import { toSpanId, toTraceId } from "../../base/trace-context.ts";
import type { RunId } from "../../contracts/ids.ts";
import type { Usage } from "../../contracts/outcome.ts";
import { names } from "./conventions.ts";
import type { Attributes, LinkType, SpanLink } from "./span.ts";

/** Longer values are cut: a span has to fit into a request. */
const valueCharactersMax = 16_000;
/** A result may be put together from any number of others; a span names the first ones. */
const linksMax = 64;

/** A value as its entry holds it: in full, or by hash. */
export interface HeldValue {
  readonly value: unknown;
  readonly ref: { readonly hash: string; readonly bytes: number } | undefined;
}

/** How much of values leaves. Not even hashes of what is about a person: a short text can be found by its hash. */
export type Shown = "nothing" | "hashes" | "bodies";

/** The hash of a value, and the value itself under `name`. A large one is in the ledger under its hash. */
export function describeValue(
  side: "input" | "output",
  { value, ref }: HeldValue,
  { shown, name }: { readonly shown: Shown; readonly name: string },
): Attributes {
  if (shown === "nothing") return {};
  if (ref !== undefined) return { [`tutti.${side}.sha256`]: ref.hash, [`tutti.${side}.bytes`]: ref.bytes };
  if (value === undefined) return {};
  const json = JSON.stringify(value);
  return {
    [`tutti.${side}.sha256`]: sha256(json),
    [`tutti.${side}.bytes`]: Buffer.byteLength(json),
    ...(shown === "bodies" ? { [name]: cut(json) } : {}),
  };
}

export function cut(text: string): string {
  return text.length <= valueCharactersMax ? text : `${text.slice(0, valueCharactersMax)}…`;
}

/** What a call of a model used, under the names of the conventions. Only its own span may carry them, or sums would count it twice. */
export function describeModelUsage(usage: Usage): Attributes {
  return {
    [names.inputTokens]: usage.inputTokens,
    [names.outputTokens]: usage.outputTokens,
    ...(usage.cachedInputTokens === undefined ? {} : { [names.cacheReadTokens]: usage.cachedInputTokens }),
    ...(usage.cacheWriteTokens === undefined ? {} : { [names.cacheWriteTokens]: usage.cacheWriteTokens }),
    ...(usage.reasoningTokens === undefined ? {} : { [names.reasoningTokens]: usage.reasoningTokens }),
    "tutti.model_calls": usage.modelCalls,
    ...(usage.costUsd === undefined ? {} : { "tutti.cost_usd": usage.costUsd }),
  };
}

/** What everything inside used together. */
export function describeUsage(usage: Usage | undefined): Attributes {
  if (usage === undefined) return {};
  return {
    "tutti.usage.model_calls": usage.modelCalls,
    "tutti.usage.input_tokens": usage.inputTokens,
    "tutti.usage.output_tokens": usage.outputTokens,
    ...(usage.costUsd === undefined ? {} : { "tutti.usage.cost_usd": usage.costUsd }),
  };
}

export function describeError(error: StoredError | undefined): Attributes {
  return error === undefined ? {} : { [names.error]: error.code };
}

/** A link to one attempt of a step, of whatever run. */
export function toLink(
  type: LinkType,
  to: { readonly run: RunId; readonly step: string; readonly attempt?: number },
): SpanLink {
  return {
    traceId: toTraceId(to.run),
    spanId: toSpanId(to.run, to.step, to.attempt ?? 1),
    attributes: { "tutti.link.type": type },
  };
}

export function cutLinks(links: readonly SpanLink[]): readonly SpanLink[] {
  return links.length <= linksMax ? links : links.slice(0, linksMax);
}
