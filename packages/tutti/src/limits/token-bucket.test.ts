import fc from "fast-check";
import { expect, test } from "vitest";

import { verifies } from "../../../../test/verifies.ts";
import { openTokenBucket } from "./token-bucket.ts";

const rate = fc.record({
  calls: fc.integer({ min: 1, max: 20 }),
  perMs: fc.integer({ min: 1, max: 2_000 }),
  burst: fc.integer({ min: 1, max: 10 }),
});
/** What happens: time passes and somebody asks, or the process dies and another goes on with what was stored. */
const action = fc.record({ passMs: fc.integer({ min: 0, max: 3_000 }), dies: fc.boolean() });

test("in no stretch of time more calls pass than the rate and one burst allow, across restarts", verifies("D7"), () => {
  const property = fc.property(rate, fc.array(action, { maxLength: 80 }), (limit, actions) => {
    let now = 1_000_000;
    let bucket = openTokenBucket(limit, { now });
    const passed: number[] = [];
    for (const { passMs, dies } of actions) {
      now += passMs;
      if (dies) bucket = openTokenBucket(limit, { usedUntilMs: bucket.usedUntilMs, now });
      if (bucket.waitMs(now) > 0) continue;
      bucket.take(now);
      passed.push(now);
    }
    for (const [first, fromMs] of passed.entries()) {
      for (let last = first; last < passed.length; last++) {
        const most = limit.burst + (((passed[last] ?? 0) - fromMs) * limit.calls) / limit.perMs;
        expect(last - first + 1).toBeLessThanOrEqual(most + 1e-3);
      }
    }
  });
  fc.assert(property, { numRuns: 300 });
});

test("who waits as long as it says passes then, and not a millisecond earlier", verifies("D7"), () => {
  const property = fc.property(rate, (limit) => {
    let now = 0;
    const bucket = openTokenBucket(limit, { now });
    for (let call = 0; call < 40; call++) {
      const waitMs = bucket.waitMs(now);
      expect(bucket.waitMs(now + Math.max(0, waitMs - 1))).toBe(Math.min(waitMs, 1));
      now += waitMs;
      expect(bucket.waitMs(now)).toBe(0);
      bucket.take(now);
    }
  });
  fc.assert(property, { numRuns: 100 });
});

test("what has to be stored changes at most once in ten seconds", verifies("D7"), () => {
  const bucket = openTokenBucket({ calls: 1_000, perMs: 1_000 }, { now: 0 });
  const marks = new Set<number | undefined>();
  for (let now = 0; now < 60_000; now += 100) {
    bucket.take(now);
    marks.add(bucket.usedUntilMs);
  }
  expect(marks.size).toBe(6);
});
