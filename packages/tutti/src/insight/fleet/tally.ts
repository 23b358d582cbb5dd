import type { CallableLine, Spent } from "../../contracts/api/runs.ts";
import { addUsage, noUsage, type Usage } from "../../contracts/outcome.ts";
import { addToPeriods, noPeriods, type Periods, type TalliedCall } from "./periods.ts";

/** Sums over the calls of one agent version, tool, model or flow, for one tenant. Plain data, changed in place. */
export interface Tally {
  readonly tenant: string | undefined;
  readonly kind: CallableLine["kind"];
  readonly name: string;
  readonly version: string | undefined;
  done: number;
  failed: number;
  cancelled: number;
  retries: number;
  usage: Usage;
  firstAt: number;
  lastAt: number;
  /** How many calls took about so long, by bucket. */
  latencies: Record<number, number>;
  longestMs: number;
  confidences: number;
  confidenceSum: number;
  confidenceLowest: number;
  readonly periods: Periods;
}

export type TalliedCallable = Pick<Tally, "tenant" | "kind" | "name" | "version">;

export function toTally(callable: TalliedCallable, at: number): Tally {
  return {
    ...callable,
    done: 0,
    failed: 0,
    cancelled: 0,
    retries: 0,
    usage: noUsage,
    firstAt: at,
    lastAt: at,
    latencies: {},
    longestMs: 0,
    confidences: 0,
    confidenceSum: 0,
    confidenceLowest: 1,
    periods: noPeriods(),
  };
}

export function addCall(tally: Tally, call: TalliedCall): void {
  addToPeriods(tally.periods, call);
  tally[call.end] += 1;
  tally.lastAt = call.at;
  tally.retries += Math.max(0, (call.attempt ?? 1) - 1);
  if (call.usage !== undefined) tally.usage = addUsage(tally.usage, call.usage);
  if (call.beganAt !== undefined) {
    const tookMs = call.at - call.beganAt;
    const bucket = toBucket(tookMs);
    tally.latencies[bucket] = (tally.latencies[bucket] ?? 0) + 1;
    tally.longestMs = Math.max(tally.longestMs, tookMs);
  }
  if (call.confidence !== undefined) {
    tally.confidences += 1;
    tally.confidenceSum += call.confidence;
    tally.confidenceLowest = Math.min(tally.confidenceLowest, call.confidence);
  }
}

export function toCallableLine(tally: Tally): CallableLine {
  const { kind, name, version, done, failed, cancelled, retries, usage, firstAt, lastAt } = tally;
  const count = Object.values(tally.latencies).reduce((sum, each) => sum + each, 0);
  return {
    kind,
    name,
    version,
    done,
    failed,
    cancelled,
    retries,
    firstAt,
    lastAt,
    calls: done + failed + cancelled,
    spent: toSpent(usage),
    latencyMs:
      count === 0
        ? undefined
        : {
            count,
            p50: findQuantile(tally, count / 2),
            p95: findQuantile(tally, count * 0.95),
            longest: tally.longestMs,
          },
    confidence:
      tally.confidences === 0
        ? undefined
        : { count: tally.confidences, mean: tally.confidenceSum / tally.confidences, lowest: tally.confidenceLowest },
  };
}

export function toSpent(usage: Usage): Spent {
  const { modelCalls, inputTokens, outputTokens, costUsd = 0 } = usage;
  const unpricedCalls = usage.unpricedCalls ?? (usage.costUsd === undefined ? modelCalls : 0);
  return { modelCalls, inputTokens, outputTokens, costUsd, unpricedCalls };
}

const growth = 1.25;

function toBucket(tookMs: number): number {
  return tookMs <= 1 ? 0 : Math.ceil(Math.log(tookMs) / Math.log(growth));
}

/** The upper end of the bucket that holds the call of this rank; never more than the longest. */
function findQuantile({ latencies, longestMs }: Tally, rank: number): number {
  let seen = 0;
  for (const [bucket, count] of Object.entries(latencies)) {
    seen += count;
    if (seen >= rank) return Math.min(longestMs, Math.ceil(growth ** Number(bucket)));
  }
  return longestMs;
}
