import { readFileSync, statSync } from "node:fs";

import { describeThrown, TuttiError } from "../base/errors.ts";
import { anything, decimal, fields, flag, listOf, oneOf, recordOf, text, type Shape } from "../base/shape.ts";
import { usageShape } from "../contracts/entry-bodies.ts";
import type { ModelReply, ModelRequest } from "../contracts/model.ts";

/** A question to a model and its answer, as one line of a recording. */
export interface RecordedCall {
  readonly fingerprint: string;
  /** Who answered: provider and id. */
  readonly model: string;
  readonly request: ModelRequest;
  readonly reply: ModelReply;
}

const bytesMax = 64 * 1024 * 1024;

const toolCalls = listOf(fields({ id: text, tool: text, input: anything }));
const request = fields({
  messages: listOf(recordOf(anything)),
  tools: listOf(fields({ name: text, does: text, input: recordOf(anything) })),
  answer: fields({ name: text, schema: recordOf(anything) }),
});
const reply = fields(
  { text, toolCalls, usage: usageShape },
  {
    confidence: fields({ value: decimal, source: oneOf("check", "agreement", "judge", "logprobs", "self", "rule") }),
    cached: flag,
    passedOver: anything,
    providerData: anything,
  },
);
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- messages are only compared, never read; the rest is checked by the shapes
const call = fields({ fingerprint: text, model: text, request, reply }) as Shape<RecordedCall>;

/** @throws TuttiError SOURCE_UNREADABLE, with the line */
export function readRecording(file: string): readonly RecordedCall[] {
  const calls: RecordedCall[] = [];
  for (const [index, line] of readText(file).split("\n").entries()) {
    if (line.trim() === "") continue;
    try {
      calls.push(call(JSON.parse(line), ""));
    } catch (error) {
      throw new TuttiError(
        "SOURCE_UNREADABLE",
        `line ${index + 1} of ${file} is no recorded call: ${describeThrown(error)}`,
        { hint: "Record again with recordModel.", cause: error },
      );
    }
  }
  return calls;
}

function readText(file: string): string {
  try {
    const { size } = statSync(file);
    if (size > bytesMax) throw new Error(`it has ${size} bytes, and at most ${bytesMax} are read`);
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new TuttiError("SOURCE_UNREADABLE", `the recording ${file} can't be read: ${describeThrown(error)}`, {
      hint: "Make it with recordModel(model, file), once, with a real model.",
      cause: error,
    });
  }
}

/** What is compared and written of a request: all that a model is told, without what looks like a key. */
export function toRecordedRequest({ messages, tools, answer }: ModelRequest): ModelRequest {
  return withoutKeys({ messages, tools, answer });
}

const keyLike: readonly RegExp[] = [
  /\b(?:sk|pk|rk|gsk|xai|ghp|gho|ghs|glpat|xox[abeprs]|r8|hf)[-_][\w-]{12,}/g,
  /\bgithub_pat_\w{20,}/g,
  /\bAIza[\w-]{20,}/g,
  /\bAKIA[A-Z0-9]{16}\b/g,
  /\beyJ[\w-]{6,}\.[\w-]{6,}\.[\w-]+/g,
  /\bBearer\s+[\w.~+/=-]{12,}/gi,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g,
];

/** A copy in which what looks like a key or a token is blacked out, wherever it stands. */
export function withoutKeys<Value>(value: Value): Value {
  const redacted = JSON.stringify(value, (_, item: unknown) =>
    typeof item === "string" ? keyLike.reduce((rest, pattern) => rest.replaceAll(pattern, "[redacted]"), item) : item,
  );
  const copy: Value = JSON.parse(redacted);
  return copy;
}
