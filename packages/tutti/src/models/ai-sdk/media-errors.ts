import type { APICallError, LanguageModelV4 } from "@ai-sdk/provider";

import type { ErrorCode } from "../../base/error-codes.ts";
import { isTuttiError, TuttiError } from "../../base/errors.ts";
import { isNeverConnected } from "../../base/never-connected.ts";
import { toModelError } from "./ai-sdk-errors.ts";

const toolCodes: Readonly<Partial<Record<ErrorCode, ErrorCode>>> = {
  MODEL_REFUSED: "TOOL_REFUSED",
  MODEL_RATE_LIMITED: "TOOL_RATE_LIMITED",
  MODEL_UNAVAILABLE: "TOOL_INTERRUPTED",
  MODEL_ANSWER_INVALID: "TOOL_ANSWER_INVALID",
};

// A request that never arrived, or that the provider says it did not look at, changed nothing. Any other may have: an answer that it is
// overloaded looks alike before and after the work.
const notBegun: ReadonlySet<number> = new Set([408, 425]);

/**
 * What a provider's package for pictures or films threw, as an error of a tool: said like one of a language model, and exact about
 * whether the provider may have made and billed something.
 */
export async function toMediaError(
  thrown: unknown,
  model: Pick<LanguageModelV4, "provider" | "modelId">,
  signal: AbortSignal,
): Promise<TuttiError> {
  const error = await toModelError(thrown, model, signal);
  const code = toolCodes[error.code];
  if (code === undefined) return error; // why the signal aborted
  const call = await asCall(thrown);
  const details = {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    facts: error.facts,
    cause: error.cause,
  };
  if (code === "TOOL_REFUSED" && call === undefined && (await isAboutAnswer(thrown)))
    return new TuttiError("TOOL_ANSWER_INVALID", error.message, {
      ...details,
      hint: "The provider may have made it all the same: look there.",
    });
  if (call?.statusCode === 409) return new TuttiError("TOOL_FAILED", error.message, details);
  if (code === "TOOL_REFUSED" && call !== undefined && isBlocked(call)) {
    return new TuttiError("TOOL_BLOCKED", error.message, {
      ...details,
      hint: "Say it in other words; another provider may judge it differently.",
    });
  }
  if (call !== undefined && didNothing(call)) return new TuttiError("TOOL_UNAVAILABLE", error.message, details);
  return new TuttiError(code, error.message, details);
}

/** For the beginning of a call. @throws TuttiError when nobody waits for it any more; nothing was asked. */
export function refuseLeft({ modelId }: Pick<LanguageModelV4, "modelId">, signal: AbortSignal): void {
  if (!signal.aborted) return;
  if (isTuttiError(signal.reason)) throw signal.reason;
  throw new TuttiError("TOOL_UNAVAILABLE", `${modelId} was not asked: the call was cancelled`, {
    hint: "Ask again, if it is still wanted.",
    cause: signal.reason,
  });
}

/** What a package throws before it asks: there is no key, setting or model, or the request can't be said to this provider. */
const beforeAsking: ReadonlySet<string> = new Set([
  "AI_InvalidArgumentError",
  "AI_InvalidPromptError",
  "AI_LoadAPIKeyError",
  "AI_LoadSettingError",
  "AI_NoSuchModelError",
  "AI_NoSuchProviderReferenceError",
  "AI_UnsupportedFunctionalityError",
]);

/** Any other error of a package is about an answer that it could do nothing with. */
async function isAboutAnswer(thrown: unknown): Promise<boolean> {
  const sdk = await import("@ai-sdk/provider");
  return sdk.AISDKError.isInstance(thrown) && !beforeAsking.has(thrown.name);
}

async function asCall(thrown: unknown): Promise<APICallError | undefined> {
  const sdk = await import("@ai-sdk/provider"); // loaded by the provider already
  return sdk.APICallError.isInstance(thrown) ? thrown : undefined;
}

function didNothing({ statusCode, cause }: APICallError): boolean {
  if (statusCode !== undefined) return notBegun.has(statusCode);
  const code = codeOf(cause) ?? (cause instanceof Error ? codeOf(cause.cause) : undefined);
  return code !== undefined && isNeverConnected(code);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

// OpenAI's and Azure's words for it; other providers say it in an answer without a picture.
function isBlocked({ statusCode, message, responseBody = "" }: APICallError): boolean {
  if (statusCode === 451) return true;
  return /content_policy_violation|moderation_blocked|content_filter|safety system/i.test(`${message} ${responseBody}`);
}
