import { TuttiError } from "../base/errors.ts";

/** What protects a tool, a provider of models, or a tenant. `{}` protects with the defaults: a provider's wish to wait is kept by all its callers. */
export interface Limits {
  /** At most so many calls at once; the next ones wait in the order in which they came. */
  readonly concurrentMax?: number;
  /** `calls` in `perMs` in the long run, and at most `burst` (`calls` by default) at once. */
  readonly rate?: Rate;
  /** When to stop asking what does not answer, and for how long. */
  readonly breaker?: Breaker;
  /** Repetitions that may be saved up: each takes one, each success gives back a tenth. 10 by default. */
  readonly retriesMax?: number;
  /** How long a call may wait for its turn; 60,000 by default. */
  readonly waitMaxMs?: number;
  /** How many calls may wait; 1,000 by default. */
  readonly queueMax?: number;
}

export interface Rate {
  readonly calls: number;
  readonly perMs: number;
  readonly burst?: number;
}

export interface Breaker {
  /** Opens after so many failures in a row; 5 by default. */
  readonly failures?: number;
  /** Opens when this share of the calls in `windowMs` failed, if there were at least `callsMin`: 0.5 of 20 in 60,000 by default. */
  readonly ratio?: number;
  readonly windowMs?: number;
  readonly callsMin?: number;
  /** How long it stays open before one call may try; 30,000 by default, twice as long after each try that failed, at most `openMaxMs` (600,000). */
  readonly openMs?: number;
  readonly openMaxMs?: number;
}

/** Limits by what they protect: `tool/<name>`, `model/<provider>`, `tenant/<name>`; `tool/*` and so on for each one that is not named. */
export type LimitTable = Readonly<Record<string, Limits>>;

const keyPattern = /^(?:tool|model|tenant)\/.+$/u;

/** @throws TuttiError DEFINITION_INVALID for a key or a number that can't work. */
export function checkLimits(table: LimitTable): void {
  for (const [key, limits] of Object.entries(table)) {
    const problem = keyPattern.test(key)
      ? key.startsWith("tenant/") && limits.breaker !== undefined
        ? "a tenant has no breaker; tools and providers fail, tenants do not"
        : findProblem(limits)
      : "its name is not tool/…, model/… or tenant/…";
    if (problem === undefined) continue;
    throw new TuttiError("DEFINITION_INVALID", `the limits of ${JSON.stringify(key)}: ${problem}`, {
      hint: 'Write for example limits: { "tool/page.publish": { concurrentMax: 4 }, "model/*": {} }.',
    });
  }
}

function findProblem({ rate, breaker, ...limits }: Limits): string | undefined {
  const wholes: Readonly<Record<string, number | undefined>> = {
    concurrentMax: limits.concurrentMax,
    "rate.calls": rate?.calls,
    "rate.perMs": rate?.perMs,
    "rate.burst": rate?.burst,
    "breaker.failures": breaker?.failures,
    "breaker.windowMs": breaker?.windowMs,
    "breaker.callsMin": breaker?.callsMin,
    "breaker.openMs": breaker?.openMs,
    "breaker.openMaxMs": breaker?.openMaxMs,
  };
  for (const [name, value] of Object.entries(wholes)) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 1))
      return `${name} is ${value}, not a whole number from 1 up`;
  }
  for (const name of ["retriesMax", "waitMaxMs", "queueMax"] as const) {
    const value = limits[name];
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0))
      return `${name} is ${value}, not a whole number from 0 up`;
  }
  const ratio = breaker?.ratio;
  return ratio === undefined || (ratio > 0 && ratio <= 1) ? undefined : `breaker.ratio is ${ratio}, not in (0, 1]`;
}

/** The limits of one name: its own, or those for every one that is not named. */
export function findLimits(table: LimitTable, kind: "tool" | "model" | "tenant", name: string): Limits | undefined {
  const key = `${kind}/${name}`;
  return Object.hasOwn(table, key) ? table[key] : Object.hasOwn(table, `${kind}/*`) ? table[`${kind}/*`] : undefined;
}
