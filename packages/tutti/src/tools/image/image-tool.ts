import { decimal, fields, integer, text } from "../../base/shape.ts";
import type { Tool } from "../../contracts/callable.ts";
import type { ImageModel, ImageRequest } from "../../contracts/media-model.ts";
import { schemaOf } from "../../contracts/schema.ts";
import { withFailover } from "../failover.ts";
import { ledgerKeeper, mediaFields, toMediaUsage, type Media, type MediaKeeper } from "../media.ts";
import type { Provider } from "../provider.ts";

/** A picture that a model drew, with where it comes from. */
export interface GeneratedImage extends Media {
  readonly provider: string;
  readonly model: string;
  /** What the model made of the prompt, where it says so. */
  readonly revisedPrompt?: string;
  /** Only where the price is known: providers don't say it. */
  readonly costUsd?: number;
}

export interface ImageProviderSettings {
  /** Where pictures stay: in the ledger unless said otherwise. Agents should be given a folder, or they read megabytes. */
  readonly keeper?: MediaKeeper;
  /** What one picture costs. */
  readonly costUsd?: number;
}

/** An image model as a way of doing what `image.generate` promises. */
export function imageProvider(
  model: ImageModel,
  settings: ImageProviderSettings = {},
): Provider<ImageRequest, GeneratedImage> {
  const { keeper = ledgerKeeper, costUsd } = settings;
  return {
    name: model.provider,
    async run(input, { signal, report }) {
      const { image, revisedPrompt } = await model.generate(input, signal);
      report({ provider: model.provider, usage: toMediaUsage(costUsd) });
      return {
        ...(await keeper.keep(image.content, image.mediaType)),
        provider: model.provider,
        model: model.id,
        ...(revisedPrompt === undefined ? {} : { revisedPrompt }),
        ...(costUsd === undefined ? {} : { costUsd }),
      };
    },
  };
}

/** The contract of `image.generate`, whoever does it. It changes nothing that anybody could see, so a crash in the middle draws it again. */
export const imageContract = {
  name: "image.generate",
  does: "Draws a picture from a description in words.",
  input: schemaOf<ImageRequest>(fields({ prompt: text }, { size: text, aspectRatio: text, seed: integer }), {
    type: "object",
    properties: {
      prompt: { type: "string", description: "What is to be seen, in words." },
      size: { type: "string", pattern: "^[1-9]\\d*x[1-9]\\d*$", description: "Width and height in pixels: 1024x1024." },
      aspectRatio: { type: "string", pattern: "^[1-9]\\d*:[1-9]\\d*$", description: "Instead of a size: 16:9." },
      seed: { type: "integer", description: "The same seed may give the same picture." },
    },
    required: ["prompt"],
    additionalProperties: false,
  }),
  output: schemaOf<GeneratedImage>(
    fields({ ...mediaFields, provider: text, model: text }, { revisedPrompt: text, costUsd: decimal }),
    { type: "object" },
  ),
  effect: "local",
  /** A picture takes a model long. */
  providerTimeoutMs: 300_000,
} as const;

/** `image.generate`, done by the first of these that can. */
export function imageTool(
  ...providers: readonly [Provider<ImageRequest, GeneratedImage>, ...Provider<ImageRequest, GeneratedImage>[]]
): Tool<ImageRequest, GeneratedImage> {
  return withFailover<ImageRequest, GeneratedImage>({ ...imageContract, providers });
}
