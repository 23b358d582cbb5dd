import { labelSize, type Box } from "./axes.ts";
import type { PieChart } from "./chart.ts";
import { drawSquare } from "./legend.ts";
import { element, escapeText, seriesMax, toSeriesRole, toShort, type Pen } from "./svg.ts";
import { cutText, toTextWidth } from "./text-width.ts";
import { toValueText } from "./ticks.ts";

const rowHeight = 22;
const legendPart = 0.48; // of the width
const holePart = 0.58; // of a donut's radius
const gap = 28;
const nameInset = 18;

interface Slice {
  readonly label: string;
  readonly value: number;
  /** Degrees, clockwise from the top. */
  readonly fromDegrees: number;
  readonly toDegrees: number;
  /** Of a hundred; those of all slices together are exactly 100. */
  readonly percent: number;
}

/** A circle in slices, and beside it a line per slice with its name, value and share. */
export function drawPie(pen: Pen, chart: PieChart, room: Box): readonly string[] {
  const slices = toSlices(chart.parts);
  const legendWidth = room.width * legendPart;
  const circleRoom = room.width - legendWidth - gap;
  const radius = Math.max(20, Math.min(circleRoom, room.height - 8) / 2);
  const center = { x: room.left + circleRoom / 2, y: room.top + room.height / 2 };
  const hole = chart.kind === "donut" ? radius * holePart : 0;
  const circle = slices.map((slice, which) => {
    const tooltip = element(
      "title",
      {},
      escapeText(`${slice.label}: ${toValueText(slice.value)} (${slice.percent} %)`),
    );
    const d = toSlicePath(slice, { center, radius, hole });
    // The rule keeps the hole open in a ring that is one slice.
    const look = { fill: toSeriesRole(which), stroke: "paper", "stroke-width": slices.length === 1 ? 0 : 1.5 } as const;
    return pen.mark("path", { d, ...look, "fill-rule": "evenodd", class: "mark" }, tooltip);
  });
  const left = room.left + circleRoom + gap;
  const top = center.y - (slices.length * rowHeight) / 2 + rowHeight / 2;
  const rows = slices.map((slice, which) =>
    drawRow(pen, slice, { left, y: top + which * rowHeight, width: legendWidth, which }),
  );
  return [...circle, ...rows];
}

/** Parts that are more than nothing, in their order; of more than can be told apart, the smallest become one. */
export function toSlices(parts: PieChart["parts"]): readonly Slice[] {
  const seen = parts.filter((part) => part.value > 0);
  const kept = new Set(
    seen
      .toSorted((one, other) => other.value - one.value)
      .slice(0, seen.length > seriesMax ? seriesMax - 1 : seriesMax),
  );
  const rest = seen.filter((part) => !kept.has(part));
  const shown = seen.filter((part) => kept.has(part));
  if (rest.length > 0)
    shown.push({ label: `${rest.length} others`, value: rest.reduce((sum, part) => sum + part.value, 0) });
  const total = shown.reduce((sum, part) => sum + part.value, 0);
  const percents = toPercents(shown.map((part) => part.value / total));
  let at = 0;
  return shown.map((part, index) => {
    const fromDegrees = at;
    at = index === shown.length - 1 ? 360 : at + (360 * part.value) / total;
    return { ...part, fromDegrees, toDegrees: at, percent: percents[index] ?? 0 };
  });
}

// Rounded one by one, 33.3 % three times would make 99 %: what is missing goes to those that lost most.
function toPercents(shares: readonly number[]): readonly number[] {
  const floors = shares.map((share) => Math.floor(share * 100));
  let missing = 100 - floors.reduce((sum, floor) => sum + floor, 0);
  const byLoss = shares.map((share, index) => ({ index, loss: share * 100 - (floors[index] ?? 0) }));
  for (const { index } of byLoss.toSorted((one, other) => other.loss - one.loss)) {
    if (missing-- <= 0) break;
    floors[index] = (floors[index] ?? 0) + 1;
  }
  return floors;
}

interface Circle {
  readonly center: { readonly x: number; readonly y: number };
  readonly radius: number;
  readonly hole: number;
}

function toSlicePath({ fromDegrees, toDegrees }: Slice, { center, radius, hole }: Circle): string {
  const at = (degrees: number, distance: number): string => {
    const angle = ((degrees - 90) * Math.PI) / 180;
    return `${toShort(center.x + distance * Math.cos(angle))} ${toShort(center.y + distance * Math.sin(angle))}`;
  };
  // An arc can't be a whole circle: two halves can.
  const middle = (fromDegrees + toDegrees) / 2;
  const arc = (distance: number, from: number, to: number): string =>
    `A${toShort(distance)} ${toShort(distance)} 0 0 ${to > from ? 1 : 0} ${at(to, distance)}`;
  const there = arc(radius, fromDegrees, middle) + arc(radius, middle, toDegrees);
  if (hole === 0) {
    const start =
      toDegrees - fromDegrees >= 360 ? `M${at(fromDegrees, radius)}` : `M${at(0, 0)}L${at(fromDegrees, radius)}`;
    return `${start}${there}Z`;
  }
  const back = arc(hole, toDegrees, middle) + arc(hole, middle, fromDegrees);
  return `M${at(fromDegrees, radius)}${there}L${at(toDegrees, hole)}${back}Z`;
}

interface Row {
  readonly left: number;
  readonly y: number;
  readonly width: number;
  readonly which: number;
}

function drawRow(pen: Pen, { label, value, percent }: Slice, { left, y, width, which }: Row): string {
  const share = `${toValueText(value)} · ${percent === 0 ? "<1" : percent} %`;
  const nameWidth = width - nameInset - toTextWidth(share, labelSize) - 10;
  const place = { y: y + 4, "font-size": labelSize, class: "legend" };
  return [
    drawSquare(pen, { x: left, y, which }),
    pen.text(cutText(label, nameWidth, labelSize), { ...place, x: left + nameInset }),
    pen.text(share, { ...place, x: left + width, "text-anchor": "end", role: "quiet" }),
  ].join("");
}
