import type { Measured } from "../../contracts/api/agents.ts";
import type { Usage } from "../../contracts/outcome.ts";

/** How one call ended. */
export interface TalliedCall {
  readonly at: number;
  readonly end: "done" | "failed" | "cancelled";
  readonly beganAt?: number | undefined;
  readonly attempt?: number | undefined;
  readonly usage?: Usage | undefined;
  readonly confidence?: number | undefined;
}

/** Sums over some calls. Plain data, changed in place. */
export interface Sums {
  calls: number;
  done: number;
  failed: number;
  costUsd: number;
  tookMs: number;
  timed: number;
  confidence: number;
  confidences: number;
}

/** Sums over stretches of time that are all equally long. A stretch is known by its number since 1970. */
export interface Periods {
  lengthMs: number;
  sumsByNumber: Record<number, Sums>;
}

/** What began with minutes is told in hours, days or months as it grows: so many stretches at most, from the first call to the last. */
const periodsMax = 120;
const shortestMs = 60_000;

export function noPeriods(): Periods {
  return { lengthMs: shortestMs, sumsByNumber: {} };
}

export function noSums(): Sums {
  return { calls: 0, done: 0, failed: 0, costUsd: 0, tookMs: 0, timed: 0, confidence: 0, confidences: 0 };
}

/** The result is the same in whatever order the calls come: stretches are only ever put together in pairs. */
export function addToPeriods(periods: Periods, call: TalliedCall): void {
  const number = Math.floor(call.at / periods.lengthMs);
  const known = periods.sumsByNumber[number];
  addCallTo((periods.sumsByNumber[number] ??= noSums()), call);
  if (known !== undefined) return; // they reach no further than before
  while (reachOf(periods) > periodsMax) Object.assign(periods, withLength(periods, 2 * periods.lengthMs));
}

/** The same with longer stretches; `lengthMs` is its own length times a power of two. */
export function withLength(periods: Periods, lengthMs: number): Periods {
  const factor = lengthMs / periods.lengthMs;
  const sumsByNumber: Record<number, Sums> = {};
  for (const [number, sums] of Object.entries(periods.sumsByNumber))
    addSums((sumsByNumber[Math.floor(Number(number) / factor)] ??= noSums()), sums);
  return { lengthMs, sumsByNumber };
}

export function addSums(sums: Sums, more: Sums): void {
  sums.calls += more.calls;
  sums.done += more.done;
  sums.failed += more.failed;
  sums.costUsd += more.costUsd;
  sums.tookMs += more.tookMs;
  sums.timed += more.timed;
  sums.confidence += more.confidence;
  sums.confidences += more.confidences;
}

export function toMeasured({ calls, done, failed, costUsd, tookMs, timed, confidence, confidences }: Sums): Measured {
  return {
    calls,
    done,
    failed,
    costUsd,
    tookMs: timed === 0 ? undefined : { count: timed, mean: tookMs / timed },
    confidence: confidences === 0 ? undefined : { count: confidences, mean: confidence / confidences },
  };
}

function reachOf({ sumsByNumber }: Periods): number {
  const numbers = Object.keys(sumsByNumber).map(Number);
  return Math.max(...numbers) - Math.min(...numbers) + 1;
}

function addCallTo(sums: Sums, { at, end, beganAt, usage, confidence }: TalliedCall): void {
  sums.calls += 1;
  if (end !== "cancelled") sums[end] += 1;
  sums.costUsd += usage?.costUsd ?? 0;
  if (beganAt !== undefined) {
    sums.tookMs += at - beganAt;
    sums.timed += 1;
  }
  if (confidence !== undefined) {
    sums.confidence += confidence;
    sums.confidences += 1;
  }
}
