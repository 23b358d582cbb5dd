import { findJson } from "../base/json-in-text.ts";
import type { ActHost } from "../contracts/callable.ts";
import type { Confidence } from "../contracts/outcome.ts";
import { answerCharactersMax, type RecordedReply } from "./ask-model.ts";

export type Answer =
  | { readonly kind: "fits"; readonly output: unknown; readonly confidence: Confidence | undefined }
  | { readonly kind: "unfit"; readonly problem: string };

/** The answer in a reply, parsed, and found to hold what the agent guarantees. */
export async function readAnswer(reply: RecordedReply, host: ActHost, asksConfidence: boolean): Promise<Answer> {
  if (reply.length !== undefined)
    return unfit(`it is too long: ${reply.length} characters, at most ${answerCharactersMax}.`);
  const found = findJson(reply.text);
  if (found === undefined) return unfit(reply.text.trim() === "" ? "it is empty." : "it is not JSON.");
  const said = asksConfidence ? unwrap(found.value) : { answer: found.value, confidence: undefined };
  if (said === undefined) return unfit("it is not an `answer` with a `confidence` from 0 to 1 beside it.");
  const accepted = await host.accept(said.answer);
  if (accepted.kind === "unfit") return accepted;
  return {
    kind: "fits",
    output: accepted.output,
    confidence: toConfidence(said.confidence, reply.confidence, accepted.guarantees),
  };
}

function unfit(problem: string): Answer {
  return { kind: "unfit", problem };
}

// A model's own word, or how sure it was of its tokens, says more than that every check passed: checks say yes to all that they let through.
function toConfidence(
  self: number | undefined,
  told: Confidence | undefined,
  guarantees: number,
): Confidence | undefined {
  if (self !== undefined) return { value: self, source: "self" };
  if (told !== undefined) return told;
  return guarantees === 0 ? undefined : { value: 1, source: "check" };
}

function unwrap(value: unknown): { readonly answer: unknown; readonly confidence: number } | undefined {
  if (typeof value !== "object" || value === null || !("answer" in value) || !("confidence" in value)) return undefined;
  const { answer, confidence } = value;
  return typeof confidence === "number" && confidence >= 0 && confidence <= 1 ? { answer, confidence } : undefined;
}

/** The schema of an answer with the model's own word on how sure it is beside it. */
export function withConfidence(schema: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { $schema, $defs, ...answer } = schema;
  return {
    ...($schema === undefined ? {} : { $schema }),
    type: "object",
    properties: {
      answer: pointedAt(answer),
      confidence: {
        type: "number",
        minimum: 0,
        maximum: 1,
        description: "How likely it is that the answer is right: 0.5 is a guess between two, 1 is certain.",
      },
    },
    required: ["answer", "confidence"],
    additionalProperties: false,
    ...($defs === undefined ? {} : { $defs: pointedAt($defs) }),
  };
}

/** A schema that refers to itself as a whole, for a place one level deeper: the property `answer`. */
export function pointedAt(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(pointedAt);
  if (typeof node !== "object" || node === null) return node;
  return Object.fromEntries(
    Object.entries(node).map(([name, value]: [string, unknown]) =>
      name === "$ref" && value === "#" ? [name, "#/properties/answer"] : [name, pointedAt(value)],
    ),
  );
}
