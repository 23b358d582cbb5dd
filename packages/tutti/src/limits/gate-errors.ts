import { TuttiError } from "../base/errors.ts";

interface Called {
  readonly calls: "tool" | "model";
}

interface Unavailable {
  readonly key: string;
  readonly waitMs: number;
  /** `open`: its breaker is. `full`: too many wait for it already. */
  readonly why: "open" | "full";
  readonly lastFailure: string | undefined;
}

/** Nothing was called, so another provider may be asked at once. */
export function toUnavailable({ calls }: Called, { key, waitMs, why, lastFailure }: Unavailable): TuttiError {
  const what =
    why === "full"
      ? `too many calls wait for ${key} already`
      : `${key} has failed too often of late and is left alone${lastFailure === undefined ? "" : `; the last failure was ${lastFailure}`}`;
  return new TuttiError(calls === "tool" ? "TOOL_UNAVAILABLE" : "MODEL_UNAVAILABLE", what, {
    hint: "It is tried again by itself. `tutti limits` shows what is left alone, and until when.",
    facts: { limit: key, why, waitMs },
    effect: "none",
    ...(why === "open" ? { retryAfterMs: waitMs } : {}),
  });
}

interface RateLimited {
  readonly key: string;
  readonly waitMs: number;
  /** `asked`: its provider wants to be left alone for longer than a call waits. `waited`: it waited and its turn did not come. */
  readonly why: "asked" | "waited";
}

export function toRateLimited({ calls }: Called, { key, waitMs, why }: RateLimited): TuttiError {
  const what =
    why === "asked"
      ? `the provider of ${key} wants to be left alone for ${waitMs} ms`
      : `the turn for ${key} did not come within ${waitMs} ms`;
  return new TuttiError(calls === "tool" ? "TOOL_RATE_LIMITED" : "MODEL_RATE_LIMITED", what, {
    hint: "It is tried again by itself. Raise waitMaxMs, concurrentMax or rate of this limit if it should not happen.",
    facts: { limit: key, why, waitMs },
    effect: "none",
    ...(why === "asked" ? { retryAfterMs: waitMs } : {}),
  });
}

export function toRetriesSpent({
  key,
  lastFailure,
}: {
  readonly key: string;
  readonly lastFailure: string | undefined;
}): TuttiError {
  return new TuttiError(
    "RETRIES_SPENT",
    `${key} is not tried again: too many of the last calls were repetitions${lastFailure === undefined ? "" : `. The last failure was ${lastFailure}`}`,
    {
      hint: "Every success saves up a tenth of a repetition. See why it fails; raise retriesMax of this limit if it has to.",
      facts: { limit: key },
      effect: "none",
    },
  );
}
