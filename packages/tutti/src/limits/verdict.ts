import type { ErrorCode } from "../base/error-codes.ts";
import { isTuttiError } from "../base/errors.ts";
import type { Verdict } from "./breaker.ts";

/** Codes by which something that was called shows that it does not work. */
const faults: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "TOOL_UNAVAILABLE",
  "TOOL_INTERRUPTED",
  "TOOL_ANSWER_INVALID",
  "MODEL_UNAVAILABLE",
  "STEP_TIMEOUT",
  "STEP_FAILED",
]);

/** Codes by which it shows that it does work, although not with this request. */
const answers: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "TOOL_FAILED",
  "TOOL_BLOCKED",
  "TOOL_EMPTY",
  "MODEL_ANSWER_INVALID",
]);

/** What an error says about the one that was called. What was thrown and is no TuttiError is a fault of its own. */
export function toVerdict(thrown: unknown): Verdict {
  if (!isTuttiError(thrown) || faults.has(thrown.code)) return "failed";
  return answers.has(thrown.code) ? "worked" : "unclear";
}

/** A provider's wish is kept, but not for longer than this. */
const pauseMaxMs = 3_600_000;

/** How long everybody should leave it alone, if it said so. */
export function toPauseMs(thrown: unknown): number | undefined {
  if (!isTuttiError(thrown) || thrown.retryAfterMs === undefined || !(thrown.retryAfterMs > 0)) return undefined;
  const { code } = thrown;
  const asks =
    code === "TOOL_RATE_LIMITED" ||
    code === "MODEL_RATE_LIMITED" ||
    code === "TOOL_UNAVAILABLE" ||
    code === "MODEL_UNAVAILABLE";
  return asks ? Math.ceil(Math.min(thrown.retryAfterMs, pauseMaxMs)) : undefined;
}
