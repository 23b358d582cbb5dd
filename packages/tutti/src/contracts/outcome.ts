import type { TuttiError } from "../base/errors.ts";
import type { StepKey } from "./ids.ts";

/** How a branch of a fan-out ended. */
export type Outcome<Value> =
  | { readonly kind: "done"; readonly value: Value }
  | { readonly kind: "failed"; readonly error: TuttiError }
  | { readonly kind: "cancelled" };

/** Where a confidence comes from, and how sure. `value` is in [0, 1]. */
export interface Confidence {
  readonly value: number;
  readonly source: "check" | "agreement" | "judge" | "logprobs" | "self" | "rule";
}

/** What a result leans on: a source and the exact words in it. */
export interface Evidence {
  readonly source: string;
  readonly quote?: string;
}

/** Tokens and money, counted once where they were spent. What is optional and missing is not known, which is not the same as none. */
export interface Usage {
  readonly modelCalls: number;
  /** Everything that was read, the parts below included. */
  readonly inputTokens: number;
  /** Everything that was written, reasoning included. */
  readonly outputTokens: number;
  /** The part of `inputTokens` that the provider had in its cache. */
  readonly cachedInputTokens?: number;
  /** The part of `inputTokens` that the provider put into its cache. No token is in both parts. */
  readonly cacheWriteTokens?: number;
  /** The part of `outputTokens` that is reasoning. */
  readonly reasoningTokens?: number;
  /** US dollars, as far as prices are known. */
  readonly costUsd?: number;
  /** How many of `modelCalls` are not in `costUsd`, because nobody knows their price. */
  readonly unpricedCalls?: number;
}

export const noUsage: Usage = { modelCalls: 0, inputTokens: 0, outputTokens: 0 };

/** Both together. The order does not matter, nor how sums are nested. */
export function addUsage(left: Usage, right: Usage): Usage {
  const parts: { -readonly [Name in OptionalCount]?: number } = {};
  for (const name of optionalCounts) {
    const sum = addKnown(left[name], right[name]);
    if (sum !== undefined) parts[name] = sum;
  }
  const unpriced = countUnpriced(left) + countUnpriced(right);
  return {
    modelCalls: left.modelCalls + right.modelCalls,
    inputTokens: left.inputTokens + right.inputTokens,
    outputTokens: left.outputTokens + right.outputTokens,
    ...parts,
    ...(parts.costUsd === undefined || unpriced === 0 ? {} : { unpricedCalls: unpriced }),
  };
}

const optionalCounts = ["cachedInputTokens", "cacheWriteTokens", "reasoningTokens", "costUsd"] as const;
type OptionalCount = (typeof optionalCounts)[number];

function addKnown(left: number | undefined, right: number | undefined): number | undefined {
  return left === undefined && right === undefined ? undefined : (left ?? 0) + (right ?? 0);
}

function countUnpriced({ costUsd, modelCalls, unpricedCalls = 0 }: Usage): number {
  return costUsd === undefined ? modelCalls : unpricedCalls;
}

/** An output with what is known about it. */
export interface Result<Output> {
  readonly output: Output;
  readonly step: StepKey;
  readonly confidence?: Confidence;
  readonly evidence?: readonly Evidence[];
  readonly usage?: Usage;
  /** Which model's answer it is (provider and id), where one model gave it. */
  readonly model?: string;
}
