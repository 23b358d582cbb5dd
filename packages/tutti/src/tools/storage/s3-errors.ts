import { describeThrown, isTuttiError, TuttiError, type ErrorDetails } from "../../base/errors.ts";

/** The request that an error is about. */
export interface S3Call {
  readonly verb: string;
  readonly isWrite: boolean;
  /** Host and path. */
  readonly place: string;
}

/** What a service answered instead of what was asked for. Of its text only the code goes along: the rest may quote the request. */
export function toStatusError({ verb, isWrite, place }: S3Call, response: Response, body: string): TuttiError {
  const { status } = response;
  const code = /<Code>([A-Za-z0-9.]{1,80})<\/Code>/.exec(body)?.[1] ?? "";
  const what = `${verb} ${place} was answered with ${status}${code === "" ? "" : ` ${code}`}`;
  const facts = { status, ...(code === "" ? {} : { providerCode: code }) };
  if (status === 429 || code === "SlowDown" || code === "TooManyRequests")
    return new TuttiError("TOOL_RATE_LIMITED", what, { facts, hint: "Store less at once.", ...toRetryAfter(response) });
  if (status === 503 || code === "ConditionalRequestConflict" || code === "OperationAborted")
    return new TuttiError("TOOL_UNAVAILABLE", what, { facts, ...toRetryAfter(response) });
  if (status >= 500 && status !== 501) return isWrite ? interrupted(what, { facts }) : unavailable(what, { facts });
  return new TuttiError("TOOL_REFUSED", what, { facts, hint: hintFor(status, code) });
}

/** What kept a request from being answered. */
export function toConnectionError(call: S3Call, error: unknown, timeoutMs: number | undefined): TuttiError {
  if (isTuttiError(error)) return error;
  const details = { cause: error, hint: "Check the endpoint and the network." };
  const what = `${call.verb} ${call.place}`;
  if (timeoutMs !== undefined) {
    const message = `${what} was not answered within ${timeoutMs} ms`;
    return call.isWrite ? interrupted(message, details) : unavailable(message, details);
  }
  const code = codeOf(error);
  const message = `${what} failed: ${code === "" ? describeThrown(error) : code}`;
  if (unsentCodes.has(code) || code.startsWith("ERR_TLS") || code.includes("CERT"))
    return unavailable(message, details);
  return call.isWrite ? interrupted(message, details) : unavailable(message, details);
}

/** With these the request never left. */
const unsentCodes: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

function codeOf(error: unknown): string {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++)
    if ("code" in cause && typeof cause.code === "string") return cause.code;
  return "";
}

function unavailable(message: string, details: ErrorDetails): TuttiError {
  return new TuttiError("TOOL_UNAVAILABLE", message, details);
}

function interrupted(message: string, details: ErrorDetails): TuttiError {
  return new TuttiError("TOOL_INTERRUPTED", message, details);
}

function hintFor(status: number, code: string): string {
  if (code === "NoSuchBucket") return "Make the bucket first, or correct its name.";
  if (code === "RequestTimeTooSkewed") return "The clock of this machine is wrong: set it.";
  if (status === 501) return "This service does not know a header: try conditionalWrites: false.";
  if (status >= 300 && status < 400) return "The bucket lives elsewhere: set its region and endpoint.";
  if (status === 401 || status === 403) return "Check the credentials, and what they may do with this bucket.";
  return "Check the store's options: endpoint, region, bucket and prefix.";
}

const retryAfterMaxSeconds = 3_600;

function toRetryAfter(response: Response): { readonly retryAfterMs?: number } {
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  if (!(seconds >= 0)) return {};
  return { retryAfterMs: Math.min(seconds, retryAfterMaxSeconds) * 1_000 };
}
