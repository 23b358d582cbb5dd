import { TuttiError } from "../../base/errors.ts";
import { fields, decimal, integer, oneOf, text } from "../../base/shape.ts";
import type { Retry, Tool } from "../../contracts/callable.ts";
import type { VideoJob, VideoModel, VideoRequest, VideoStatus } from "../../contracts/media-model.ts";
import { schemaOf } from "../../contracts/schema.ts";
import { withFailover } from "../failover.ts";
import { mediaFields, toMediaUsage, type Media, type MediaKeeper } from "../media.ts";
import type { Provider } from "../provider.ts";
import { tool } from "../tool.ts";

export interface VideoSettings {
  /** Where films stay: a folder, as a rule. The ledger takes small ones only. */
  readonly keeper: MediaKeeper;
  /** What one film costs, by its model's provider. */
  readonly costUsd?: Readonly<Record<string, number>>;
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
 * Video models as tools: the first that takes an order makes the film, and is the one that is asked for it afterwards. After a crash in the
 * middle of an order the providers are asked whether one has it (`find`); where one can't be asked, the order is in doubt and waits for a
 * person, because a second one would be paid for too.
 * @throws TuttiError DEFINITION_INVALID when two models are of one provider, or there is none.
 */
export function videoTools(models: VideoModel | readonly VideoModel[], settings: VideoSettings): VideoTools {
  const all = "start" in models ? [models] : models;
  return {
    start: withFailover<VideoRequest, VideoJob>({
      name: "video.start",
      does: "Orders a film from a description in words; it is made in minutes or hours.",
      input: requestSchema,
      output: jobSchema,
      effect: "once",
      providers: all.map((model) => toOrdering(model, settings.costUsd?.[model.provider])),
      providerTimeoutMs: startTimeoutMs,
    }),
    status: tool({
      name: "video.status",
      does: "Says whether a film that was ordered is ready.",
      input: jobSchema,
      output: schemaOf(fields({ status: statusShape }), { type: "object" }),
      effect: "read",
      retry: asking,
      timeoutMs: statusTimeoutMs,
      run: async (job, { signal }) => ({ status: await modelOf(all, job).status(job, signal) }),
    }),
    fetch: tool({
      name: "video.fetch",
      does: "Fetches a film that is ready, and keeps it.",
      input: jobSchema,
      output: schemaOf<Media>(fields(mediaFields), { type: "object" }),
      effect: "local",
      retry: asking,
      timeoutMs: fetchTimeoutMs,
      async run(job, { signal, report }) {
        const model = modelOf(all, job);
        const { content, mediaType } = await model.fetch(job, signal);
        report({ provider: model.provider });
        return settings.keeper.keep(content, mediaType);
      },
    }),
  };
}

/** The order is paid, so what it costs is reported with it. */
function toOrdering(model: VideoModel, costUsd: number | undefined): Provider<VideoRequest, VideoJob> {
  const { provider } = model;
  const find = model.find?.bind(model);
  return {
    name: provider,
    async run(request, { idempotencyKey, signal, report }) {
      const job = await model.start(request, { idempotencyKey, signal });
      report({ usage: toMediaUsage(costUsd) });
      return { ...job, provider };
    },
    ...(find === undefined
      ? {}
      : {
          async check(_request, { idempotencyKey, signal, report }) {
            const job = await find(idempotencyKey, signal);
            if (job === undefined) return undefined;
            report({ usage: toMediaUsage(costUsd) });
            return { ...job, provider };
          },
        }),
  };
}

/** Whose order it is; an order from before a second model was added is the first one's. @throws TuttiError TOOL_REFUSED */
function modelOf(models: readonly VideoModel[], { provider }: VideoJob): VideoModel {
  const found = provider === undefined ? models[0] : models.find((model) => model.provider === provider);
  if (found !== undefined) return found;
  throw new TuttiError(
    "TOOL_REFUSED",
    `the film was ordered at ${provider ?? "nobody's"}, which is not here any more`,
    { hint: "Give videoTools the model of that provider again." },
  );
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

const jobSchema = schemaOf<VideoJob>(fields({ reference: text }, { provider: text }), {
  type: "object",
  properties: {
    reference: { type: "string", description: "As the order returned it." },
    provider: { type: "string", description: "As the order returned it." },
  },
  required: ["reference"],
  additionalProperties: false,
});

function statusShape(value: unknown, path: string): VideoStatus {
  const { kind } = fields({ kind: oneOf("running", "done", "failed") })(value, path);
  return kind === "failed" ? fields({ kind: oneOf("failed"), why: text })(value, path) : { kind };
}
