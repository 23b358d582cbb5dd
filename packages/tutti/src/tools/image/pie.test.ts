import fc from "fast-check";
import { expect, test } from "vitest";

import { toSlices } from "./pie.ts";

const parts = fc
  .array(
    fc.record({ label: fc.string(), value: fc.oneof(fc.nat(100), fc.double({ min: 0, max: 1e90, noNaN: true })) }),
    { minLength: 1, maxLength: 40 },
  )
  .filter((list) => list.some(({ value }) => value > 0));

test("slices fill the whole circle in the order of the parts, and their shares are a hundred", () => {
  fc.assert(
    fc.property(parts, (list) => {
      const slices = toSlices(list);
      expect(slices.length).toBeLessThanOrEqual(8);
      expect(slices[0]?.fromDegrees).toBe(0);
      expect(slices.at(-1)?.toDegrees).toBe(360);
      for (const [index, { fromDegrees }] of slices.slice(1).entries())
        expect(fromDegrees).toBe(slices[index]?.toDegrees);
      const angles = slices.map(({ fromDegrees, toDegrees }) => toDegrees - fromDegrees);
      expect(angles.reduce((sum, angle) => sum + angle, 0)).toBeCloseTo(360, 6);
      expect(slices.reduce((sum, { percent }) => sum + percent, 0)).toBe(100);
    }),
    { numRuns: 1_000 },
  );
});

test("of more parts than can be told apart, the smallest become one", () => {
  const slices = toSlices(Array.from({ length: 12 }, (_, index) => ({ label: `p${index}`, value: index + 1 })));
  expect(slices.map(({ label, value }) => `${label}=${value}`)).toEqual([
    "p5=6",
    "p6=7",
    "p7=8",
    "p8=9",
    "p9=10",
    "p10=11",
    "p11=12",
    "5 others=15",
  ]);
});
