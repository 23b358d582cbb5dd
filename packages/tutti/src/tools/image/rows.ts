import { below, drawAxisTitles, drawLabels, labelSize, planNumbers, toPlace, type Box } from "./axes.ts";
import type { LabelChart } from "./chart.ts";
import { toBars } from "./marks.ts";
import { toSeriesRole, type Pen } from "./svg.ts";
import { cutText, toTextWidth } from "./text-width.ts";
import { toScale, toTickTexts, toValueText } from "./ticks.ts";

const labelPartMax = 0.42; // of the width
const labelGap = 10;
const tickRoom = 70;
const rowMin = 15; // for a label
const barPart = 0.72; // of a row, the rest is air
const barHeightMax = 26;
const valueGap = 6;
const valuePartMax = 0.17; // of the width; on both sides where there are negative ones
const titleRoom = 20;

interface Rows {
  readonly room: Box;
  /** What the axis of values spans. */
  readonly range: { readonly from: number; readonly to: number };
}

/** Bars that lie: labels in a column beside them, the axis of values below. */
export function drawRows(pen: Pen, chart: LabelChart, { room, range }: Rows): readonly string[] {
  const top = chart.xTitle === undefined ? 0 : titleRoom;
  const bottom = chart.yTitle === undefined ? 0 : titleRoom;
  const inner = { ...below(room, top), height: room.height - top - bottom };
  const labels = chart.labels.map((label) => cutText(label, inner.width * labelPartMax, labelSize));
  const labelWidth = widestOf(labels) + labelGap;
  const valueWidth = toValueWidth(chart, inner.width);
  const leftOfZero = range.from < 0 ? valueWidth : 0;
  const scale = toScale(
    range.from,
    range.to,
    Math.max(2, Math.floor((inner.width - labelWidth - valueWidth - leftOfZero) / tickRoom)),
  );
  const plan = planNumbers(toTickTexts(scale));
  const left = Math.max(labelWidth + leftOfZero, plan.overhangLeft);
  const width = inner.width - left - Math.max(valueWidth, plan.overhangRight);
  const plot = { left: inner.left + left, top: inner.top, width, height: inner.height - plan.height };
  const toX = (value: number): number => toPlace(scale, value, [plot.left, plot.left + plot.width]);
  const lines = scale.ticks.map((tick) =>
    pen.mark("line", {
      x1: toX(tick),
      y1: plot.top,
      x2: toX(tick),
      y2: plot.top + plot.height,
      stroke: tick === 0 ? "axis" : "grid",
    }),
  );
  return [
    ...lines,
    ...drawLabels(pen, plan, { plot, places: scale.ticks.map(toX) }),
    ...drawRowLabels(pen, labels, { plot, right: plot.left - leftOfZero - labelGap }),
    ...drawLyingBars(pen, chart, { plot, toX, showsValues: valueWidth > 0 }),
    ...drawAxisTitles(pen, { xTitle: chart.yTitle, yTitle: chart.xTitle }, { plot, room }),
  ];
}

/** The room for numbers at the ends of bars: of one series, and where they leave enough for the bars. */
function toValueWidth({ series, range }: LabelChart, width: number): number {
  const [only] = series;
  if (only === undefined || series.length > 1) return 0;
  // With a range, charts are to be compared, or become each other: then the room must not depend on the values.
  const texts = range === undefined ? only.values.map(toValueText) : [`${toValueText(range.from)}.88`, "−888.88k"];
  const wanted = widestOf(texts) + 2 * valueGap;
  return wanted <= width * valuePartMax ? wanted : 0;
}

function widestOf(texts: readonly string[]): number {
  return texts.reduce((widest, text) => Math.max(widest, toTextWidth(text, labelSize)), 0);
}

/** One label per row, or as many as have room. */
function drawRowLabels(
  pen: Pen,
  labels: readonly string[],
  { plot, right }: { readonly plot: Box; readonly right: number },
): readonly string[] {
  const row = plot.height / labels.length;
  const every = Math.max(1, Math.ceil(rowMin / row));
  return labels.flatMap((label, index) => {
    if (index % every !== 0 || label === "") return [];
    const place = { x: right, y: plot.top + row * (index + 0.5) + 4, "text-anchor": "end", "font-size": labelSize };
    return [pen.text(label, { ...place, role: "quiet", class: "row" })];
  });
}

interface LyingField {
  readonly plot: Box;
  readonly toX: (value: number) => number;
  readonly showsValues: boolean;
}

function drawLyingBars(pen: Pen, chart: LabelChart, { plot, toX, showsValues }: LyingField): readonly string[] {
  const row = plot.height / chart.labels.length;
  const across = chart.kind === "stacked" ? 1 : chart.series.length;
  const group = Math.min(row * barPart, barHeightMax * across);
  const height = group / across;
  const gap = height > 6 ? 1 : 0;
  return toBars(chart).map(({ index, which, from, value, tooltip }) => {
    const middle = plot.top + row * (index + 0.5);
    const y = middle - group / 2 + (chart.kind === "stacked" ? 0 : which * height);
    const [start, end] = [toX(from), toX(from + value)];
    const width = Math.abs(end - start);
    const place = {
      x: Math.min(start, end),
      y: y + gap / 2,
      width,
      height: height - gap,
      rx: Math.min(2, width / 2, height / 4),
    };
    const bar = pen.mark("rect", { ...place, fill: toSeriesRole(which), class: "mark" }, tooltip);
    if (!showsValues || row < rowMin) return bar;
    const beside = value < 0 ? { x: end - valueGap, "text-anchor": "end" } : { x: end + valueGap };
    return bar + pen.text(toValueText(value), { ...beside, y: middle + 4, "font-size": labelSize, class: "value" });
  });
}
