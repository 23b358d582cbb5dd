import fc from "fast-check";
import { expect, test } from "vitest";

import { verifies } from "../../../../test/verifies.ts";
import { addUsage, noUsage, type Usage } from "./outcome.ts";

const count = fc.integer({ min: 0, max: 1_000_000 });
// Sums of eighths of a dollar are exact, so that the order of adding does not show in the last digit.
const dollars = fc.integer({ min: 0, max: 1_000 }).map((eighths) => eighths / 8);
const oneCall: fc.Arbitrary<Usage> = fc.record(
  {
    modelCalls: fc.constant(1),
    inputTokens: count,
    outputTokens: count,
    cachedInputTokens: count,
    cacheWriteTokens: count,
    reasoningTokens: count,
    costUsd: dollars,
  },
  { requiredKeys: ["modelCalls", "inputTokens", "outputTokens"] },
);

function sum(calls: readonly Usage[]): Usage {
  return calls.reduce(addUsage, noUsage);
}

test("usage is the same sum however its calls are grouped and ordered", verifies("M4"), () => {
  fc.assert(
    fc.property(fc.array(oneCall), fc.array(oneCall), fc.array(oneCall), (one, two, three) => {
      const flat = sum([...one, ...two, ...three]);
      expect(addUsage(sum(one), addUsage(sum(two), sum(three)))).toEqual(flat);
      expect(sum([...three, ...one, ...two])).toEqual(flat);
    }),
  );
});

test(
  "a sum says how many of its calls have no known price, and is silent when all have one or none has",
  verifies("M4"),
  () => {
    fc.assert(
      fc.property(fc.array(oneCall, { minLength: 1 }), (calls) => {
        const priced = calls.filter((call) => call.costUsd !== undefined);
        const total = sum(calls);
        expect(total.modelCalls).toBe(calls.length);
        expect(total.costUsd).toBe(
          priced.length === 0
            ? undefined
            : priced.reduce((dollarsSoFar, call) => dollarsSoFar + (call.costUsd ?? 0), 0),
        );
        const unpriced = calls.length - priced.length;
        expect(total.unpricedCalls).toBe(priced.length === 0 || unpriced === 0 ? undefined : unpriced);
      }),
    );
  },
);
