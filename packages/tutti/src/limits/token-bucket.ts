import type { Rate } from "./limit.ts";

/** So many calls in so long, with a burst saved up while nobody calls. */
export interface TokenBucket {
  /** 0: one may pass now. */
  waitMs(now: number): number;
  take(now: number): void;
  /** Calls may have been let through up to this moment. Moves at most once in ten seconds, so that it can be stored whenever it does. */
  readonly usedUntilMs: number | undefined;
}

const markMs = 10_000;

/** After a restart the bucket counts as empty at the last moment that it may have been used: at worst calls wait, never are there too many. */
export function openTokenBucket(
  rate: Rate,
  stored: { readonly usedUntilMs?: number | undefined; readonly now: number },
): TokenBucket {
  const { calls, perMs, burst = calls } = rate;
  const origin = stored.now;
  let usedUntilMs = stored.usedUntilMs;
  // Time is counted in parts of 1/calls ms, so that all of this is whole numbers: the bucket is full again at `fullAt`.
  const partsAt = (now: number): number => (now - origin) * calls;
  let fullAt = usedUntilMs === undefined ? 0 : partsAt(Math.min(usedUntilMs, stored.now)) + burst * perMs;
  return {
    waitMs: (now) => Math.max(0, Math.ceil((fullAt - (burst - 1) * perMs) / calls) - (now - origin)),
    take(now) {
      fullAt = Math.max(fullAt, partsAt(now)) + perMs;
      if (usedUntilMs === undefined || now >= usedUntilMs) usedUntilMs = now + markMs;
    },
    get usedUntilMs() {
      return usedUntilMs;
    },
  };
}
