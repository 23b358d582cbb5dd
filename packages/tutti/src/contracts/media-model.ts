/** A picture or a film as bytes. */
export interface MediaContent {
  /** `image/png`, `video/mp4`, … */
  readonly mediaType: string;
  readonly content: Uint8Array;
}

export interface ImageRequest {
  readonly prompt: string;
  /** Width and height in pixels, `1024x1024`; the model's own by default. */
  readonly size?: string | undefined;
  /** `16:9`; for models that take no size. */
  readonly aspectRatio?: string | undefined;
  /** For models that can draw the same picture twice. */
  readonly seed?: number | undefined;
}

export interface ImageReply {
  readonly image: MediaContent;
  /** What the model made of the prompt, where it says so. */
  readonly revisedPrompt?: string;
}

/** One model that draws pictures, behind one provider. One call, one attempt. */
export interface ImageModel {
  readonly provider: string;
  readonly id: string;
  /** @throws TuttiError of the family TOOL_*, whose `effect` says whether the provider may have drawn and billed something. */
  generate(request: ImageRequest, signal: AbortSignal): Promise<ImageReply>;
}

export interface VideoRequest {
  readonly prompt: string;
  readonly aspectRatio?: string | undefined;
  /** Width and height in pixels, `1280x720`. */
  readonly resolution?: string | undefined;
  readonly durationSeconds?: number | undefined;
  readonly seed?: number | undefined;
}

/** A film that a provider is making: what to ask for it by. Holds no key and no address that only its owner may know. */
export interface VideoJob {
  readonly reference: string;
  /** Whose order it is, where a tool has several models. */
  readonly provider?: string;
}

export type VideoStatus =
  | { readonly kind: "running" }
  | { readonly kind: "done" }
  /** It will not be made. */
  | { readonly kind: "failed"; readonly why: string };

/** One model that makes films, which takes minutes: it is started, asked, and fetched from. Each call is one attempt. */
export interface VideoModel {
  readonly provider: string;
  readonly id: string;
  /** Orders a film, which costs money. @throws TuttiError whose `effect` says whether it may have been ordered. */
  start(request: VideoRequest, host: VideoStartHost): Promise<VideoJob>;
  /** The job that was started under this key; `undefined` if there certainly is none. Left out by providers that can't be asked. */
  find?(idempotencyKey: string, signal: AbortSignal): Promise<VideoJob | undefined>;
  status(job: VideoJob, signal: AbortSignal): Promise<VideoStatus>;
  /** The finished film. */
  fetch(job: VideoJob, signal: AbortSignal): Promise<MediaContent>;
}

export interface VideoStartHost {
  /** Sent along, for providers that know such keys. */
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
}
