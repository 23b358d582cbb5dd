import { drawTitle, margin } from "./axes.ts";
import { sideMax } from "./chart.ts";
import { parseDiagram, type Diagram } from "./diagram.ts";
import { toDrawing } from "./draw-chart.ts";
import { boxText, placeDiagram, type Line, type PlacedBox } from "./place-diagram.ts";
import { element, escapeText, openPen, toDocument, toShort, type Pen } from "./svg.ts";

const widthMin = 240; // for the title
const headLength = 8;
const headHalf = 4;
const itemsMax = 20;

/**
 * A diagram as SVG: boxes in layers, arrows from earlier to later ones, as few crossings as can be found quickly. The same data gives the
 * same text.
 * @throws TuttiError INPUT_INVALID, naming the place in the data.
 */
export function drawDiagram(diagram: Diagram): string {
  const checked = parseDiagram(diagram);
  const placed = placeDiagram(checked);
  const pen = openPen(checked.theme ?? "auto");
  const width = checked.width ?? toSide(placed.width + 2 * margin, widthMin);
  const title = drawTitle(pen, checked.title, {
    left: margin,
    top: margin,
    width: width - 2 * margin,
    height: sideMax,
  });
  const top = title.room.top + 8;
  const shrunk = placed.height * Math.min(1, (width - 2 * margin) / placed.width);
  const height = checked.height ?? toSide(top + shrunk + margin, 0);
  const scale = Math.min(1, (width - 2 * margin) / placed.width, (height - top - margin) / placed.height);
  const left = (width - placed.width * scale) / 2;
  const marks = [
    ...placed.lines.map((line) => drawLine(pen, line, placed.isDown)),
    ...placed.boxes.map((box) => drawBox(pen, box)),
  ];
  const transform = `translate(${toShort(left)} ${toShort(top)}) scale(${Math.floor(scale * 1_000) / 1_000})`;
  return toDocument({ ...toDrawing(checked, describe(checked)), width, height }, [
    ...title.marks,
    element("g", { transform }, "\n", ...marks.flatMap((mark) => [mark, "\n"])),
  ]);
}

function toSide(wanted: number, min: number): number {
  return Math.ceil(Math.min(sideMax, Math.max(min, wanted)));
}

function drawBox(pen: Pen, { x, y, width, height, lines, isBoxed, label }: PlacedBox): string {
  const first = y - ((lines.length - 1) * boxText.lineHeight) / 2 + boxText.fontSize * 0.36;
  const role = isBoxed ? "ink" : "quiet";
  const texts = lines.map((line, index) =>
    pen.text(line, {
      x,
      y: first + index * boxText.lineHeight,
      "text-anchor": "middle",
      "font-size": boxText.fontSize,
      role,
      class: isBoxed ? "box" : "label",
    }),
  );
  if (!isBoxed) return texts.join("");
  const frame = {
    x: x - width / 2,
    y: y - height / 2,
    width,
    height,
    rx: 6,
    fill: "box",
    stroke: "series-0",
    "stroke-width": 1.25,
    class: "mark",
  } as const;
  return element("g", {}, element("title", {}, escapeText(label)), pen.mark("rect", frame), ...texts);
}

function drawLine(pen: Pen, { points, head }: Line, isDown: boolean): string {
  const way = head === "first" ? points.toReversed() : points;
  const end = way.at(-1) ?? { x: 0, y: 0 };
  const sign = head === "first" ? -1 : 1;
  const tip = head === "none" ? 0 : headLength;
  const trimmed = [
    ...way.slice(0, -1),
    isDown ? { x: end.x, y: end.y - sign * tip } : { x: end.x - sign * tip, y: end.y },
  ];
  const path = trimmed
    .map((point, index) => {
      const before = trimmed[index - 1];
      if (before === undefined) return `M${toShort(point.x)} ${toShort(point.y)}`;
      const middle = isDown ? (before.y + point.y) / 2 : (before.x + point.x) / 2;
      const [one, other] = isDown
        ? [`${toShort(before.x)} ${toShort(middle)}`, `${toShort(point.x)} ${toShort(middle)}`]
        : [`${toShort(middle)} ${toShort(before.y)}`, `${toShort(middle)} ${toShort(point.y)}`];
      return `C${one} ${other} ${toShort(point.x)} ${toShort(point.y)}`;
    })
    .join("");
  const line = pen.mark("path", { d: path, fill: "none", stroke: "axis", "stroke-width": 1.5, class: "line" });
  return head === "none" ? line : line + drawHead(pen, end, isDown ? [0, sign] : [sign, 0]);
}

function drawHead(
  pen: Pen,
  { x, y }: { readonly x: number; readonly y: number },
  [across, along]: readonly [number, number],
): string {
  const back = { x: x - across * headLength, y: y - along * headLength };
  const corners = [
    [x, y],
    [back.x + along * headHalf, back.y + across * headHalf],
    [back.x - along * headHalf, back.y - across * headHalf],
  ].map(([cornerX = 0, cornerY = 0]) => `${toShort(cornerX)} ${toShort(cornerY)}`);
  return pen.mark("path", { d: `M${corners.join("L")}Z`, fill: "axis", class: "head" });
}

function describe({ boxes, arrows }: Diagram): string {
  const labelById = new Map(boxes.map(({ id, label }) => [id, label]));
  const said = arrows.slice(0, itemsMax).map(({ from, to, label }) => {
    const ends = `${labelById.get(from) ?? from} → ${labelById.get(to) ?? to}`;
    return label === undefined ? ends : `${ends} (${label})`;
  });
  const more = arrows.length > itemsMax ? [`and ${arrows.length - itemsMax} more`] : [];
  return `A diagram of ${boxes.length} box${boxes.length === 1 ? "" : "es"} and ${arrows.length} arrow${arrows.length === 1 ? "" : "s"}. ${[...said, ...more].join("; ")}`.trim();
}
