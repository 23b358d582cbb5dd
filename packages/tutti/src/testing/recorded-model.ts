import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

import { describeThrown, TuttiError } from "../base/errors.ts";
import type { Model, ModelReply, ModelRequest } from "../contracts/model.ts";
import { toFingerprint } from "../models/request-fingerprint.ts";
import { tellWhole } from "../models/whole-reply.ts";
import { describeDifference, findNearest } from "./nearest-request.ts";
import { readRecording, toRecordedRequest, withoutKeys, type RecordedCall } from "./recording.ts";

/**
 * Answers as `model` does, and writes every question with its answer to `file`, one JSON line each; what was there is replaced.
 * What looks like a key or a token is blacked out. Calls that fail are not recorded.
 * @throws TuttiError SOURCE_UNREADABLE when the file can't be written; the call fails then, although it was paid
 */
export function recordModel(model: Model, file: string): Model {
  let written: Promise<void> | undefined;
  const write = (call: RecordedCall): Promise<void> => {
    const line = `${JSON.stringify(call)}\n`;
    const begun = written;
    written = (begun === undefined ? begin(file, line) : begun.then(() => appendFile(file, line))).catch(
      (error: unknown) => {
        throw new TuttiError("SOURCE_UNREADABLE", `${file} can't be written: ${describeThrown(error)}`, {
          hint: "Record into a folder that this process may write to.",
          cause: error,
        });
      },
    );
    return written;
  };
  return {
    provider: model.provider,
    id: model.id,
    async generate(request, signal, watch) {
      const reply = await model.generate(request, signal, watch);
      const asked = toRecordedRequest(request);
      const by = `${reply.provider ?? model.provider}/${reply.modelId ?? model.id}`;
      await write({ fingerprint: toFingerprint(asked), model: by, request: asked, reply: withoutKeys(reply) });
      return reply;
    },
  };
}

async function begin(file: string, line: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, line);
}

/**
 * Answers from a recording, without a network. The same question asked again gets the answers in their recorded order, and the last one from
 * then on.
 * @throws TuttiError SOURCE_UNREADABLE when the file is no recording; MODEL_REFUSED for a question that was not recorded, with what differs
 */
export function replayModel(file: string): Model {
  const calls = readRecording(file);
  const repliesByFingerprint = Map.groupBy(calls, (call) => call.fingerprint);
  const countByFingerprint = new Map<string, number>();
  return {
    provider: "replay",
    id: file,
    async generate(request, signal, watch) {
      signal.throwIfAborted();
      const asked = toRecordedRequest(request);
      const fingerprint = toFingerprint(asked);
      const recorded = repliesByFingerprint.get(fingerprint) ?? [];
      const count = countByFingerprint.get(fingerprint) ?? 0;
      const call = recorded[count] ?? recorded.at(-1);
      if (call === undefined) throw toUnrecorded(file, calls, asked);
      countByFingerprint.set(fingerprint, count + 1);
      const reply = toReply(call);
      if (watch !== undefined) tellWhole(reply, watch);
      return reply;
    },
  };
}

function toReply({ model, reply }: RecordedCall): ModelReply {
  const [provider = "", ...id] = model.split("/");
  return { ...reply, provider, modelId: id.join("/") };
}

function toUnrecorded(file: string, calls: readonly RecordedCall[], asked: ModelRequest): TuttiError {
  const nearest = findNearest(
    calls.map((call) => call.request),
    asked,
  );
  const difference =
    nearest === undefined
      ? "The recording is empty."
      : `The nearest recorded one (line ${nearest.index + 1}) differs:\n${describeDifference(nearest)}`;
  return new TuttiError("MODEL_REFUSED", `${file} holds no answer to this request. ${difference}`, {
    hint: "Record again with recordModel, or put back what changed.",
    facts: { file, recorded: calls.length },
  });
}
