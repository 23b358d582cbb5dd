import type { ImageModelV4, ImageModelV4CallOptions, ImageModelV4Result, JSONObject } from "@ai-sdk/provider";

import { TuttiError } from "../../base/errors.ts";
import type { ImageModel, ImageReply, ImageRequest } from "../../contracts/media-model.ts";
import { refuseLeft, toMediaError } from "./media-errors.ts";
import { toMediaType } from "./media-type.ts";

export interface AiSdkMediaSettings {
  /** Passed on to the provider as it is, by the provider's name: `{ openai: { quality: "high" } }`. */
  readonly providerOptions?: Record<string, JSONObject>;
}

/**
 * An image model of any AI SDK provider: `fromAiSdkImage(openai.image("gpt-image-1"))`. One call is one attempt and asks for one picture.
 * Errors are of the family TOOL_* and never carry the key or the prompt.
 * @throws TuttiError DEFINITION_INVALID when it is given something else than an image model of the AI SDK's specification v4.
 */
export function fromAiSdkImage(model: ImageModelV4, settings: AiSdkMediaSettings = {}): ImageModel {
  checkMediaModel(model, "image", "doGenerate" in model);
  return {
    provider: model.provider.split(".", 1)[0] ?? model.provider,
    id: model.modelId,
    async generate(request, signal) {
      refuseLeft(model, signal);
      try {
        const result = await model.doGenerate({
          ...toOptions(request),
          providerOptions: settings.providerOptions ?? {},
          abortSignal: signal,
        });
        return toReply(result, model);
      } catch (error) {
        throw await toMediaError(error, model, signal);
      }
    },
  };
}

// Types rule this out; the id of a model, or a language model, would fail later and less clearly.
export function checkMediaModel(
  model: { readonly specificationVersion?: string },
  what: "image" | "video",
  isComplete: boolean,
): void {
  if (model.specificationVersion === "v4" && isComplete) return;
  throw new TuttiError(
    "DEFINITION_INVALID",
    `this is not ${what === "image" ? "an image" : "a video"} model of the AI SDK (specification v4)${what === "video" ? " that can be started and asked" : ""}`,
    {
      hint:
        what === "image"
          ? 'Pass the model itself, for example openai.image("gpt-image-1").'
          : "Pass the model itself, of a provider whose package has `doStart` and `doStatus`.",
    },
  );
}

function toOptions({
  prompt,
  size,
  aspectRatio,
  seed,
}: ImageRequest): Omit<ImageModelV4CallOptions, "providerOptions"> {
  return {
    prompt,
    n: 1,
    size: toPair(size, "x", "size"),
    aspectRatio: toPair(aspectRatio, ":", "aspectRatio"),
    seed,
    files: undefined,
    mask: undefined,
  };
}

const wholePixels = /^[1-9]\d{0,4}$/;

/** `1024x1024` or `16:9`, as the AI SDK writes them. @throws TuttiError INPUT_INVALID */
export function toPair<Sign extends "x" | ":">(
  text: string | undefined,
  sign: Sign,
  what: string,
): `${number}${Sign}${number}` | undefined {
  if (text === undefined) return undefined;
  const [first = "", second = "", ...more] = text.split(sign);
  if (wholePixels.test(first) && wholePixels.test(second) && more.length === 0)
    return `${Number(first)}${sign}${Number(second)}`;
  throw new TuttiError("INPUT_INVALID", `${what} is ${JSON.stringify(text)}`, {
    hint: sign === "x" ? "Say width and height in pixels: 1024x1024." : "Say width and height as a ratio: 16:9.",
  });
}

function toReply(result: ImageModelV4Result, model: ImageModelV4): ImageReply {
  const [image] = result.images;
  const facts = { provider: model.provider, model: model.modelId };
  if (image === undefined || image.length === 0) {
    throw new TuttiError("TOOL_BLOCKED", `${model.modelId} answered without a picture`, {
      hint: "Providers do that when they decline the content. Say it in other words, or ask another provider.",
      facts,
    });
  }
  const content = typeof image === "string" ? Buffer.from(image, "base64") : image;
  const mediaType = toMediaType(content);
  if (mediaType === undefined) {
    throw new TuttiError(
      "TOOL_ANSWER_INVALID",
      `${model.modelId} answered with ${content.byteLength} bytes that are no picture`,
      { hint: "Is there a proxy in between, or a base URL that is not this provider's?", facts },
    );
  }
  const revisedPrompt = findRevisedPrompt(result);
  return { image: { mediaType, content }, ...(revisedPrompt === undefined ? {} : { revisedPrompt }) };
}

function findRevisedPrompt({ providerMetadata = {} }: ImageModelV4Result): string | undefined {
  for (const { images } of Object.values(providerMetadata)) {
    const [first] = images;
    if (typeof first !== "object" || first === null || !("revisedPrompt" in first)) continue;
    if (typeof first["revisedPrompt"] === "string") return first["revisedPrompt"];
  }
  return undefined;
}
