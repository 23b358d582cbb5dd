import type { ModelDelta, ModelReply } from "../contracts/model.ts";

/** Tells a watcher a reply that is there already, in as few pieces as it has parts. */
export function tellWhole(reply: ModelReply, watch: (delta: ModelDelta) => void): void {
  if (reply.text !== "") watch({ kind: "text", text: reply.text });
  for (const { tool, input } of reply.toolCalls) watch({ kind: "tool-call", tool, text: JSON.stringify(input) ?? "" });
}
