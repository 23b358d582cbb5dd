import fc from "fast-check";
import { expect, test } from "vitest";

import { findOutside, readPicture, type Picture } from "../../../../../test/pictures/read-picture.ts";
import type { Diagram } from "./diagram.ts";
import { drawDiagram } from "./draw-diagram.ts";
import { placeDiagram } from "./place-diagram.ts";

const label = fc.oneof(
  fc.string({ maxLength: 80 }),
  fc.constantFrom("Planner", "A label that is long enough to need three lines and then some more words"),
);
const diagrams: fc.Arbitrary<Diagram> = fc.integer({ min: 1, max: 14 }).chain((count) => {
  const id = fc.integer({ min: 0, max: count - 1 }).map(String);
  return fc.record({
    title: label,
    direction: fc.constantFrom("down" as const, "right" as const),
    boxes: fc
      .array(label, { minLength: count, maxLength: count })
      .map((labels) => labels.map((text, index) => ({ id: String(index), label: text }))),
    arrows: fc.array(fc.oneof(fc.record({ from: id, to: id }), fc.record({ from: id, to: id, label })), {
      maxLength: 25,
    }),
  });
});

test("no box lies on another box or on the words of an arrow, and everything is inside", () => {
  fc.assert(
    fc.property(diagrams, (diagram) => {
      const { boxes, width, height, lines } = placeDiagram(diagram);
      for (const [index, one] of boxes.entries()) {
        expect(Math.min(one.x - one.width / 2, one.y - one.height / 2)).toBeGreaterThanOrEqual(-0.01);
        expect(one.x + one.width / 2).toBeLessThanOrEqual(width + 0.01);
        expect(one.y + one.height / 2).toBeLessThanOrEqual(height + 0.01);
        for (const other of boxes.slice(index + 1)) {
          const apart =
            Math.abs(one.x - other.x) >= (one.width + other.width) / 2 ||
            Math.abs(one.y - other.y) >= (one.height + other.height) / 2;
          expect(apart).toBe(true);
        }
      }
      for (const { x, y } of lines.flatMap(({ points }) => points)) {
        expect(Number.isFinite(x + y) && x >= -0.01 && y >= -0.01 && x <= width + 0.01 && y <= height + 0.01).toBe(
          true,
        );
      }
      const svg = drawDiagram(diagram);
      expect(svg).not.toMatch(/NaN|Infinity|undefined/);
      expect(drawDiagram(structuredClone(diagram))).toBe(svg);
    }),
    { numRuns: 200 },
  );
});

function headsOf(picture: Picture): number {
  return picture.marks.filter((mark) => mark.kinds.includes("head")).length;
}

test("every arrow has one head, also one that closes a circle and one from a box to itself", () => {
  const boxes = ["a", "b", "c"].map((id) => ({ id, label: id }));
  const arrows = [
    ["a", "b"],
    ["b", "c"],
    ["c", "a"],
    ["b", "b"],
  ].map(([from = "", to = ""]) => ({ from, to }));
  const picture = readPicture(
    drawDiagram({ title: "Circle", boxes, arrows: [...arrows, { from: "c", to: "b", label: "again" }] }),
  );
  expect(headsOf(picture)).toBe(5);
  expect(findOutside(picture)).toEqual([]);
});

test("arrows point to later layers", () => {
  const boxes = ["end", "middle", "start"].map((id) => ({ id, label: id }));
  const arrows = [
    { from: "start", to: "end" },
    { from: "middle", to: "end" },
    { from: "start", to: "middle" },
  ];
  const placed = placeDiagram({ title: "", boxes, arrows });
  const yOf = (id: string): number => placed.boxes.find((box) => box.label === id)?.y ?? Number.NaN;
  expect(yOf("start")).toBeLessThan(yOf("middle"));
  expect(yOf("middle")).toBeLessThan(yOf("end"));
});

function refusal(message: string): unknown {
  return expect.objectContaining({ code: "INPUT_INVALID", message: `the diagram can't be drawn: ${message}` });
}

test("an arrow to nothing and two boxes of one name are refused with their place", () => {
  const box = { id: "a", label: "A" };
  expect(() => drawDiagram({ title: "", boxes: [box], arrows: [{ from: "a", to: "b" }] })).toThrow(
    refusal("arrows[0].to should be the id of a box, not string"),
  );
  expect(() => drawDiagram({ title: "", boxes: [box, box], arrows: [] })).toThrow(
    refusal("boxes[1].id should be an id that no other box has, not string"),
  );
});

test("the largest diagram that is taken is laid out within the picture", () => {
  const boxes = Array.from({ length: 60 }, (_, index) => ({ id: String(index), label: `Box ${index}` }));
  const arrows = Array.from({ length: 200 }, (_, index) => ({
    from: String((index * 7) % 60),
    to: String((index * 13 + 1) % 60),
    label: `${index}`,
  }));
  expect(readPicture(drawDiagram({ title: "Large", boxes, arrows })).width).toBeLessThanOrEqual(2_000);
});
