import { fields, decimal, integer, oneOf, text } from "../../base/shape.ts";
import type { Retry, Tool } from "../../contracts/callable.ts";
import type { VideoJob, VideoModel, VideoRequest, VideoStatus } from "../../contracts/media-model.ts";
import { schemaOf } from "../../contracts/schema.ts";
import { mediaFields, type Media, type MediaKeeper } from "../media.ts";
import { tool } from "../tool.ts";

export interface VideoSettings {
  /** Where films stay: a folder, as a rule. The ledger takes small ones only. */
  readonly keeper: MediaKeeper;
}

/** What `generateVideo` is made of. They can be called one by one, too. */
export interface VideoTools {
  /** Orders a film. It costs money, so it is done once per request and run. */
  readonly start: Tool<VideoRequest, VideoJob>;
  readonly status: Tool<VideoJob, { readonly status: VideoStatus }>;
  /** Fetches a finished film and keeps it. */
  readonly fetch: Tool<VideoJob, Media>;
}

const asking: Retry = { attemptsMax: 5, delayMs: 1_000, factor: 2, delayMaxMs: 30_000 };
const startTimeoutMs = 120_000;
const statusTimeoutMs = 60_000;
const fetchTimeoutMs = 600_000;

/**
 * A video model as tools. After a crash in the middle of an order the provider is asked whether it has it (`find`); where it can't be
 * asked, the order is in doubt and waits for a person, because a second one would be paid for too.
 */
export function videoTools(model: VideoModel, { keeper }: VideoSettings): VideoTools {
  return {
    start: tool({
      name: "video.start",
      does: "Orders a film from a description in words; it is made in minutes or hours.",
      input: requestSchema,
      output: jobSchema,
      effect: "once",
      timeoutMs: startTimeoutMs,
      run: (request, { idempotencyKey, signal }) => model.start(request, { idempotencyKey, signal }),
      ...(model.find === undefined
        ? {}
        : { check: (_request, { idempotencyKey, signal }) => model.find?.(idempotencyKey, signal) }),
    }),
    status: tool({
      name: "video.status",
      does: "Says whether a film that was ordered is ready.",
      input: jobSchema,
      output: schemaOf(fields({ status: statusShape }), { type: "object" }),
      effect: "read",
      retry: asking,
      timeoutMs: statusTimeoutMs,
      run: async (job, { signal }) => ({ status: await model.status(job, signal) }),
    }),
    fetch: tool({
      name: "video.fetch",
      does: "Fetches a film that is ready, and keeps it.",
      input: jobSchema,
      output: schemaOf<Media>(fields(mediaFields), { type: "object" }),
      effect: "local",
      retry: asking,
      timeoutMs: fetchTimeoutMs,
      run: async (job, { signal }) => {
        const { content, mediaType } = await model.fetch(job, signal);
        return keeper.keep(content, mediaType);
      },
    }),
  };
}

const requestSchema = schemaOf<VideoRequest>(
  fields({ prompt: text }, { aspectRatio: text, resolution: text, durationSeconds: decimal, seed: integer }),
  {
    type: "object",
    properties: {
      prompt: { type: "string", description: "What is to be seen and heard, in words." },
      aspectRatio: { type: "string", description: "16:9" },
      resolution: { type: "string", description: "Width and height in pixels: 1280x720." },
      durationSeconds: { type: "number", exclusiveMinimum: 0 },
      seed: { type: "integer" },
    },
    required: ["prompt"],
    additionalProperties: false,
  },
);

const jobSchema = schemaOf<VideoJob>(fields({ reference: text }), {
  type: "object",
  properties: { reference: { type: "string", description: "As the order returned it." } },
  required: ["reference"],
  additionalProperties: false,
});

function statusShape(value: unknown, path: string): VideoStatus {
  const { kind } = fields({ kind: oneOf("running", "done", "failed") })(value, path);
  return kind === "failed" ? fields({ kind: oneOf("failed"), why: text })(value, path) : { kind };
}
