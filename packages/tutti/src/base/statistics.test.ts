import { assert, integer, property } from "fast-check";
import { expect, test } from "vitest";

import { toSeeded } from "../../../../test/oversight/seeded.ts";
import { verifies } from "../../../../test/verifies.ts";
import { addToCusum, estimateShare, oneSided95, toWilsonLower, type Drawn } from "./statistics.ts";

test("the lower end of agreement is never above what was seen, grows with cases, and is what tables say", () => {
  expect(toWilsonLower(0, 0, oneSided95)).toBe(0);
  expect(toWilsonLower(10, 10, 1.96)).toBeCloseTo(0.7225, 3);
  expect(toWilsonLower(15, 20, 1.96)).toBeCloseTo(0.5313, 3);
  assert(
    property(integer({ min: 1, max: 500 }), integer({ min: 0, max: 500 }), (count, some) => {
      const hits = Math.min(some, count);
      const lower = toWilsonLower(hits, count, oneSided95);
      expect(lower).toBeGreaterThanOrEqual(0);
      expect(lower).toBeLessThanOrEqual(hits / count);
      expect(toWilsonLower(hits * 2, count * 2, oneSided95)).toBeGreaterThanOrEqual(lower);
    }),
  );
});

test("overrides that come more often than is usual raise an alarm, a single one does not", () => {
  const rates = { usual: 0.05, alarming: 0.1 };
  expect(addToCusum(0, true, rates)).toBeCloseTo(Math.log(2), 10);
  expect(addToCusum(0.01, false, rates)).toBe(0);
  expect([...Array(6).keys()].reduce((sum) => addToCusum(sum, true, rates), 0)).toBeGreaterThan(3.7);
  expect([...Array(5).keys()].reduce((sum) => addToCusum(sum, true, rates), 0)).toBeLessThan(3.7);
});

test(
  "the share of defects is estimated without bias whatever the probabilities are, and its interval holds it",
  verifies("G15"),
  () => {
    const repetitions = 2_000;
    const chance = toSeeded(7);
    // Defects are where people look more often: the plain share of what was drawn would be far too high.
    const outputs = Array.from({ length: 1_000 }, (_, index) => ({
      probability: index % 4 === 0 ? 0.4 : 0.1,
      isHit: index % 4 === 0 ? index % 8 === 0 : index % 25 === 1,
    }));
    const truth = outputs.filter(({ isHit }) => isHit).length / outputs.length;
    let sum = 0;
    let squares = 0;
    let held = 0;
    let plain = 0;
    for (let repetition = 0; repetition < repetitions; repetition++) {
      const drawn: readonly Drawn[] = outputs.filter(({ probability }) => chance() < probability);
      const { share, low, high } = estimateShare(drawn, outputs.length, 0.1);
      sum += share;
      squares += share ** 2;
      if (low <= truth && truth <= high) held += 1;
      plain += drawn.filter(({ isHit }) => isHit).length / Math.max(1, drawn.length);
    }
    const mean = sum / repetitions;
    const error = Math.sqrt((squares / repetitions - mean ** 2) / repetitions);
    expect(Math.abs(mean - truth)).toBeLessThan(4 * error); // four standard errors of this simulation
    expect(held / repetitions).toBeGreaterThan(0.9);
    expect(plain / repetitions).toBeGreaterThan(truth * 1.5);
  },
);

test("without any defect the upper end says how many could have been missed", verifies("G15"), () => {
  expect(estimateShare([], 0, 0.1)).toEqual({ share: 0, low: 0, high: 1 });
  const { share, low, high } = estimateShare([{ probability: 0.1, isHit: false }], 1_000, 0.1);
  expect({ share, low }).toEqual({ share: 0, low: 0 });
  expect(0.9 ** (high * 1_000)).toBeCloseTo(0.05, 6);
  expect(estimateShare([{ probability: 1, isHit: false }], 1, 1).high).toBe(0);
});
