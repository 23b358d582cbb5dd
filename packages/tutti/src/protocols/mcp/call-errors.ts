import { ProtocolError, ProtocolErrorCode, SdkError, SdkErrorCode, SdkHttpError } from "@modelcontextprotocol/client";

import type { EffectKnowledge, ErrorCode } from "../../base/error-codes.ts";
import { describeThrown, isTuttiError, TuttiError, type ErrorDetails } from "../../base/errors.ts";

const causesMax = 6;
const messageMax = 2_000;

/** The arguments do not fit, or the tool is not known; the model can do better. */
const invalidParamsCode: number = ProtocolErrorCode.InvalidParams;
/** In an error that is made here: the stream of a request ended before the answer was there. */
export const streamEndedCode = -32_199;
/** Codes of protocol errors that a server answers with before it does anything. */
const refusedCodes: ReadonlySet<number> = new Set<number>([
  ProtocolErrorCode.ParseError,
  ProtocolErrorCode.InvalidRequest,
  ProtocolErrorCode.MethodNotFound,
  ProtocolErrorCode.MissingRequiredClientCapability,
  ProtocolErrorCode.UnsupportedProtocolVersion,
  ProtocolErrorCode.UrlElicitationRequired,
]);
/** The headers of a request did not match the tool as the server has it now. */
const headerMismatchCode = -32_020;

export interface FailedCall {
  /** `server.tool`, for the message. */
  readonly name: string;
  /** What an error of a tool that was asked means for its effect. */
  readonly asked: EffectKnowledge;
  /** What the connection knows about why it, or an answer, broke off. */
  takeFault(): TuttiError | undefined;
  readonly ended: string | undefined;
  readonly stopped: boolean;
  /** It was asked before and has begun to work: that this request was refused does not mean that nothing happened. */
  readonly begun: boolean;
  readonly notes: readonly string[];
}

/** Turns what a call threw into one of the closed codes, with what is known about the effect. */
export function toCallError(thrown: unknown, call: FailedCall): TuttiError {
  const told = findTuttiError(thrown) ?? (isBroken(thrown) ? call.takeFault() : undefined);
  const toError = (code: ErrorCode, what: string, effect: EffectKnowledge): TuttiError =>
    new TuttiError(code, toMessage(call, what), {
      ...toDetails(told, call),
      effect: effect === "none" && call.begun ? call.asked : effect,
      cause: thrown,
    });
  if (told !== undefined) return toError(told.code, told.message, told.effect === "unknown" ? call.asked : told.effect);
  if (call.stopped) return toError("TOOL_INTERRUPTED", "it was stopped while it was at work", call.asked);
  if (isBroken(thrown)) return toError("TOOL_INTERRUPTED", call.ended ?? describeThrown(thrown), call.asked);
  if (thrown instanceof ProtocolError) {
    const what = `it answered with error ${thrown.code}: ${thrown.message}`;
    if (thrown.code === invalidParamsCode) return toError("TOOL_FAILED", what, "none");
    if (thrown.code === headerMismatchCode) return toError("TOOL_UNAVAILABLE", what, "none");
    if (refusedCodes.has(thrown.code)) return toError("TOOL_REFUSED", what, "none");
    return toError("TOOL_FAILED", what, call.asked);
  }
  if (thrown instanceof SdkHttpError) {
    const code = toCodeOfStatus(thrown.status);
    return toError(code, `the server answered ${thrown.status}`, code === "TOOL_INTERRUPTED" ? call.asked : "none");
  }
  if (isUnreadable(thrown)) return toError("TOOL_ANSWER_INVALID", describeThrown(thrown), call.asked);
  if (thrown instanceof SdkError) return toError(...toCodeOfSdk(thrown, call));
  return toError("TOOL_INTERRUPTED", describeThrown(thrown), call.asked);
}

/** Turns what went wrong before a conversation began into a closed code: no tool was called. */
export function toConnectError(server: string, thrown: unknown, ended: string | undefined): TuttiError {
  const told = findTuttiError(thrown);
  const status = thrown instanceof SdkHttpError ? thrown.status : undefined;
  const said = told?.message ?? (status === undefined ? describeThrown(thrown) : `it answered ${status}`);
  const message = `the MCP server ${server} can't be used: ${ended === undefined ? said : `${said}; ${ended}`}`;
  const code = told?.code ?? (isUnreadable(thrown) ? "TOOL_ANSWER_INVALID" : toCodeOfStatus(status));
  return new TuttiError(code === "TOOL_INTERRUPTED" ? "TOOL_UNAVAILABLE" : code, message.slice(0, messageMax), {
    hint: told?.hint ?? "Check that the command or the address is right, that the server is installed, and its access.",
    ...(told?.retryAfterMs === undefined ? {} : { retryAfterMs: told.retryAfterMs }),
    facts: { server, ...(status === undefined ? {} : { status }) },
    effect: "none",
    cause: thrown,
  });
}

function toCodeOfStatus(status: number | undefined): ErrorCode {
  // An older server answers 404 for a session that it has forgotten; the next call begins a new one.
  if (status === undefined || status === 404) return "TOOL_UNAVAILABLE";
  return status >= 400 && status < 500 ? "TOOL_REFUSED" : "TOOL_INTERRUPTED";
}

function toCodeOfSdk({ code, message }: SdkError, call: FailedCall): [ErrorCode, string, EffectKnowledge] {
  switch (code) {
    case SdkErrorCode.NotConnected:
    case SdkErrorCode.CapabilityNotSupported:
    case SdkErrorCode.MethodNotSupportedByProtocolVersion:
      return ["TOOL_UNAVAILABLE", message, "none"];
    default:
      return ["TOOL_INTERRUPTED", message, call.asked];
  }
}

/** What the SDK says of an answer that is not one of the protocol. */
const unreadableCodes: ReadonlySet<string> = new Set([
  SdkErrorCode.InvalidResult,
  SdkErrorCode.UnsupportedResultType,
  SdkErrorCode.ClientHttpUnexpectedContent,
  SdkErrorCode.ListPaginationExceeded,
]);

function isUnreadable(thrown: unknown): boolean {
  return thrown instanceof SdkError && unreadableCodes.has(thrown.code);
}

function toDetails(told: TuttiError | undefined, { notes }: FailedCall): ErrorDetails {
  const hint =
    told?.hint ?? (notes.length === 0 ? undefined : "Give `openMcpServer` an `ask`, or answer what it asks.");
  return {
    ...(hint === undefined ? {} : { hint }),
    ...(told?.retryAfterMs === undefined ? {} : { retryAfterMs: told.retryAfterMs }),
    ...(told === undefined ? {} : { facts: told.facts }),
  };
}

export function toMessage({ name, notes }: Pick<FailedCall, "name" | "notes">, what: string): string {
  return [`${name}: ${what}`, ...notes].join("; ").slice(0, messageMax);
}

/** The conversation, or the answer to this call, ended too early. */
function isBroken(thrown: unknown): boolean {
  if (thrown instanceof ProtocolError) return thrown.code === streamEndedCode;
  return thrown instanceof SdkError && thrown.code === SdkErrorCode.ConnectionClosed;
}

/** The SDK wraps what a transport threw. */
function findTuttiError(thrown: unknown): TuttiError | undefined {
  let error = thrown;
  for (let depth = 0; depth < causesMax; depth++) {
    if (isTuttiError(error)) return error;
    if (!(error instanceof Error)) return undefined;
    error = error.cause;
  }
  return undefined;
}
