import type { Clock } from "../base/clock.ts";

/** How many requests at once, and how many a second from then on. */
export interface RequestRate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Lets so many through for each name, and says of the others when to come again. */
export interface RateLimit {
  /** Milliseconds to wait; 0: it may pass. */
  take(name: string): number;
}

/** Beyond it the name that was seen longest ago is forgotten, which only ever lets more through. */
const namesMax = 10_000;

export function openRateLimit(rate: RequestRate, clock: Clock): RateLimit {
  const buckets = new Map<string, { readonly left: number; readonly at: number }>();
  return {
    take(name) {
      const now = clock.now();
      const { left, at } = buckets.get(name) ?? { left: rate.burst, at: now };
      const filled = Math.min(rate.burst, left + ((now - at) / 1_000) * rate.perSecond);
      buckets.delete(name);
      for (const oldest of buckets.keys()) {
        if (buckets.size < namesMax) break;
        buckets.delete(oldest);
      }
      buckets.set(name, { left: filled >= 1 ? filled - 1 : filled, at: now });
      return filled >= 1 ? 0 : Math.ceil(((1 - filled) / rate.perSecond) * 1_000);
    },
  };
}
