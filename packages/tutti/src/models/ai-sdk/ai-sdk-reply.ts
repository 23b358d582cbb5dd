import type { LanguageModelV4, SharedV4ProviderMetadata } from "@ai-sdk/provider";

import { TuttiError } from "../../base/errors.ts";
import type { ModelReply, ToolCall } from "../../contracts/model.ts";
import type { Confidence, Usage } from "../../contracts/outcome.ts";
import { toSpentFacts } from "../../contracts/spent.ts";
import { findPrice } from "../pricing/find-price.ts";
import { toCostUsd } from "../pricing/price.ts";
import type { AiSdkSettings } from "./ai-sdk-request.ts";
import type { AiSdkResult } from "./ai-sdk-stream.ts";
import { toMaker, toProviderData } from "./provider-data.ts";
import type { WireNames } from "./wire-names.ts";

export interface Asked {
  readonly model: LanguageModelV4;
  readonly names: WireNames;
  readonly settings: AiSdkSettings;
}

/** @throws TuttiError MODEL_REFUSED or MODEL_ANSWER_INVALID when there is no answer to use; what it cost is in its facts */
export function toReply(result: AiSdkResult, { model, names, settings }: Asked): ModelReply {
  const texts = result.content.map((part) => (part.type === "text" ? part.text : ""));
  // An explicit selection of the provider's wins, also an empty one.
  const text = result.structuredOutputText ?? texts.join("");
  const toolCalls: ToolCall[] = [];
  for (const part of result.content) {
    if (part.type !== "tool-call" || part.providerExecuted === true) continue;
    toolCalls.push({ id: part.toolCallId, tool: names.toOurs(part.toolName), input: parseInput(part.input) });
  }
  const modelId = result.response?.modelId;
  const usage = toUsage(result, { model, settings, modelId });
  refuseUnusable(result, { model, usage, hasCalls: toolCalls.length > 0 });
  const confidence = toConfidence(result.providerMetadata);
  const providerData = toProviderData(result.content, text, toMaker(model));
  return {
    text,
    toolCalls,
    usage,
    ...(modelId === undefined ? {} : { modelId }),
    ...(confidence === undefined ? {} : { confidence }),
    ...(providerData === undefined ? {} : { providerData }),
  };
}

function refuseUnusable(
  { finishReason: { unified } }: AiSdkResult,
  { model, usage, hasCalls }: { readonly model: LanguageModelV4; readonly usage: Usage; readonly hasCalls: boolean },
): void {
  const facts = { provider: model.provider, model: model.modelId, ...toSpentFacts(usage) };
  if (unified === "content-filter") {
    throw new TuttiError(
      "MODEL_REFUSED",
      `${model.modelId} stopped: the provider's content filter did not let the answer through`,
      { hint: "Look at what the agent was given; another model may judge it differently.", facts },
    );
  }
  if ((unified === "length" || unified === "interrupted") && !hasCalls) {
    throw new TuttiError(
      "MODEL_ANSWER_INVALID",
      `the answer of ${model.modelId} was cut off${unified === "length" ? " at its token limit" : ""}`,
      { hint: "Raise maxOutputTokens, or ask for a shorter answer.", facts },
    );
  }
}

// What is not JSON stays text: the tool's schema refuses it, and the model is told.
function parseInput(input: string): unknown {
  if (input.trim() === "") return {};
  try {
    return JSON.parse(input);
  } catch {
    return input;
  }
}

/** Totals include cached and reasoning tokens; a provider that gives only the parts is added up. */
function toUsage(
  result: AiSdkResult,
  by: Pick<Asked, "model" | "settings"> & { readonly modelId: string | undefined },
): Usage {
  const { inputTokens, outputTokens } = result.usage;
  const counted = {
    modelCalls: 1,
    inputTokens: inputTokens.total ?? sum(inputTokens.noCache, inputTokens.cacheRead, inputTokens.cacheWrite),
    outputTokens: outputTokens.total ?? sum(outputTokens.text, outputTokens.reasoning),
    ...(inputTokens.cacheRead === undefined ? {} : { cachedInputTokens: inputTokens.cacheRead }),
    ...(inputTokens.cacheWrite === undefined ? {} : { cacheWriteTokens: inputTokens.cacheWrite }),
    ...(outputTokens.reasoning === undefined ? {} : { reasoningTokens: outputTokens.reasoning }),
  };
  const { model, settings, modelId } = by;
  const provider = model.provider.split(".", 1)[0] ?? "";
  const ids = modelId === undefined ? [model.modelId] : [modelId, model.modelId];
  const listed = hasOtherRates(result, settings) ? undefined : findPrice(provider, ids);
  const price = settings.price ?? listed;
  // Without a count there is nothing to multiply.
  const isCounted = counted.inputTokens + counted.outputTokens > 0;
  return price === undefined || !isCounted ? counted : { ...counted, costUsd: toCostUsd(counted, price) };
}

function sum(...parts: readonly (number | undefined)[]): number {
  return parts.reduce<number>((total, part) => total + (part ?? 0), 0);
}

const plainTiers: ReadonlySet<unknown> = new Set([undefined, null, "default", "standard", "auto", "on_demand"]);

const plainRegions: ReadonlySet<unknown> = new Set([undefined, null, "global"]);

/** Whether the call was made at other rates than the listed ones: faster, slower, from one region, or kept in a cache for an hour. */
function hasOtherRates({ providerMetadata, usage }: AiSdkResult, { providerOptions }: AiSdkSettings): boolean {
  const asked = Object.values(providerOptions ?? {}).some(
    (option) =>
      !plainTiers.has(toLower(option["serviceTier"])) ||
      option["speed"] === "fast" ||
      !plainRegions.has(option["inferenceGeo"]),
  );
  const served = Object.values(providerMetadata ?? {}).some((known) => !plainTiers.has(toLower(known["serviceTier"])));
  const writes = usage.raw?.["cache_creation"];
  const forAnHour =
    typeof writes === "object" && writes !== null && "ephemeral_1h_input_tokens" in writes
      ? writes["ephemeral_1h_input_tokens"]
      : 0;
  return asked || served || (typeof forAnHour === "number" && forAnHour > 0);
}

function toLower(value: unknown): unknown {
  return typeof value === "string" ? value.toLowerCase() : value;
}

/** The mean probability of a token, geometrically, where the provider was asked for it: `providerOptions: { openai: { logprobs: true } }`. */
function toConfidence(metadata: SharedV4ProviderMetadata | undefined): Confidence | undefined {
  const lists: readonly unknown[] = Object.values(metadata ?? {}).map((known) => known["logprobs"]);
  const logprobs = lists.flat(2).flatMap((token: unknown) => {
    const known = typeof token === "object" && token !== null && "logprob" in token ? token.logprob : undefined;
    return typeof known === "number" ? [known] : [];
  });
  if (logprobs.length === 0) return undefined;
  const mean = logprobs.reduce((total, logprob) => total + logprob, 0) / logprobs.length;
  return { value: Math.min(1, Math.exp(mean)), source: "logprobs" };
}
