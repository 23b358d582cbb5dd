import * as fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";

import { openStage } from "../../../../../test/engine/engine-fixture.ts";
import { orders, settle } from "../../../../../test/engine/event-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { flow } from "../../flow/flow.ts";
import { takeTurns } from "../../testing/manual-clock.ts";
import { toGroups } from "./event-groups.ts";
import { subscription, type Collect, type Subscription } from "./subscription.ts";

const secondMs = 1_000;

const toAmounts = (payloads: readonly { readonly amount: number }[]): number[] => payloads.map(({ amount }) => amount);

function collecting(collect: Collect): { readonly seen: number[][]; readonly on: readonly Subscription[] } {
  const seen: number[][] = [];
  const total = flow({
    name: "total",
    input: z.array(z.number()),
    output: z.null(),
    run: async (run, amounts) => run.step("note", () => (seen.push(amounts), null)),
  });
  return { seen, on: [subscription({ name: "total", topic: orders, flow: total, collect, input: toAmounts })] };
}

test("debounce: acts once it was quiet, with all events since", verifies("C9", "D9"), async () => {
  const stage = openStage();
  const { seen, on } = collecting({ quietMs: 10 * secondMs });
  const tutti = await stage.open([], { on });
  for (const amount of [1, 2, 3]) {
    await tutti.publish(orders, { number: "a", amount });
    await stage.clock.advance(9 * secondMs);
  }
  expect(seen).toEqual([]);
  await tutti.publish(orders, { number: "b", amount: 7 });
  await stage.clock.advance(secondMs);
  await settle(stage, tutti);
  expect(seen).toEqual([[1, 2, 3]]);
  await stage.clock.advance(9 * secondMs);
  await settle(stage, tutti);
  expect(seen).toEqual([[1, 2, 3], [7]]);
});

test("a window and a debounce outlive the process, and are due when they were due", verifies("C9", "D9"), async () => {
  const stage = openStage();
  const { seen, on } = collecting({ windowMs: 10 * secondMs, eventsMax: 4 });
  let tutti = await stage.open([], { on });
  await tutti.publish(orders, { number: "a", amount: 1 });
  await stage.clock.advance(4 * secondMs);
  await tutti.close();
  tutti = await stage.open([], { on });
  await tutti.publish(orders, { number: "a", amount: 2 });
  await stage.clock.advance(5 * secondMs);
  await takeTurns(100);
  expect(seen).toEqual([]);
  await stage.clock.advance(secondMs);
  await settle(stage, tutti);
  expect(seen).toEqual([[1, 2]]);
  // Enough events do not wait for the time.
  for (const amount of [1, 2, 3, 4, 5]) await tutti.publish(orders, { number: "a", amount });
  await settle(stage, tutti);
  expect(seen).toEqual([
    [1, 2],
    [1, 2, 3, 4],
  ]);
  // What fell due while nothing ran is acted on at once.
  await tutti.close();
  await stage.clock.advance(60 * secondMs);
  tutti = await stage.open([], { on });
  await settle(stage, tutti);
  expect(seen.at(-1)).toEqual([5]);
});

const stream = fc.array(fc.record({ gapMs: fc.nat({ max: 30 }), key: fc.constantFrom("a", "b", undefined) }), {
  maxLength: 40,
});
const rule = fc
  .record({
    quietMs: fc.integer({ min: 1, max: 20 }),
    windowMs: fc.integer({ min: 1, max: 50 }),
    eventsMax: fc.integer({ min: 1, max: 5 }),
  })
  .map((times): Required<Collect> => times);

test("groups: every event in one, in order per key, none too large, too wide or with a gap; and taking a due one away changes no other", () => {
  fc.assert(
    fc.property(stream, rule, (gaps, collect) => {
      let at = 0;
      const events = gaps.map(({ gapMs, key }, index) => ({ position: index + 1, at: (at += gapMs), key }));
      const timeOf = (position: number): number => events[position - 1]?.at ?? Number.NaN;
      const groups = toGroups(events, collect);
      for (const key of ["a", "b", undefined]) {
        const grouped = groups.filter((group) => group.key === key).flatMap((group) => group.positions);
        expect(grouped).toEqual(events.filter((event) => event.key === key).map((event) => event.position));
      }
      for (const { positions, dueAt } of groups) {
        expect(positions.length).toBeLessThanOrEqual(collect.eventsMax);
        const times = positions.map(timeOf);
        const [first = 0] = times;
        const last = times.at(-1) ?? 0;
        expect(last - first).toBeLessThan(Math.max(collect.windowMs, 1));
        expect(times.every((time, index) => index === 0 || time - (times[index - 1] ?? 0) < collect.quietMs)).toBe(
          true,
        );
        expect(dueAt).toBeGreaterThanOrEqual(last);
        expect(dueAt).toBeLessThanOrEqual(Math.min(last + collect.quietMs, first + collect.windowMs));
      }
      const [gone, ...rest] = groups.filter((group) => group.key === "a");
      const left = events.filter((event) => gone?.positions.includes(event.position) !== true);
      expect(toGroups(left, collect).filter((group) => group.key === "a")).toEqual(rest);
    }),
  );
});
