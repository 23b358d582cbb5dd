import { fields, listOf, text, type Shape } from "../base/shape.ts";
import { usageShape } from "../contracts/entry-bodies.ts";
import type { Usage } from "../contracts/outcome.ts";
import { toPreview } from "./preview.ts";

/** What a model answered, as an agent's step records it. */
export interface RecordedReply {
  readonly text: string;
  readonly toolCalls: readonly { readonly tool: string }[];
  readonly usage: Usage;
  /** Which model it was. */
  readonly model: string;
}

const shape: Shape<RecordedReply> = fields({
  text,
  toolCalls: listOf(fields({ tool: text })),
  usage: usageShape,
  model: text,
});

/** Whether a step is named like a question to a model: of an agent's turn, or for a summary of its conversation. */
export function isModelStep(key: string): boolean {
  return /\/(?:model|summary)(?:#\d+)?$/u.test(key);
}

/** The model's reply that a step returned; `undefined` for a step that is not a question to a model. */
export function findModelReply(key: string, out: unknown): RecordedReply | undefined {
  if (!isModelStep(key)) return undefined;
  try {
    return shape(out, "");
  } catch {
    return undefined; // a step of the flow's own that happens to have this name
  }
}

/** What it wants or says, in a few words. */
export function describeReply(reply: RecordedReply): string {
  if (reply.toolCalls.length === 0) return toPreview(parseAnswer(reply.text));
  const counts = new Map<string, number>();
  for (const { tool } of reply.toolCalls) counts.set(tool, (counts.get(tool) ?? 0) + 1);
  return `wants ${[...counts].map(([tool, count]) => (count === 1 ? tool : `${tool} ×${count}`)).join(", ")}`;
}

/** An answer is mostly JSON; then its parts say more than its brackets. */
function parseAnswer(answer: string): unknown {
  try {
    return JSON.parse(answer);
  } catch {
    return answer;
  }
}
