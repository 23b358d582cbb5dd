import type { Usage } from "./outcome.ts";

/** One model behind one provider, as the agent loop sees it. One call, one attempt: retries belong to the step. */
export interface Model {
  readonly provider: string;
  readonly id: string;
  /**
   * With `watch`, what the model says is told while it says it, where the provider can stream; the reply is the same.
   * @throws TuttiError MODEL_REFUSED, MODEL_RATE_LIMITED, MODEL_UNAVAILABLE or MODEL_ANSWER_INVALID.
   */
  generate(request: ModelRequest, signal: AbortSignal, watch?: (delta: ModelDelta) => void): Promise<ModelReply>;
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
}

export type ModelMessage =
  | { readonly role: "system"; readonly text: string }
  | { readonly role: "user"; readonly text: string }
  | { readonly role: "assistant"; readonly text: string; readonly toolCalls: readonly ToolCall[] }
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
  readonly usage: Usage;
  /** What the provider says it used, when that is more exact than the name asked for. */
  readonly modelId?: string;
}
