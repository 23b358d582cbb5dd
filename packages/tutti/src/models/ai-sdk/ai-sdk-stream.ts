import type {
  LanguageModelV4Content,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
  SharedV4ProviderMetadata,
} from "@ai-sdk/provider";

import { TuttiError } from "../../base/errors.ts";
import type { ModelDelta } from "../../contracts/model.ts";
import { StreamBroken } from "./ai-sdk-errors.ts";
import type { WireNames } from "./wire-names.ts";

/** What a reply is made of, whether it came in one piece or in many. */
export type AiSdkResult = Pick<
  LanguageModelV4GenerateResult,
  "content" | "structuredOutputText" | "finishReason" | "usage" | "providerMetadata"
> & { readonly response?: { readonly modelId?: string } };

/** More text than any model writes in one answer; a stream that goes on beyond it never ends. */
const charactersMax = 16_000_000;

interface Watching {
  readonly names: WireNames;
  readonly watch: (delta: ModelDelta) => void;
  readonly signal: AbortSignal;
}

/**
 * Reads a stream to its end and tells `watch` what comes, as it comes. The result is what the provider would have answered at once.
 * @throws StreamBroken when it ends before it is finished, and what the provider's package says about an error in it
 */
export async function readStream(
  stream: ReadableStream<LanguageModelV4StreamPart>,
  watching: Watching,
): Promise<AiSdkResult> {
  const { signal } = watching;
  const reader = stream.getReader();
  const stop = (): void => void reader.cancel(signal.reason).catch(() => {}); // nobody reads any more
  signal.addEventListener("abort", stop, { once: true });
  const collected = openCollected(watching);
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await readPart(reader, signal);
      if (done) break;
      collected.take(value);
    }
    return collected.result();
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

type Reader = ReadableStreamDefaultReader<LanguageModelV4StreamPart>;

async function readPart(reader: Reader, signal: AbortSignal): Promise<Awaited<ReturnType<Reader["read"]>>> {
  try {
    return await reader.read();
  } catch (error) {
    signal.throwIfAborted();
    throw new StreamBroken(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

type Part = Extract<LanguageModelV4Content, { readonly type: "text" | "reasoning" }>;

interface Collected {
  take(part: LanguageModelV4StreamPart): void;
  result(): AiSdkResult;
}

function openCollected({ names, watch }: Watching): Collected {
  const content: LanguageModelV4Content[] = [];
  const open = new Map<string, Part>();
  const toolByInput = new Map<string, string>();
  let modelId: string | undefined;
  let finish: Extract<LanguageModelV4StreamPart, { readonly type: "finish" }> | undefined;
  let characters = 0;

  const count = (piece: string): void => {
    characters += piece.length;
    if (characters <= charactersMax) return;
    throw new TuttiError("MODEL_ANSWER_INVALID", `the answer is longer than ${charactersMax} characters`, {
      hint: "Set maxOutputTokens, so that an answer that never ends is cut off.",
    });
  };
  const begin = (type: Part["type"], id: string, metadata: SharedV4ProviderMetadata | undefined): void => {
    const part: Part = { type, text: "" };
    if (metadata !== undefined) part.providerMetadata = metadata;
    open.set(`${type} ${id}`, part);
    content.push(part);
  };
  const add = (
    type: Part["type"],
    id: string,
    piece: { delta: string; providerMetadata?: SharedV4ProviderMetadata },
  ) => {
    const part = open.get(`${type} ${id}`);
    if (part === undefined) throw new StreamBroken(`a piece of ${type} belongs to nothing`);
    part.text += piece.delta;
    // The last word counts: signatures come at the end.
    if (piece.providerMetadata !== undefined) part.providerMetadata = piece.providerMetadata;
    count(piece.delta);
  };

  const take = (part: LanguageModelV4StreamPart): void => {
    switch (part.type) {
      case "text-start":
      case "reasoning-start":
        return begin(part.type === "text-start" ? "text" : "reasoning", part.id, part.providerMetadata);
      case "text-delta":
        add("text", part.id, part);
        return watch({ kind: "text", text: part.delta });
      case "reasoning-delta":
        return add("reasoning", part.id, part);
      case "text-end":
      case "reasoning-end":
        return add(part.type === "text-end" ? "text" : "reasoning", part.id, { ...part, delta: "" });
      case "tool-input-start":
        toolByInput.set(part.id, names.toOurs(part.toolName));
        return watch({ kind: "tool-call", tool: names.toOurs(part.toolName), text: "" });
      case "tool-input-delta":
        count(part.delta);
        return watch({ kind: "tool-call", tool: toolByInput.get(part.id) ?? "", text: part.delta });
      case "tool-call":
        return void content.push(part);
      case "response-metadata":
        modelId = part.modelId ?? modelId;
        return;
      case "finish":
        finish = part;
        return;
      case "error":
        throw toThrown(part.error);
      default: // warnings, sources, pings and what only some providers know: no part of a reply
    }
  };

  return { take, result: () => toResult(content, finish, modelId) };
}

function toResult(
  content: LanguageModelV4Content[],
  finish: Extract<LanguageModelV4StreamPart, { readonly type: "finish" }> | undefined,
  modelId: string | undefined,
): AiSdkResult {
  const { unified, raw } = finish?.finishReason ?? { unified: "interrupted", raw: undefined };
  // The packages end a stream that was cut with a reason of their own, which no provider gave.
  if (finish === undefined || unified === "interrupted" || (unified === "other" && raw === undefined))
    throw new StreamBroken("the stream ended early");
  const chosen = content.filter((part) => part.type === "text" && isFinalAnswer(part.providerMetadata));
  return {
    content,
    finishReason: finish.finishReason,
    usage: finish.usage,
    ...(chosen.length === 0
      ? {}
      : { structuredOutputText: chosen.map((part) => ("text" in part ? part.text : "")).join("") }),
    ...(finish.providerMetadata === undefined ? {} : { providerMetadata: finish.providerMetadata }),
    ...(modelId === undefined ? {} : { response: { modelId } }),
  };
}

// Drafts before the answer are marked by the provider; in one piece, its package leaves them out by itself.
function isFinalAnswer(metadata: SharedV4ProviderMetadata | undefined): boolean {
  return Object.values(metadata ?? {}).some((known) => known["phase"] === "final_answer");
}

// What a package can't read, or misses at the end, is a stream that broke; what a provider says itself has a status or a word on trying again.
function toThrown(error: unknown): unknown {
  if (typeof error === "object" && error !== null && "isRetryable" in error) return error;
  if (error instanceof Error) return new StreamBroken(error.message, { cause: error });
  return new StreamBroken(typeof error === "string" ? error : (JSON.stringify(error) ?? "an error in the stream"));
}
