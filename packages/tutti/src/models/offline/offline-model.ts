import { toWords } from "../../base/text-rank.ts";
import type { Model, ModelReply, ModelRequest } from "../../contracts/model.ts";
import { readConversation } from "./conversation.ts";
import { decideCalls } from "./decide-calls.ts";
import { fillSchema } from "./fill.ts";
import { toScope } from "./scope.ts";

/**
 * A model without a language model: it searches with the tools it is given, picks the sentences that answer, and fills the wanted
 * schema with them. The same request always gets the same reply; it invents nothing, answers with an empty list when nothing
 * fits, and says what it is in every text of its own. It needs no key and no network.
 *
 * Its usage counts words, which is only roughly what a provider would count as tokens. It costs nothing.
 */
export function offlineModel(): Model {
  return {
    provider: "offline",
    id: "extractive-1",
    // It counts words, and says nothing that it was not given.
    worstCase: (asked) => ({ tokens: JSON.stringify(asked).length, costUsd: 0 }),
    generate(request, signal) {
      return new Promise((resolve) => {
        signal.throwIfAborted();
        resolve(reply(request));
      });
    },
  };
}

function reply(request: ModelRequest): ModelReply {
  const conversation = readConversation(request.messages);
  const scope = toScope(conversation);
  const toolCalls = decideCalls(request.tools, conversation, scope);
  const text =
    toolCalls.length > 0
      ? `Offline extractive model: calling ${[...new Set(toolCalls.map((call) => call.tool))].join(", ")}.`
      : JSON.stringify(fillSchema(request.answer.schema, scope));
  return {
    text,
    toolCalls,
    usage: { modelCalls: 1, inputTokens: countWords(request), outputTokens: toWords(text).length, costUsd: 0 },
  };
}

function countWords(request: ModelRequest): number {
  return toWords(JSON.stringify([request.messages, request.tools])).length;
}
