import type { ErrorCode } from "../base/error-codes.ts";
import { toStoredError, toTuttiError, type TuttiError } from "../base/errors.ts";
import { ShapeError } from "../base/shape.ts";
import type { ErrorAnswer } from "../contracts/api/commands.ts";

/** An error as the interface tells it. */
export interface Problem {
  readonly status: number;
  readonly answer: ErrorAnswer;
  readonly retryAfterMs: number | undefined;
}

const statusByCode: Readonly<Partial<Record<ErrorCode, number>>> = {
  USAGE: 400,
  INPUT_INVALID: 400,
  VALUE_NOT_STORABLE: 400,
  SECRET_EXPOSED: 400,
  PLAN_INVALID: 400,
  CALLER_UNKNOWN: 401,
  CALLER_REFUSED: 403,
  APPROVAL_FORBIDDEN: 403,
  APPROVAL_UNKNOWN: 404,
  RUN_UNKNOWN: 404,
  EFFECT_UNKNOWN: 404,
  EVENT_UNKNOWN: 404,
  FLOW_UNKNOWN: 404,
  CALLER_TOO_FAST: 429,
  BUG: 500,
  LEDGER_CORRUPT: 500,
  LEDGER_TOO_NEW: 500,
  ISSUER_UNREACHABLE: 503,
  SERVER_DRAINING: 503,
  LEDGER_STOPPED: 503,
  LEDGER_CLOSED: 503,
  LEDGER_BUSY: 503,
};

/** Whatever a request met. Without the values of known secrets, and without causes, which may speak of this machine. */
export function toProblem(thrown: unknown, status?: number): Problem {
  const error = toTuttiError(thrown, thrown instanceof ShapeError ? "INPUT_INVALID" : "BUG");
  return { status: status ?? toStatus(error), answer: toErrorAnswer(error), retryAfterMs: error.retryAfterMs };
}

function toStatus({ code }: TuttiError): number {
  return statusByCode[code] ?? 409;
}

function toErrorAnswer(error: TuttiError): ErrorAnswer {
  const { code, message, hint, facts } = toStoredError(error);
  return { error: { code, message, hint, facts } };
}
