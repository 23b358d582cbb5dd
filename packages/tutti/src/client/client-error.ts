import { errorAnswer } from "../contracts/api/commands.ts";

/** What the server refused, or why it could not be reached. */
export class ClientError extends Error {
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** A code of docs/errors.md; `UNREACHABLE` when there was no answer, `ANSWER_INVALID` when it could not be read. */
  readonly code: string;
  readonly hint: string | undefined;
  /** The same request may succeed a moment later. */
  readonly mayPass: boolean;
  /** Not before this many milliseconds, when the server asked for it. */
  readonly retryAfterMs: number | undefined;

  constructor(
    told: Pick<ClientError, "status" | "code" | "message"> &
      Partial<Pick<ClientError, "hint" | "cause" | "retryAfterMs">>,
  ) {
    super(told.message, told.cause === undefined ? undefined : { cause: told.cause });
    this.name = "ClientError";
    this.status = told.status;
    this.code = told.code;
    this.hint = told.hint;
    this.retryAfterMs = told.retryAfterMs;
    this.mayPass =
      told.status === 0 || told.status === 429 || told.status === 502 || told.status === 503 || told.status === 504;
  }
}

/** The error that an answer tells. */
export async function toClientError(response: Response): Promise<ClientError> {
  const { status } = response;
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1_000 : undefined;
  try {
    const { error } = errorAnswer.shape(await response.json(), "");
    return new ClientError({ status, code: error.code, message: error.message, hint: error.hint, retryAfterMs });
  } catch (cause) {
    return new ClientError({
      status,
      code: "ANSWER_INVALID",
      message: `the server answered ${status}`,
      cause,
      retryAfterMs,
    });
  }
}

export function toUnreachable(cause: unknown): ClientError {
  return new ClientError({ status: 0, code: "UNREACHABLE", message: "the server did not answer", cause });
}
