import { inspect } from "node:util";

import { errorCodes, isErrorCode, type Disposition, type EffectKnowledge, type ErrorCode } from "./error-codes.ts";
import { findSecret, knowsSecrets, redactSecrets } from "./known-secrets.ts";

const marker = Symbol.for("tutti.error");

export type Facts = Readonly<Record<string, string | number | boolean | readonly string[]>>;

export interface ErrorDetails {
  /** What the reader can do about it. */
  readonly hint?: string;
  /** Ids and numbers; never prompts or secrets. */
  readonly facts?: Facts;
  readonly cause?: unknown;
  /** Overrides what the code says about the world, for example when a tool knows that nothing happened. */
  readonly effect?: EffectKnowledge;
  /** Not before this many milliseconds, when a provider asked for it. */
  readonly retryAfterMs?: number;
}

/** The one error class. `code` says what happened, `disposition` what follows, `hint` what to do. */
export class TuttiError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly facts: Facts;
  readonly effect: EffectKnowledge;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "TuttiError";
    this.code = code;
    this.hint = details.hint;
    this.facts = details.facts ?? {};
    this.effect = details.effect ?? errorCodes[code].effect;
    this.retryAfterMs = details.retryAfterMs;
    Object.defineProperty(this, marker, { value: true });
  }

  get disposition(): Disposition {
    return errorCodes[this.code].disposition;
  }
}

/** Works across two copies of the package in one process, where `instanceof` does not. */
export function isTuttiError(value: unknown): value is TuttiError {
  return typeof value === "object" && value !== null && marker in value;
}

/** How an error is written to the ledger. Stacks stay out: they belong to one machine. */
export interface StoredError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly facts?: Facts;
  readonly effect?: EffectKnowledge;
  /** What was thrown, when it was not a TuttiError: its name. */
  readonly name?: string;
  readonly causes?: readonly string[];
}

const causesMax = 8;
const messageMax = 4_000;

/** Turns whatever was thrown (an Error, a string, nothing) into a TuttiError with the given code. */
export function toTuttiError(thrown: unknown, code: ErrorCode): TuttiError {
  if (isTuttiError(thrown)) return thrown;
  return new TuttiError(code, describeThrown(thrown), { cause: thrown });
}

/** What was thrown, in words, without the values of known secrets. */
export function describeThrown(thrown: unknown): string {
  return redactSecrets(toWords(thrown));
}

function toWords(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message === "" ? thrown.name : thrown.message;
  if (typeof thrown === "string") return thrown === "" ? "an empty string was thrown" : thrown;
  if (thrown === undefined) return "undefined was thrown";
  try {
    return `a value that is not an Error was thrown: ${JSON.stringify(thrown) ?? typeof thrown}`;
  } catch {
    return "a value that is not an Error was thrown";
  }
}

/** Without the values of known secrets: an error has to be told, so it is not refused but redacted. */
export function toStoredError(error: TuttiError): StoredError {
  const causes: string[] = [];
  let cause: unknown = error.cause;
  let name: string | undefined;
  while (cause !== undefined && cause !== null && causes.length < causesMax) {
    if (cause instanceof Error && !isTuttiError(cause)) name ??= redactSecrets(cause.name);
    const said = describeThrown(cause);
    causes.push(isTuttiError(cause) ? `${cause.code}: ${said}` : said.slice(0, messageMax));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return {
    code: error.code,
    message: redactSecrets(error.message).slice(0, messageMax),
    ...(error.hint === undefined ? {} : { hint: redactSecrets(error.hint) }),
    ...(Object.keys(error.facts).length === 0 ? {} : { facts: redactFacts(error.facts) }),
    ...(error.effect === errorCodes[error.code].effect ? {} : { effect: error.effect }),
    ...(name === undefined ? {} : { name }),
    ...(causes.length === 0 ? {} : { causes }),
  };
}

function redactFacts(facts: Facts): Facts {
  return Object.fromEntries(
    Object.entries(facts).map(([name, fact]) => [
      redactSecrets(name),
      typeof fact === "string" ? redactSecrets(fact) : typeof fact === "object" ? fact.map(redactSecrets) : fact,
    ]),
  );
}

export function fromStoredError(stored: StoredError): TuttiError {
  const cause = stored.causes?.[0];
  return new TuttiError(isErrorCode(stored.code) ? stored.code : "STEP_FAILED", stored.message, {
    ...(stored.hint === undefined ? {} : { hint: stored.hint }),
    ...(stored.facts === undefined ? {} : { facts: stored.facts }),
    ...(stored.effect === undefined ? {} : { effect: stored.effect }),
    ...(cause === undefined || cause === stored.message ? {} : { cause: new Error(cause) }),
  });
}

/**
 * The error as a later reader of the ledger will see it. Code that catches an error must decide the same on replay, so the first execution
 * gets this copy too; only the stack, which nobody decides by, stays that of the original.
 */
export function toReplayable(error: TuttiError): TuttiError {
  const copy = fromStoredError(toStoredError(error));
  const origin = error.cause instanceof Error ? error.cause : error;
  if (origin.stack !== undefined) copy.stack = redactSecrets(origin.stack);
  return copy;
}

/** The error as it is; or, if it repeats the value of a known secret anywhere, also in a cause, a copy that does not. */
export function withoutSecrets(error: TuttiError): TuttiError {
  if (!knowsSecrets()) return error;
  const shown = inspect(error, { depth: causesMax, maxStringLength: null, compact: true, breakLength: Infinity });
  return findSecret(shown) === undefined ? error : toReplayable(error);
}
