import type { EffectKnowledge, ErrorCode } from "../../base/error-codes.ts";
import { TuttiError, type Facts } from "../../base/errors.ts";
import { redact } from "../../base/redact.ts";
import { toRetryAfterMs } from "../../base/retry-after.ts";
import type { ExchangeFault, FaultStage } from "./exchange-fault.ts";
import type { HttpAnswer } from "./exchange.ts";

/** What messages need to know of a request. */
export interface Asked {
  readonly provider: string;
  readonly url: URL;
  readonly method: string;
  readonly effect: "read" | "write";
  readonly secrets: readonly string[];
}

/** What an answer means. */
export interface Explained {
  readonly code: ErrorCode;
  /** Whether something happened, where that is not what the code says. */
  readonly effect?: EffectKnowledge;
  readonly hint?: string;
  /** What the provider said, where it can't be found in JSON. Nothing that may repeat the request. */
  readonly words?: string;
}

const codeByStage: Readonly<Record<FaultStage, ErrorCode>> = {
  malformed: "TOOL_REFUSED",
  unsent: "TOOL_UNAVAILABLE",
  unanswered: "TOOL_INTERRUPTED",
  cut: "TOOL_INTERRUPTED",
  unreadable: "TOOL_ANSWER_INVALID",
  "too-large": "TOOL_ANSWER_INVALID",
};

/** An exchange that broke. Only what certainly was not sent, or is a read, certainly changed nothing. */
export function toFaultError(fault: ExchangeFault, asked: Asked): TuttiError {
  const code = codeByStage[fault.stage];
  return new TuttiError(code, `${toPlace(asked)}: ${fault.message}`, {
    hint: hintByCode[code] ?? "Look at what the provider answers.",
    facts: toFacts(asked),
    effect: fault.stage === "unsent" || fault.stage === "malformed" ? "none" : toDoubt(asked),
    ...(fault.cause === undefined ? {} : { cause: fault.cause }),
  });
}

/** An answer that is no success. */
export function toStatusError(answer: HttpAnswer, asked: Asked, explained: Explained | undefined): TuttiError {
  const said = toSaid(answer);
  const meaning = explained ?? toMeaning(answer.status, said, asked);
  const { code } = meaning;
  const retryAfterMs = toRetryAfterMs(answer.headers);
  const requestId = answer.headers["x-request-id"] ?? answer.headers["request-id"];
  const mayRepeatKey = code === "TOOL_REFUSED" && isKeyStatus(answer.status);
  const words = meaning.words ?? (mayRepeatKey ? "" : withoutSecrets(said.words, asked.secrets));
  return new TuttiError(code, `${toPlace(asked)} answered ${answer.status}${words === "" ? "" : `: ${words}`}`, {
    hint: meaning.hint ?? hintByCode[code] ?? "Look at what the provider answers.",
    facts: {
      ...toFacts(asked),
      status: answer.status,
      ...(requestId === undefined ? {} : { requestId: withoutSecrets(requestId, asked.secrets) }),
    },
    ...(meaning.effect === undefined ? {} : { effect: meaning.effect }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

const hintByCode: Partial<Record<ErrorCode, string>> = {
  TOOL_REFUSED: "Check the key, the plan and the settings of this provider.",
  TOOL_UNAVAILABLE: "It is tried again; check the network and the provider's address if this goes on.",
  TOOL_RATE_LIMITED: "It is tried again when the provider allows it; lower the concurrency if this goes on.",
  TOOL_INTERRUPTED: "It may have been done or not; a tool with a `check` finds out.",
  TOOL_ANSWER_INVALID: "Is there a proxy in between, or an address that is not this provider's?",
  TOOL_BLOCKED: "Ask for something else, or for the same in other words.",
  TOOL_FAILED: "Check what was asked for.",
};

function toMeaning(status: number, said: Said, asked: Asked): Explained {
  if (status === 451 || /content_?(?:filter|policy)|moderation|safety/i.test(said.code))
    return { code: "TOOL_BLOCKED" };
  // The same status as "too fast", but waiting does not help.
  if (status === 402 || /quota|billing|credit/i.test(said.code))
    return { code: "TOOL_REFUSED", hint: "What this key may spend is used up; check the account's plan and billing." };
  if (status === 429) return { code: "TOOL_RATE_LIMITED" };
  if (status === 404 || status === 409 || status === 410) return { code: "TOOL_FAILED" };
  // "Too early" says that it was not looked at; of all others only a read is sure to have changed nothing.
  if (status === 425) return { code: "TOOL_UNAVAILABLE" };
  if (status === 408 || status >= 500)
    return asked.effect === "read" ? { code: "TOOL_UNAVAILABLE" } : { code: "TOOL_INTERRUPTED", effect: "unknown" };
  if (status >= 400) return { code: "TOOL_REFUSED" };
  return {
    code: "TOOL_ANSWER_INVALID",
    effect: toDoubt(asked),
    hint: "Check the provider's address. A redirect is not followed: it could lead the key to somebody else.",
  };
}

function isKeyStatus(status: number): boolean {
  return status === 401 || status === 403;
}

function toDoubt(asked: Asked): EffectKnowledge {
  return asked.effect === "read" ? "none" : "unknown";
}

/** Without the query: it holds what was asked, and sometimes a key. */
function toPlace({ provider, method, url }: Asked): string {
  return `${provider} (${method} ${url.host}${url.pathname === "/" ? "" : url.pathname})`;
}

function toFacts({ provider, url }: Asked): Facts {
  return { provider, host: url.host };
}

interface Said {
  /** The provider's own code or type of the error, or "". */
  readonly code: string;
  readonly words: string;
}

const readMax = 100_000;
const wordsMax = 2_000;

/** What a provider says of its error, in the fields that most of them use. Pages of HTML say nothing. */
function toSaid(answer: HttpAnswer): Said {
  if (answer.body.byteLength === 0 || answer.body.byteLength > readMax) return { code: "", words: "" };
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(answer.body));
  } catch {
    return { code: "", words: "" }; // an error page, not an error of ours
  }
  const outer = toFields(parsed);
  const inner = toFields(outer["error"] ?? outer["detail"]);
  const find = (...names: readonly string[]): string => {
    for (const name of names)
      for (const place of [inner, outer]) if (typeof place[name] === "string") return place[name];
    return "";
  };
  const code = [inner, outer].flatMap((place) => [place["code"], place["type"], place["tag"], place["status"]]);
  return {
    code: code.filter((part) => typeof part === "string").join(" "),
    words: find("message", "error", "detail", "title", "msg").slice(0, wordsMax),
  };
}

function toFields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function withoutSecrets(words: string, secrets: readonly string[]): string {
  let left = words;
  for (const secret of secrets) if (secret.length > 3) left = left.replaceAll(secret, "[redacted]");
  return redact(left);
}
