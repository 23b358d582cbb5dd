import { TuttiError } from "../base/errors.ts";
import type { Model, ModelReply, ModelRequest, ToolCall } from "../contracts/model.ts";
import type { Confidence } from "../contracts/outcome.ts";

/** What a scripted model answers: an answer as a value or as text, tool calls, or an error to throw. */
export type ScriptedReply =
  | ({ readonly answer: unknown } & Sure)
  | ({ readonly text: string; readonly toolCalls?: readonly ToolCall[] } & Sure)
  | ({ readonly toolCalls: readonly ToolCall[] } & Sure)
  | { readonly error: Error };

interface Sure {
  /** How sure it is, as a provider that tells probabilities would say. */
  readonly confidence?: Confidence;
}

export interface ScriptedModel extends Model {
  /** Every request that was made, in order: what would have been paid for. */
  readonly requests: readonly ModelRequest[];
}

/**
 * A model that answers what a test tells it: a function of the request, or a list of replies that is used up in order.
 * Every call counts one model call, 10 tokens in, 5 out and one cent.
 */
export function scriptedModel(
  script: readonly ScriptedReply[] | ((request: ModelRequest, index: number) => ScriptedReply | Promise<ScriptedReply>),
): ScriptedModel {
  const requests: ModelRequest[] = [];
  return {
    provider: "scripted",
    id: "script-1",
    requests,
    worstCase: () => ({ tokens: 15, costUsd: 0.01 }),
    async generate(request, signal): Promise<ModelReply> {
      signal.throwIfAborted();
      const index = requests.push(request) - 1;
      const reply = typeof script === "function" ? await script(request, index) : script[index];
      if (reply === undefined) {
        throw new TuttiError(
          "MODEL_REFUSED",
          `the script has ${script.length} replies, and model call number ${index + 1} was made`,
          { hint: "Add a reply to the script." },
        );
      }
      if ("error" in reply) throw reply.error;
      const text = "answer" in reply ? JSON.stringify(reply.answer) : "text" in reply ? reply.text : "";
      const toolCalls = "toolCalls" in reply ? (reply.toolCalls ?? []) : [];
      const usage = { modelCalls: 1, inputTokens: 10, outputTokens: 5, costUsd: 0.01 };
      return { text, toolCalls, usage, ...(reply.confidence === undefined ? {} : { confidence: reply.confidence }) };
    },
  };
}
