import { TuttiError } from "../base/errors.ts";

/** What protects a tool, a provider of models, a tenant, a flow or an agent. `{}` protects with the defaults: a provider's wish to wait is kept by all its callers. */
export interface Limits {
  /** At most so many calls at once; the next ones wait for their turn: by priority, then by shares, then in the order in which they came. */
  readonly concurrentMax?: number;
  /** Of a tenant or a flow: at most so many of its runs are driven at once. The next ones wait as long as it takes, and are refused nothing. */
  readonly runs?: number;
  /** Of a tenant or a flow: its part where it waits beside others, from 1 (the default) to 100. A tenant of 3 gets three turns for each turn of a tenant of 1. */
  readonly share?: number;
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

/**
 * Limits by what they protect: `tool/<name>`, `model/<provider>`, `tenant/<name>`, `flow/<name>`, `agent/<name>`; `tool/*` and so on for each
 * one that is not named.
 */
export type LimitTable = Readonly<Record<string, Limits>>;

export type LimitKind = "tool" | "model" | "tenant" | "flow" | "agent";

const keyPattern = /^(tool|model|tenant|flow|agent)\/.+$/u;
const shareMax = 100;
const example = 'Write for example limits: { "tool/page.publish": { concurrentMax: 4 }, "model/*": {} }.';

/** @throws TuttiError DEFINITION_INVALID for a key or a number that can't work. */
export function checkLimits(table: LimitTable): void {
  for (const [key, limits] of Object.entries(table)) {
    const kind = keyPattern.exec(key)?.[1];
    const problem =
      kind === undefined
        ? { what: "its name is not tool/…, model/…, tenant/…, flow/… or agent/…", hint: example }
        : (findMisplaced(kind, limits) ?? findProblem(limits));
    if (problem === undefined) continue;
    throw new TuttiError("DEFINITION_INVALID", `the limits of ${JSON.stringify(key)}: ${problem.what}`, {
      hint: problem.hint,
      facts: { limit: key },
    });
  }
}

interface Problem {
  readonly what: string;
  readonly hint: string;
}

const known: Readonly<Record<keyof Limits, true>> = {
  concurrentMax: true,
  runs: true,
  share: true,
  rate: true,
  breaker: true,
  retriesMax: true,
  waitMaxMs: true,
  queueMax: true,
};

/** What does not belong there, whatever its value. */
function findMisplaced(kind: string, limits: Limits): Problem | undefined {
  const isWho = kind === "tenant" || kind === "flow";
  const unknown = Object.keys(limits).find((name) => !Object.hasOwn(known, name));
  if (unknown !== undefined)
    return { what: `there is no ${unknown}`, hint: `It takes ${Object.keys(known).join(", ")}.` };
  if (limits.breaker !== undefined && kind !== "tool" && kind !== "model")
    return {
      what: `a${kind === "agent" ? "n" : ""} ${kind} has no breaker; tools and providers fail, tenants, flows and agents do not`,
      hint: "Give the breaker to tool/<name> or model/<provider>.",
    };
  if ((limits.runs ?? limits.share) !== undefined && !isWho)
    return {
      what: `${limits.runs === undefined ? "share" : "runs"} is for tenants and flows`,
      hint: "Give it to tenant/<name> or flow/<name>; concurrentMax limits calls everywhere.",
    };
  return undefined;
}

function findProblem({ rate, breaker, ...limits }: Limits): Problem | undefined {
  const wholes: Readonly<Record<string, number | undefined>> = {
    concurrentMax: limits.concurrentMax,
    runs: limits.runs,
    share: limits.share,
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
      return { what: `${name} is ${value}, not a whole number from 1 up`, hint: example };
  }
  for (const name of ["retriesMax", "waitMaxMs", "queueMax"] as const) {
    const value = limits[name];
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0))
      return { what: `${name} is ${value}, not a whole number from 0 up`, hint: example };
  }
  if ((limits.share ?? 1) > shareMax)
    return { what: `share is ${limits.share}, more than ${shareMax}`, hint: "Shares count relative to each other." };
  const ratio = breaker?.ratio;
  return ratio === undefined || (ratio > 0 && ratio <= 1)
    ? undefined
    : { what: `breaker.ratio is ${ratio}, not in (0, 1]`, hint: example };
}

/** The limits of one name: its own, or those for every one that is not named. */
export function findLimits(table: LimitTable, kind: LimitKind, name: string): Limits | undefined {
  const key = `${kind}/${name}`;
  return Object.hasOwn(table, key) ? table[key] : Object.hasOwn(table, `${kind}/*`) ? table[`${kind}/*`] : undefined;
}
