import type { ErrorCode } from "../base/error-codes.ts";
import {
  hardToTell,
  mayHaveHappened,
  nothingHappened,
  refusal,
  type FaultExpectation,
  type FaultSetting,
  type ProviderFault,
} from "./provider-fault.ts";
import type { ProviderAnswer } from "./provider-server.ts";

interface StatusCase {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The service's own code of the error. */
  readonly code?: string;
}

// Like many services, it repeats the key that it was given: that must go nowhere.
function toAnswer({ status, headers, code }: StatusCase, { key }: FaultSetting): ProviderAnswer {
  const error = { message: `this was not to be, ${key}`, ...(code === undefined ? {} : { code }) };
  return { kind: "answer", status, body: { error }, ...(headers === undefined ? {} : { headers }) };
}

function toFault(name: string, given: StatusCase, expect: FaultExpectation): ProviderFault {
  return { name, service: { kind: "answers", answer: (setting) => toAnswer(given, setting) }, expect };
}

const asked = "Fri, 20 Nov 2026 10:00:00 GMT";

function toWait(name: string, headers: Readonly<Record<string, string>>, retryAfterMs: number | "none"): ProviderFault {
  return toFault(
    `429: asked to wait, ${name}`,
    { status: 429, headers },
    { kind: "error", codes: ["TOOL_RATE_LIMITED"], effects: nothingHappened, retryAfterMs },
  );
}

function toRefused(name: string, given: StatusCase, codes: readonly ErrorCode[] = refusal): ProviderFault {
  return toFault(name, given, { kind: "error", codes, effects: nothingHappened });
}

/** The service has a fault of its own. It may have done what it was asked all the same: its answer can't tell. */
function toOwnFaults(status: number, what: string): readonly ProviderFault[] {
  const expect = { kind: "error", codes: ["TOOL_UNAVAILABLE", "TOOL_INTERRUPTED"], effects: mayHaveHappened } as const;
  return ["before it did anything", "after it did what it was asked"].map((when) =>
    toFault(`${status}: ${what}, ${when}`, { status }, expect),
  );
}

/** Every answer that is no success by its status. */
export const statusFaults: readonly ProviderFault[] = [
  toWait("it does not say how long", {}, "none"),
  toWait("in seconds", { "retry-after": "7" }, 7_000),
  toWait("until a moment of its own clock", { date: asked, "retry-after": "Fri, 20 Nov 2026 10:00:30 GMT" }, 30_000),
  toWait("in milliseconds", { "retry-after-ms": "1500" }, 1_500),
  toWait("until a moment that is over", { date: asked, "retry-after": "Fri, 20 Nov 2026 09:00:00 GMT" }, 0),
  toWait("in words that mean nothing", { "retry-after": "soon" }, "none"),
  toRefused("429: the quota is used up", { status: 429, code: "insufficient_quota" }),
  toRefused("402: it wants to be paid", { status: 402 }),
  toRefused("401: it does not know the key, and repeats it", { status: 401, code: "invalid_api_key" }),
  toRefused("403: the key may not do this", { status: 403 }),
  toRefused("400: it does not understand the request", { status: 400 }),
  toRefused("404: it is not there", { status: 404 }),
  toRefused("405: not with this method", { status: 405 }),
  toRefused("410: it is not there any more", { status: 410 }),
  toRefused("413: the request is too large", { status: 413 }),
  toRefused("422: it understands and can't do it", { status: 422 }),
  toRefused("409: the key of the action was used before", { status: 409, code: "idempotency_key_in_use" }),
  toRefused("400: it declines this content", { status: 400, code: "content_policy_violation" }, [
    "TOOL_BLOCKED",
    "TOOL_FAILED",
  ]),
  toRefused("451: it may not say this here", { status: 451 }, ["TOOL_BLOCKED", "TOOL_FAILED"]),
  toFault(
    "408: it got tired of waiting for the request",
    { status: 408 },
    { kind: "error", codes: ["TOOL_UNAVAILABLE", "TOOL_INTERRUPTED"], effects: hardToTell },
  ),
  toRefused("425: too early", { status: 425 }, ["TOOL_UNAVAILABLE"]),
  ...toOwnFaults(500, "a fault of its own"),
  ...toOwnFaults(502, "something behind it failed"),
  ...toOwnFaults(503, "it is overloaded"),
  ...toOwnFaults(504, "something behind it was too slow"),
  ...toOwnFaults(529, "a status that no standard knows"),
  toFault(
    "503: it is overloaded and says how long",
    { status: 503, headers: { "retry-after": "3" } },
    { kind: "error", codes: ["TOOL_UNAVAILABLE", "TOOL_INTERRUPTED"], effects: mayHaveHappened, retryAfterMs: 3_000 },
  ),
];
