import { fields, listOf, oneOf, ShapeError, type Shape } from "../../base/shape.ts";
import { listWithin, look, parseDrawn, words, type Look } from "./chart.ts";

/** Boxes and the arrows between them. The layout is found by itself, and so is the size where none is said. */
export interface Diagram extends Look {
  readonly boxes: readonly { readonly id: string; readonly label: string }[];
  readonly arrows: readonly { readonly from: string; readonly to: string; readonly label?: string }[];
  /** Where the arrows point, `down` by default. */
  readonly direction?: "down" | "right";
}

const boxesMax = 60;
const arrowsMax = 200;

const arrowShape = fields({ from: words, to: words }, { label: words });
const diagramFields = fields(
  { title: words, boxes: listWithin(fields({ id: words, label: words }), 1, boxesMax), arrows: listOf(arrowShape) },
  { ...look, direction: oneOf("down", "right") },
);

export const diagramShape: Shape<Diagram> = (value, path) => {
  const diagram = diagramFields(value, path);
  listWithin(arrowShape, 0, arrowsMax)(diagram.arrows, "arrows");
  const ids = new Set<string>();
  for (const [index, { id }] of diagram.boxes.entries()) {
    if (ids.has(id)) throw new ShapeError(`boxes[${index}].id`, "an id that no other box has", id);
    ids.add(id);
  }
  for (const [index, arrow] of diagram.arrows.entries()) {
    for (const end of ["from", "to"] as const) {
      if (!ids.has(arrow[end])) throw new ShapeError(`arrows[${index}].${end}`, "the id of a box", arrow[end]);
    }
  }
  return diagram;
};

/**
 * A diagram's data, checked.
 * @throws TuttiError INPUT_INVALID, naming the place: two boxes of one id, an arrow to no box, too much to draw.
 */
export function parseDiagram(value: unknown): Diagram {
  return parseDrawn(diagramShape, value, "the diagram");
}
