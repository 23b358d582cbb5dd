import fc from "fast-check";
import { expect, test } from "vitest";

import { verifies } from "../../../../test/verifies.ts";
import { heightOf, layOutPhase, visiblePhases, type Laid } from "./lay-out.ts";

/** Steps of a phase in the order of their entries: each is in a lane, inside a step that is there, behind one that is there. */
const phases: fc.Arbitrary<readonly Laid[]> = fc
  .array(fc.record({ lane: fc.constantFrom("flow", "writer", "reviewer"), inside: fc.nat(), behind: fc.nat() }), {
    maxLength: 60,
  })
  .map((choices) => {
    const nodes: Laid[] = [];
    choices.forEach(({ lane, inside, behind }, index) => {
      const parent = nodes[inside % (nodes.length + 1)]?.path ?? "/phase";
      const before = nodes[behind % (nodes.length + 1)]?.path;
      nodes.push({ path: `${parent}/s${index}`, lane, ownSeq: index + 1, before });
    });
    return nodes;
  });

test("a step that was drawn never moves, whatever comes after it", verifies("O11"), () => {
  fc.assert(
    fc.property(phases, fc.nat(), (nodes, cut) => {
      const some = nodes.slice(0, cut % (nodes.length + 1));
      const [before, after] = [layOutPhase(some), layOutPhase(nodes)];
      for (const { path } of some) expect(after.spots.get(path)).toEqual(before.spots.get(path));
      expect(after.rows.slice(0, before.rows.length)).toEqual(before.rows);
    }),
  );
});

test("the order in which steps arrive does not matter", () => {
  fc.assert(
    fc.property(phases, (nodes) => {
      expect(layOutPhase(nodes.toReversed())).toEqual(layOutPhase(nodes));
    }),
  );
});

test("no two steps share a spot, each stands in its lane, and behind what came before it", () => {
  fc.assert(
    fc.property(phases, (nodes) => {
      const { spots, rows, columns } = layOutPhase(nodes);
      const taken = new Set<string>();
      for (const { path, lane, before } of nodes) {
        const spot = spots.get(path) ?? { column: -1, row: -1 };
        expect(taken.has(`${spot.column} ${spot.row}`)).toBe(false);
        taken.add(`${spot.column} ${spot.row}`);
        expect(rows[spot.row]).toBe(lane);
        expect(spot.column).toBeLessThan(columns);
        expect(spot.column).toBeGreaterThan(spots.get(before ?? "")?.column ?? -1);
      }
    }),
  );
});

test("branches beside each other stand below each other, and their end behind all of them", () => {
  const nodes: Laid[] = [
    { path: "/map/0", lane: "writer", ownSeq: 1, before: undefined },
    { path: "/map/1", lane: "writer", ownSeq: 2, before: undefined },
    { path: "/map/0/model", lane: "writer", ownSeq: 3, before: "/map/0" },
    { path: "/map/1/model", lane: "writer", ownSeq: 4, before: "/map/1" },
    { path: "/map", lane: "flow", ownSeq: 5, before: undefined },
  ];
  const { spots, rows } = layOutPhase(nodes);
  expect(rows).toEqual(["writer", "writer", "flow"]);
  expect(nodes.map(({ path }) => spots.get(path))).toEqual([
    { column: 0, row: 0 },
    { column: 0, row: 1 },
    { column: 1, row: 0 },
    { column: 1, row: 1 },
    { column: 2, row: 2 },
  ]);
});

test("exactly the phases that touch the view are drawn", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 20 })), fc.nat(20_000), fc.nat(2_000), (rows, from, size) => {
      const tops = [0];
      for (const each of rows) tops.push((tops.at(-1) ?? 0) + heightOf(each));
      const [first, end] = visiblePhases(tops, from, from + size);
      const touching = rows.flatMap((_, phase) =>
        (tops[phase + 1] ?? 0) > from && (tops[phase] ?? 0) < from + size ? [phase] : [],
      );
      expect(touching.every((phase) => phase >= first && phase < end)).toBe(true);
      expect(end - first).toBeLessThanOrEqual(2 + size / heightOf(1));
    }),
  );
});
