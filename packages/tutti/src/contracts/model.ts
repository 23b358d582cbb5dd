import type { ErrorCode } from "../base/error-codes.ts";
import type { Json } from "../base/json.ts";
import type { RunId } from "./ids.ts";
import type { Confidence, Usage } from "./outcome.ts";

/** One model behind one provider, as the agent loop sees it. One call, one attempt: retries belong to the step. */
export interface Model {
  readonly provider: string;
  readonly id: string;
  /**
   * With `watch`, what the model says is told while it says it, where the provider can stream; the reply is the same.
   * @throws TuttiError MODEL_REFUSED, MODEL_RATE_LIMITED, MODEL_UNAVAILABLE, MODEL_ANSWER_INVALID or MODEL_FORBIDDEN.
   */
  generate(request: ModelRequest, signal: AbortSignal, watch?: (delta: ModelDelta) => void): Promise<ModelReply>;
  /** What a request costs at most: reserved before it is asked. Without it: estimated from the request, at no known price. */
  worstCase?(request: ModelRequest): WorstCase;
}

/** The most that one call can use. */
export interface WorstCase {
  /** In and out. */
  readonly tokens: number;
  /** How many models it may ask for one reply; 1 by default. */
  readonly calls?: number;
  /** Missing where the price is not known; a budget in US dollars then can't be kept, and the call is refused. */
  readonly costUsd?: number;
}

/** A piece of a reply, for the eyes only: never stored. */
export type ModelDelta =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "tool-call"; readonly tool: string; readonly text: string };

export interface ModelRequest {
  readonly messages: readonly ModelMessage[];
  readonly tools: readonly ModelTool[];
  /** JSON Schema (draft 2020-12) of the answer that is wanted. */
  readonly answer: { readonly name: string; readonly schema: Readonly<Record<string, unknown>> };
  /** What helps to choose a model. Never sent to one. */
  readonly hints?: ModelHints;
}

/** What the asker knows about its question. */
export interface ModelHints {
  /** The run that asks: answers may be used again inside it. */
  readonly run?: RunId;
  /** What kind of work it is, in words of your own: `classify`, `write`. */
  readonly task?: string;
  readonly difficulty?: "easy" | "normal" | "hard";
  /** What may still be spent, in US dollars. */
  readonly budgetUsd?: number;
  /** How sure the asker is of what it asks about, in [0, 1]. */
  readonly confidence?: number;
  /** An answer of its own is wanted, as for a vote: never one that was given before. */
  readonly fresh?: boolean;
}

export type ModelMessage =
  | { readonly role: "system"; readonly text: string }
  | { readonly role: "user"; readonly text: string }
  | {
      readonly role: "assistant";
      readonly text: string;
      readonly toolCalls: readonly ToolCall[];
      /** As it came with the reply. */
      readonly providerData?: Json;
    }
  | {
      readonly role: "tool";
      readonly callId: string;
      readonly tool: string;
      readonly result: unknown;
      readonly isError: boolean;
    };

export interface ModelTool {
  readonly name: string;
  readonly does: string;
  readonly input: Readonly<Record<string, unknown>>;
}

export interface ToolCall {
  /** Names the call inside its turn; steps are keyed by it, so that parallel calls replay right. */
  readonly id: string;
  readonly tool: string;
  readonly input: unknown;
}

/** Tool calls to make, or the answer's text (JSON for the wanted schema), or both. */
export interface ModelReply {
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  /** All that was spent for this reply, also by models that were asked in vain. */
  readonly usage: Usage;
  /** Who answered, when the model that was asked stands for several. */
  readonly provider?: string;
  /** What the provider says it used, when that is more exact than the name asked for. */
  readonly modelId?: string;
  /** How sure the model was of its words, where its provider tells. */
  readonly confidence?: Confidence;
  /** Who was asked before, and why that was not enough. */
  readonly passedOver?: readonly PassedOver[];
  /** The answer was given before, inside the same run. */
  readonly cached?: boolean;
  /** What the provider wants to see again with the next turn (signatures, ids, reasoning). Only the adapter that made it reads it. */
  readonly providerData?: Json;
}

/** A model that was asked, and whose answer was not used. */
export interface PassedOver {
  /** Provider and id. */
  readonly model: string;
  readonly code: ErrorCode;
  readonly why: string;
}
