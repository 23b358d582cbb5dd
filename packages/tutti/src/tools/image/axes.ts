import { toShort, type Pen } from "./svg.ts";
import { cutText, toTextWidth, wrapText } from "./text-width.ts";
import { toTickTexts, type Scale } from "./ticks.ts";

/** Pixels inside a drawing. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export const margin = 16;
const titleSize = 17;
const titleLine = 23;
export const labelSize = 12;

/** The title, and the room that is left under it. */
export function drawTitle(
  pen: Pen,
  title: string,
  room: Box,
): { readonly marks: readonly string[]; readonly room: Box } {
  const lines = wrapText(title, { widthMax: room.width, fontSize: titleSize, linesMax: 2 });
  const marks = lines.map((line, index) =>
    pen.text(line, {
      x: room.left,
      y: room.top + titleSize + index * titleLine,
      "font-size": titleSize,
      "font-weight": 600,
    }),
  );
  return { marks, room: below(room, lines.length === 0 ? 0 : lines.length * titleLine + 5) };
}

export function below(room: Box, height: number): Box {
  return { ...room, top: room.top + height, height: room.height - height };
}

/** Where the value of a scale lies between two pixels. */
export function toPlace(scale: Scale, value: number, [from, to]: readonly [number, number]): number {
  const low = scale.ticks[0] ?? 0;
  const high = scale.ticks.at(-1) ?? 1;
  return from + ((to - from) * (value - low)) / (high - low);
}

export function toAxisWidth(texts: readonly string[]): number {
  return Math.max(...texts.map((text) => toTextWidth(text, labelSize))) + 10;
}

/** Lines across the plot at the marks of the axis of values, and their numbers beside it; zero is drawn stronger. */
export function drawValueAxis(pen: Pen, scale: Scale, plot: Box): readonly string[] {
  const texts = toTickTexts(scale);
  return scale.ticks.map((tick, index) => {
    const y = toPlace(scale, tick, [plot.top + plot.height, plot.top]);
    return [
      pen.mark("line", {
        x1: plot.left,
        y1: y,
        x2: plot.left + plot.width,
        y2: y,
        stroke: tick === 0 ? "axis" : "grid",
      }),
      pen.text(texts[index] ?? "", { ...toRightText(plot.left - 8, y + 4), role: "quiet", class: "tick" }),
    ].join("");
  });
}

function toRightText(x: number, y: number): Record<string, string | number> {
  return { x, y, "text-anchor": "end", "font-size": labelSize };
}

/** How labels stand under an axis so that none touches another. */
export interface LabelPlan {
  readonly texts: readonly string[];
  readonly isTurned: boolean;
  /** Pixels from one shown label to the next, at least. */
  readonly step: number;
  /** Room that they take under the axis, and beyond its ends. */
  readonly height: number;
  readonly overhangLeft: number;
  readonly overhangRight: number;
}

const turnedWidthMax = 130;
const turnedHeightPartMax = 0.4;
const turnedStep = 17;
const flatGap = 10;
const flatHeight = 24;
const slope = Math.SQRT1_2; // of 45 degrees

interface LabelRoom {
  /** From the left end of the picture's room to the right end of the axis. */
  readonly width: number;
  /** Of the axis of values and the labels together. */
  readonly height: number;
  /** Between the middles of two labels, if nothing hangs over. */
  readonly band: number;
  /** Labels in an order that tells the reader what lies between two of them. */
  readonly isOrdered: boolean;
}

/** Flat where all fit, else turned by 45 degrees (or, where they are ordered, some left out), and cut as a last resort. */
export function planLabels(labels: readonly string[], { width, height, band, isOrdered }: LabelRoom): LabelPlan {
  const widest = widthOf(labels);
  const flat = {
    texts: labels,
    isTurned: false,
    step: widest + flatGap,
    height: 24,
    overhangLeft: 0,
    overhangRight: 0,
  };
  if (widest + flatGap <= band) return flat;
  if (isOrdered && Math.ceil((widest + flatGap) / band) <= labels.length / 3) {
    return { ...flat, overhangLeft: widest / 2, overhangRight: widest / 2 };
  }
  if (labels.length === 1 || band > turnedWidthMax) {
    const texts = labels.map((label) => cutText(label, band - flatGap, labelSize));
    return { ...flat, texts, step: band };
  }
  const widthMax = Math.min(turnedWidthMax, (height * turnedHeightPartMax) / slope);
  const texts = labels.map((label) => cutText(label, widthMax, labelSize));
  const reach = widthOf(texts) * slope + 4;
  // The first label stands half a place right of the axis' left end, and that place shrinks with what hangs over.
  const half = 1 / (2 * labels.length);
  const overhangLeft = Math.max(0, (reach - width * half) / (1 - half));
  return { texts, isTurned: true, step: turnedStep, height: reach + 22, overhangLeft, overhangRight: 0 };
}

/** Flat, as many left out as have no room; the outermost stand at the very ends of the axis. */
export function planNumbers(texts: readonly string[]): LabelPlan {
  const widest = widthOf(texts);
  return {
    texts,
    isTurned: false,
    step: widest + flatGap,
    height: flatHeight,
    overhangLeft: widest / 2,
    overhangRight: widest / 2,
  };
}

function widthOf(texts: readonly string[]): number {
  return Math.max(...texts.map((text) => toTextWidth(text, labelSize)));
}

/** The labels under the axis, each in the middle of its place; as many are left out as their plan asks for. */
export function drawLabels(
  pen: Pen,
  plan: LabelPlan,
  { plot, places }: { readonly plot: Box; readonly places: readonly number[] },
): readonly string[] {
  const bottom = plot.top + plot.height;
  const [first = 0, second = Infinity] = places;
  const every = Math.max(1, Math.ceil(plan.step / (second - first) - 1e-9));
  return plan.texts.flatMap((label, index) => {
    const x = places[index];
    if (index % every !== 0 || x === undefined || label === "") return [];
    const corner = { x: toShort(x + 4), y: toShort(bottom + 16) };
    const place = plan.isTurned
      ? { ...corner, "text-anchor": "end", transform: `rotate(-45 ${corner.x} ${corner.y})` }
      : { x, y: bottom + 17, "text-anchor": "middle" };
    return [pen.text(label, { ...place, "font-size": labelSize, role: "quiet", class: "label" })];
  });
}

/** Titles of the axes: of values above them, so that nobody has to tilt the head, and of places in the middle below. */
export function drawAxisTitles(
  pen: Pen,
  titles: { readonly xTitle?: string | undefined; readonly yTitle?: string | undefined },
  { plot, room }: { readonly plot: Box; readonly room: Box },
): readonly string[] {
  const marks: string[] = [];
  const of = (title: string): string => cutText(title, room.width, labelSize);
  if (titles.yTitle !== undefined) {
    marks.push(pen.text(of(titles.yTitle), { x: room.left, y: room.top + 11, "font-size": labelSize, role: "quiet" }));
  }
  if (titles.xTitle !== undefined) {
    const shown = of(titles.xTitle);
    const half = toTextWidth(shown, labelSize) / 2;
    const middle = Math.min(Math.max(plot.left + plot.width / 2, room.left + half), room.left + room.width - half);
    const place = { x: middle, y: room.top + room.height - 4, "text-anchor": "middle", "font-size": labelSize };
    marks.push(pen.text(shown, { ...place, role: "quiet" }));
  }
  return marks;
}
