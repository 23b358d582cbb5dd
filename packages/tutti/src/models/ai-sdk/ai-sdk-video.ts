import type {
  Experimental_VideoModelV4 as VideoModelV4,
  Experimental_VideoModelV4VideoData as VideoData,
  JSONValue,
} from "@ai-sdk/provider";

import { TuttiError } from "../../base/errors.ts";
import type { MediaContent, VideoJob, VideoModel, VideoRequest, VideoStatus } from "../../contracts/media-model.ts";
import { checkMediaModel, toPair, type AiSdkMediaSettings } from "./ai-sdk-image.ts";
import { download } from "./download.ts";
import { refuseLeft, toMediaError } from "./media-errors.ts";
import { toMediaType } from "./media-type.ts";

type StartOptions = Parameters<NonNullable<VideoModelV4["doStart"]>>[0];
type Status = Awaited<ReturnType<NonNullable<VideoModelV4["doStatus"]>>>;

/**
 * A video model of an AI SDK provider that can be started and asked: `fromAiSdkVideo(google.video("veo-3.1-generate-preview"))`.
 * Each call is one attempt. The address of a finished film may hold a key, so it is used at once and never returned.
 * @throws TuttiError DEFINITION_INVALID for a model of another specification, or one without `doStart` and `doStatus`.
 */
export function fromAiSdkVideo(model: VideoModelV4, settings: AiSdkMediaSettings = {}): VideoModel {
  checkMediaModel(model, "video", typeof model.doStart === "function" && typeof model.doStatus === "function");
  const guarded = async <Output>(signal: AbortSignal, work: () => Promise<Output>): Promise<Output> => {
    refuseLeft(model, signal);
    try {
      return await work();
    } catch (error) {
      throw await toMediaError(error, model, signal);
    }
  };
  const ask = async ({ reference }: VideoJob, signal: AbortSignal): Promise<Status> => {
    const status = await model.doStatus?.({ operation: parseReference(reference), abortSignal: signal });
    if (status !== undefined) return status;
    throw new TuttiError("BUG", "a video model lost its doStatus after it was checked");
  };
  return {
    provider: model.provider.split(".", 1)[0] ?? model.provider,
    id: model.modelId,
    start: (request, { idempotencyKey, signal }) =>
      guarded(signal, async () => {
        const headers = { "idempotency-key": idempotencyKey };
        const started = await model.doStart?.({ ...toOptions(request, settings), headers, abortSignal: signal });
        return { reference: JSON.stringify(started?.operation ?? null) };
      }),
    status: (job, signal) => guarded(signal, async () => toStatus(await ask(job, signal))),
    fetch: (job, signal) =>
      guarded(signal, async () => {
        const status = await ask(job, signal);
        if (status.status !== "completed") throw notThere(model, status.status);
        return readVideo(status.videos[0], model, signal);
      }),
  };
}

function toOptions(request: VideoRequest, { providerOptions = {} }: AiSdkMediaSettings): StartOptions {
  return {
    prompt: request.prompt,
    n: 1,
    aspectRatio: toPair(request.aspectRatio, ":", "aspectRatio"),
    resolution: toPair(request.resolution, "x", "resolution"),
    duration: request.durationSeconds,
    seed: request.seed,
    fps: undefined,
    image: undefined,
    frameImages: undefined,
    inputReferences: undefined,
    generateAudio: undefined,
    providerOptions,
  };
}

function parseReference(reference: string): JSONValue {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- JSON.parse gives JSON
  return JSON.parse(reference) as JSONValue;
}

function toStatus(status: Status): VideoStatus {
  switch (status.status) {
    case "pending":
      return { kind: "running" };
    case "completed":
      return { kind: "done" };
    case "error":
      return { kind: "failed", why: status.error };
  }
}

async function readVideo(
  video: VideoData | undefined,
  model: VideoModelV4,
  signal: AbortSignal,
): Promise<MediaContent> {
  switch (video?.type) {
    case "url":
      return download(video.url, video.mediaType, signal);
    case "base64": {
      const content = Buffer.from(video.data, "base64");
      return { mediaType: toMediaType(content) ?? video.mediaType, content };
    }
    case "binary":
      return { mediaType: toMediaType(video.data) ?? video.mediaType, content: video.data };
    case "uploaded":
    case undefined:
      throw notThere(model, video === undefined ? "without a film" : "uploaded elsewhere");
  }
}

function notThere(model: VideoModelV4, what: string): TuttiError {
  return new TuttiError("TOOL_ANSWER_INVALID", `${model.modelId} has no film to fetch: ${what}`, {
    hint: "Fetch a job once its status is done.",
    facts: { provider: model.provider, model: model.modelId },
    effect: "none",
  });
}
