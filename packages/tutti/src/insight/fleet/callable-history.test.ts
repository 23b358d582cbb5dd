import fc from "fast-check";
import { expect, test } from "vitest";

import { verifies } from "../../../../../test/verifies.ts";
import { toCallableHistory } from "./callable-history.ts";
import type { TalliedCall } from "./periods.ts";
import { addCall, toTally, type Tally } from "./tally.ts";

const minuteMs = 60_000;
const dayMs = 86_400_000;

function toVersionTally(version: string, calls: readonly TalliedCall[], tenant?: string): Tally {
  const tally = toTally({ tenant, kind: "agent", name: "writer", version }, calls[0]?.at ?? 0);
  for (const call of calls) addCall(tally, call);
  return tally;
}

const asked = { kind: "agent", name: "writer" } as const;
const usage = { modelCalls: 1, inputTokens: 1, outputTokens: 1, costUsd: 0.5 };

test("figures are told version by version over time, with what is not known left out", verifies("O9"), () => {
  const first = toVersionTally("1", [
    { at: 10 * minuteMs, end: "done", beganAt: 10 * minuteMs - 2_000, usage, confidence: 0.8 },
    { at: 10 * minuteMs + 5, end: "failed", beganAt: 10 * minuteMs - 3_995 },
    { at: 13 * minuteMs, end: "cancelled" },
  ]);
  const second = toVersionTally("2", [{ at: 12 * minuteMs, end: "done", usage }]);
  const { versions, periodMs, enoughCalls } = toCallableHistory([second, first], asked);
  expect([periodMs, enoughCalls]).toEqual([minuteMs, 20]);
  expect(versions).toMatchObject([
    {
      version: "1",
      all: {
        calls: 3,
        done: 1,
        failed: 1,
        costUsd: 0.5,
        tookMs: { count: 2, mean: 3_000 },
        confidence: { count: 1, mean: 0.8 },
      },
      periods: [
        { at: 10 * minuteMs, measured: { calls: 2, done: 1, failed: 1 } },
        { at: 13 * minuteMs, measured: { calls: 1, tookMs: undefined, confidence: undefined } },
      ],
    },
    { version: "2", firstAt: 12 * minuteMs, all: { calls: 1, done: 1 } },
  ]);
});

test("versions of long and short lives are told in stretches of one length, and all tenants together", () => {
  const long = toVersionTally(
    "1",
    [
      { at: 0, end: "done" },
      { at: 300 * dayMs, end: "failed" },
    ],
    "acme",
  );
  const short = toVersionTally("2", [{ at: 300 * dayMs, end: "done" }]);
  const same = toVersionTally("2", [{ at: 300 * dayMs + 1, end: "done" }], "acme");
  const { versions, periodMs } = toCallableHistory([long, short, same], asked);
  expect(periodMs).toBeGreaterThan(dayMs);
  expect(versions.map(({ version, periods }) => [version, periods.map(({ measured }) => measured.calls)])).toEqual([
    ["1", [1, 1]],
    ["2", [2]],
  ]);
  const [at = 0] = versions[1]?.periods.map((period) => period.at) ?? [];
  expect([at % periodMs, at <= 300 * dayMs, at + periodMs > 300 * dayMs]).toEqual([0, true, true]);
});

test("whatever the times are, no call is lost, and there are never many stretches", () => {
  const calls = fc.array(
    fc.record({ at: fc.nat({ max: 400 * dayMs }), end: fc.constantFrom("done", "failed", "cancelled") }),
    { minLength: 1, maxLength: 60 },
  );
  fc.assert(
    fc.property(calls, (all) => {
      const { versions } = toCallableHistory([toVersionTally("1", all)], asked);
      const [version] = versions;
      expect(version?.all.calls).toBe(all.length);
      expect(version?.periods.reduce((sum, { measured }) => sum + measured.calls, 0)).toBe(all.length);
      expect(version?.periods.length).toBeLessThanOrEqual(120);
      const backwards = toCallableHistory([toVersionTally("1", all.toReversed())], asked);
      expect(backwards.versions[0]?.periods).toEqual(version?.periods);
    }),
    { numRuns: 100 },
  );
});

test("a callable that was never called has no versions", () => {
  expect(toCallableHistory([], asked)).toMatchObject({ versions: [], periodMs: 0 });
});
