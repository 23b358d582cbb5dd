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

/** Tokens and money, counted once where they were spent. */
export interface Usage {
  readonly modelCalls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd?: number;
}

export function addUsage(left: Usage, right: Usage): Usage {
  const costUsd =
    left.costUsd === undefined && right.costUsd === undefined
      ? {}
      : { costUsd: (left.costUsd ?? 0) + (right.costUsd ?? 0) };
  return {
    modelCalls: left.modelCalls + right.modelCalls,
    inputTokens: left.inputTokens + right.inputTokens,
    outputTokens: left.outputTokens + right.outputTokens,
    ...costUsd,
  };
}

/** An output with what is known about it. */
export interface Result<Output> {
  readonly output: Output;
  readonly step: StepKey;
  readonly confidence?: Confidence;
  readonly evidence?: readonly Evidence[];
  readonly usage?: Usage;
}
