import fc from "fast-check";
import { expect, test } from "vitest";

import { toScale, toTickTexts, toValueText } from "./ticks.ts";

const amounts = fc.oneof(
  fc.double({ min: -1e100, max: 1e100, noNaN: true }),
  fc.double({ min: -1_000, max: 1_000, noNaN: true }),
  fc.integer({ min: -1e9, max: 1e9 }),
  fc.constantFrom(0, -0, 1e-300, 5e-324, 1e100, -1e100, 1e9 + 1, 0.1, 0.3),
);

test("marks of an axis rise, enclose the data, are few, and no two read the same", () => {
  fc.assert(
    fc.property(amounts, amounts, fc.integer({ min: 2, max: 20 }), (one, other, countMax) => {
      const [low, high] = [Math.min(one, other), Math.max(one, other)];
      const scale = toScale(low, high, countMax);
      const { ticks } = scale;
      expect(ticks.length).toBeGreaterThanOrEqual(2);
      expect(ticks.length).toBeLessThanOrEqual(Math.max(3, countMax));
      for (const [index, tick] of ticks.slice(1).entries()) expect(tick).toBeGreaterThan(ticks[index] ?? Infinity);
      const slack = 1e-5 * scale.step;
      expect(ticks[0]).toBeLessThanOrEqual(low + slack);
      expect(ticks.at(-1)).toBeGreaterThanOrEqual(high - slack);
      const texts = toTickTexts(scale);
      expect(new Set(texts).size).toBe(texts.length);
      for (const text of texts) expect(text).toMatch(/^−?\d[\d,]*(?:\.\d+)?(?:e-?\d+|[kMBT])?$/);
    }),
    { numRuns: 2_000 },
  );
});

test("marks are round numbers, without the noise of binary fractions", () => {
  expect(toScale(0, 0.7, 8).ticks).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]);
  expect(toScale(3, 97, 6).ticks).toEqual([0, 20, 40, 60, 80, 100]);
  expect(toScale(-7, 12, 6).ticks).toEqual([-10, -5, 0, 5, 10, 15]);
});

test("marks share one unit and one number of decimals", () => {
  expect(toTickTexts(toScale(0, 2.5e6, 6))).toEqual(["0", "0.5M", "1.0M", "1.5M", "2.0M", "2.5M"]);
  expect(toTickTexts(toScale(1e9 + 0.1, 1e9 + 0.4, 4))).toEqual([
    "1,000,000,000.1",
    "1,000,000,000.2",
    "1,000,000,000.3",
    "1,000,000,000.4",
  ]);
  expect(toTickTexts(toScale(-2e-9, 2e-9, 5))).toEqual(["−2e-9", "−1e-9", "0", "1e-9", "2e-9"]);
});

test("values are short and keep the digits that count", () => {
  const texts = [0, 7, 1_234, 12_345, 1.5e6, 2.25e13, 3.3e22, -0.05, 0.000_012_3, 1 / 3].map(toValueText);
  expect(texts).toEqual(["0", "7", "1,234", "12.35k", "1.5M", "22.5T", "3.3e22", "−0.05", "1.23e-5", "0.3333"]);
});
