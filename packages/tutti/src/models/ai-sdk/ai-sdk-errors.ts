import type { APICallError, LanguageModelV4 } from "@ai-sdk/provider";

import { describeThrown, isTuttiError, TuttiError, type ErrorDetails } from "../../base/errors.ts";
import { redact } from "../../base/redact.ts";
import { toRetryAfterMs } from "../../base/retry-after.ts";

// Where each provider's package looks for its key.
const keyVariables: Readonly<Record<string, string>> = {
  openai: "OPENAI_API_KEY",
  anthropic: "ANTHROPIC_API_KEY",
  google: "GOOGLE_GENERATIVE_AI_API_KEY",
  azure: "AZURE_API_KEY",
  mistral: "MISTRAL_API_KEY",
  groq: "GROQ_API_KEY",
  xai: "XAI_API_KEY",
  deepseek: "DEEPSEEK_API_KEY",
  cohere: "COHERE_API_KEY",
  openrouter: "OPENROUTER_API_KEY",
};

type Named = Pick<LanguageModelV4, "provider" | "modelId">;

/** A call that a provider turned down, by status or in the middle of its stream. */
type FailedCall = Pick<APICallError, "message"> &
  Partial<Pick<APICallError, "statusCode" | "isRetryable" | "responseHeaders" | "responseBody">>;

/** A stream that ended before the provider said that it was done. */
export class StreamBroken extends Error {
  override readonly name = "StreamBroken";
}

/** Whatever a provider's package threw, in our vocabulary. Nothing of the request and nothing that looks like a key goes with it. */
export async function toModelError(thrown: unknown, model: Named, signal: AbortSignal): Promise<TuttiError> {
  if (isTuttiError(thrown)) return thrown;
  if (signal.aborted && isTuttiError(signal.reason)) return signal.reason;
  const provider = model.provider.split(".", 1)[0] ?? model.provider;
  const details = { facts: { provider, model: model.modelId }, cause: toSafeCause(thrown) };
  const isNamed = (...names: readonly string[]): boolean => thrown instanceof Error && names.includes(thrown.name);
  if (signal.aborted || isNamed("AbortError", "TimeoutError", "ResponseAborted")) {
    return new TuttiError("MODEL_UNAVAILABLE", `${provider} did not answer in time`, {
      ...details,
      hint: "Try again, or allow the step more time.",
    });
  }
  if (thrown instanceof StreamBroken)
    return toUnavailable(`${provider} broke off its answer`, thrown.message, { ...details, hint: streamHint });
  const sdk = await import("@ai-sdk/provider"); // loaded by the provider already; the core does not pay for it
  if (sdk.LoadAPIKeyError.isInstance(thrown) || sdk.LoadSettingError.isInstance(thrown)) {
    return new TuttiError("MODEL_REFUSED", `${provider} has no key`, {
      ...details,
      hint: toKeyHint(provider, thrown.message),
    });
  }
  if (sdk.APICallError.isInstance(thrown)) return fromCall(thrown, provider, details);
  if (
    sdk.JSONParseError.isInstance(thrown) ||
    sdk.TypeValidationError.isInstance(thrown) ||
    sdk.InvalidResponseDataError.isInstance(thrown) ||
    sdk.EmptyResponseBodyError.isInstance(thrown) ||
    sdk.NoContentGeneratedError.isInstance(thrown)
  ) {
    return toUnreadable(provider, details);
  }
  if (isFailedCall(thrown)) return fromCall(thrown, provider, details);
  return new TuttiError("MODEL_REFUSED", `${provider} could not be asked: ${redact(describeThrown(thrown))}`, {
    ...details,
    hint: "Check the model's id and settings.",
  });
}

// What the packages tell of an error inside a stream has a status too, where they know one, and is no error of the SDK's.
function isFailedCall(thrown: unknown): thrown is FailedCall {
  return (
    typeof thrown === "object" &&
    thrown !== null &&
    "message" in thrown &&
    typeof thrown.message === "string" &&
    "isRetryable" in thrown
  );
}

function fromCall(error: FailedCall, provider: string, details: ErrorDetails): TuttiError {
  const status = error.statusCode;
  const requestId = error.responseHeaders?.["x-request-id"] ?? error.responseHeaders?.["request-id"];
  const facts = {
    ...details.facts,
    ...(status === undefined ? {} : { status }),
    ...(requestId === undefined ? {} : { requestId }),
  };
  const known = { ...details, facts };
  const said = redact(error.message) === "" ? "" : `: ${redact(error.message)}`;
  if (status === 401 || status === 403 || isKeyRejected(error)) {
    // What the provider says here often repeats a part of the key.
    return new TuttiError("MODEL_REFUSED", `${provider} did not accept the key (${status})`, {
      facts,
      hint: status === 403 ? `The key may not use this model. ${toKeyHint(provider, "")}` : toKeyHint(provider, ""),
    });
  }
  if (status === 429 && isOutOfMoney(error)) {
    return new TuttiError("MODEL_REFUSED", `${provider} says that the quota of this key is used up`, {
      ...known,
      hint: "Check the plan and billing of the account.",
    });
  }
  const retryAfterMs = toRetryAfterMs(error.responseHeaders ?? {});
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  if (status === 429) {
    return new TuttiError("MODEL_RATE_LIMITED", `${provider} asks to wait (429)`, {
      ...known,
      ...wait,
      hint: "It is tried again; lower the concurrency if this goes on.",
    });
  }
  if (
    status === undefined ||
    status >= 500 ||
    status === 408 ||
    status === 409 ||
    (error.isRetryable === true && status !== 400)
  ) {
    if (status === undefined)
      return new TuttiError("MODEL_UNAVAILABLE", `${provider} can't be reached${said}`, {
        ...known,
        ...wait,
        hint: "Check the network and the provider's base URL.",
      });
    const what = status < 300 ? "broke off its answer" : `has a fault of its own (${status})`;
    return toUnavailable(`${provider} ${what}`, error.message, { ...known, ...wait });
  }
  if (status < 300) return toUnreadable(provider, known);
  if (status === 404) {
    return new TuttiError("MODEL_REFUSED", `${provider} does not know the model or the address (404)${said}`, {
      ...known,
      hint: "Check the model's id and the base URL.",
    });
  }
  return new TuttiError("MODEL_REFUSED", `${provider} did not take the request (${status})${said}`, {
    ...known,
    hint: "Check the model's id, the settings and the size of the input.",
  });
}

const streamHint = "It is tried again. If the endpoint can't stream: fromAiSdk(model, { streams: false }).";

function toUnavailable(what: string, said: string, details: ErrorDetails): TuttiError {
  const words = redact(said);
  return new TuttiError("MODEL_UNAVAILABLE", words === "" ? what : `${what}: ${words}`, {
    hint: "It is tried again; the provider's status page may say more.",
    ...details,
  });
}

function toUnreadable(provider: string, details: ErrorDetails): TuttiError {
  return new TuttiError("MODEL_ANSWER_INVALID", `${provider} sent an answer that can't be read`, {
    ...details,
    hint: "Is there a proxy in between, or a base URL that is not this provider's?",
  });
}

function toKeyHint(provider: string, message: string): string {
  const named = /\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/.exec(message)?.[0] ?? keyVariables[provider];
  return named === undefined
    ? "Check the key that the provider was made with."
    : `Check the environment variable ${named}.`;
}

// Gemini answers 400, not 401.
function isKeyRejected(error: FailedCall): boolean {
  return (
    error.statusCode === 400 &&
    /API[ _]key not valid|API_KEY_INVALID/i.test(`${error.message} ${error.responseBody ?? ""}`)
  );
}

// The same status as "too fast", but waiting does not help.
function isOutOfMoney(error: FailedCall): boolean {
  return /insufficient_quota|billing_hard_limit|credit balance/i.test(`${error.message} ${error.responseBody ?? ""}`);
}

// The original error holds the whole request; its name and first words are enough to understand what happened.
function toSafeCause(thrown: unknown): Error {
  const cause = new Error(redact(describeThrown(thrown)));
  if (thrown instanceof Error) cause.name = thrown.name;
  delete cause.stack;
  return cause;
}
