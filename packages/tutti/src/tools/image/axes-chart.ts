import {
  below,
  drawAxisTitles,
  drawLabels,
  drawValueAxis,
  planLabels,
  planNumbers,
  toAxisWidth,
  toPlace,
  type Box,
  type LabelPlan,
} from "./axes.ts";
import { toBins, toBinScale } from "./bins.ts";
import type { HistogramChart, LabelChart, ScatterChart } from "./chart.ts";
import { drawBars, drawBins, drawLines, drawPoints } from "./marks.ts";
import { drawRows } from "./rows.ts";
import type { Pen } from "./svg.ts";
import { toScale, toTickTexts, type Scale } from "./ticks.ts";

const tickRoom = 34; // pixels between two marks of the axis of values, at least
const topRoom = 16; // for a number over the highest bar
const xTitleRoom = 20;
const barValueRoom = 14;
const axisWidthPartMax = 0.4;

/** A chart with two axes, in the room that title and legend left. */
export function drawAxesChart(
  pen: Pen,
  chart: LabelChart | ScatterChart | HistogramChart,
  room: Box,
): readonly string[] {
  if ("labels" in chart && chart.direction === "right") return drawRows(pen, chart, { room, range: toRange(chart) });
  const inner = {
    ...below(room, topRoom + (chart.yTitle === undefined ? 0 : 8)),
    height:
      room.height - topRoom - (chart.yTitle === undefined ? 0 : 8) - (chart.xTitle === undefined ? 0 : xTitleRoom),
  };
  const { plot, scale, marks } =
    chart.kind === "scatter" || chart.kind === "histogram"
      ? layOutNumbers(pen, chart, inner)
      : layOutLabels(pen, chart, inner);
  return [...drawValueAxis(pen, scale, plot), ...marks, ...drawAxisTitles(pen, chart, { plot, room })];
}

interface LaidOut {
  readonly plot: Box;
  /** Of the values, from the bottom to the top. */
  readonly scale: Scale;
  readonly marks: readonly string[];
}

function layOutLabels(pen: Pen, chart: LabelChart, inner: Box): LaidOut {
  const planWith = (scale: Scale): LabelPlan => {
    const band = (inner.width - toBoundedAxisWidth(scale, inner)) / chart.labels.length;
    return planLabels(chart.labels, { ...inner, band, isOrdered: chart.kind === "line" });
  };
  // How many marks the axis has follows from its height, its width from the marks, the labels' height from the width left.
  const draft = planWith(toValueScale(chart, inner.height));
  const scale = toValueScale(chart, inner.height - draft.height);
  const plan = planWith(scale);
  const labelled = toPlot(inner, { plan, axisWidth: toBoundedAxisWidth(scale, inner) });
  // Numbers under negative bars stand between the lowest mark and the labels.
  const isNumbered = chart.kind !== "line" && chart.series.length === 1 && toRange(chart).from < 0;
  const plot = isNumbered ? { ...labelled, height: labelled.height - barValueRoom } : labelled;
  const places = chart.labels.map((_, index) => plot.left + (plot.width / chart.labels.length) * (index + 0.5));
  const draw = chart.kind === "line" ? drawLines : drawBars;
  const marks = [...draw(pen, chart, { plot, scale, places }), ...drawLabels(pen, plan, { plot: labelled, places })];
  return { plot, scale, marks };
}

function layOutNumbers(pen: Pen, chart: ScatterChart | HistogramChart, inner: Box): LaidOut {
  const scale = toValueScale(chart, inner.height);
  const axisWidth = toBoundedAxisWidth(scale, inner);
  const x = chart.kind === "histogram" ? toBinScale(chart) : toPlaceScale(chart, inner.width - axisWidth);
  const texts = toTickTexts(x);
  const plan = planNumbers(texts);
  const plot = toPlot(inner, { plan, axisWidth });
  const toX = (value: number): number => toPlace(x, value, [plot.left, plot.left + plot.width]);
  const labels = drawLabels(pen, plan, { plot, places: x.ticks.map(toX) });
  const marks =
    chart.kind === "histogram"
      ? drawBins(pen, toBins(chart), { plot, scale, toX })
      : drawPoints(pen, chart, { plot, scale, toX });
  return { plot, scale, marks: [...marks, ...labels] };
}

function toPlot(inner: Box, { plan, axisWidth }: { readonly plan: LabelPlan; readonly axisWidth: number }): Box {
  const left = Math.max(axisWidth, plan.overhangLeft);
  const width = inner.width - left - plan.overhangRight;
  return { left: inner.left + left, top: inner.top, width, height: inner.height - plan.height };
}

function toBoundedAxisWidth(scale: Scale, inner: Box): number {
  return Math.min(inner.width * axisWidthPartMax, toAxisWidth(toTickTexts(scale)));
}

function toPlaceScale({ series }: ScatterChart, width: number): Scale {
  const xs = series.flatMap((each) => each.points.map((point) => point.x));
  return toScale(leastOf(xs), mostOf(xs), Math.max(3, Math.floor(width / 80)));
}

function toValueScale(chart: LabelChart | ScatterChart | HistogramChart, height: number): Scale {
  const countMax = Math.max(2, Math.floor(height / tickRoom));
  switch (chart.kind) {
    case "histogram": {
      const highest = mostOf(toBins(chart).map((bin) => bin.count));
      return toScale(0, highest, Math.min(countMax, highest + 1)); // no half values
    }
    case "scatter": {
      const ys = chart.series.flatMap((each) => each.points.map((point) => point.y));
      return toScale(leastOf(ys), mostOf(ys), countMax);
    }
    case "line":
    case "bar":
    case "stacked": {
      const { from, to } = toRange(chart);
      return toScale(from, to, countMax);
    }
  }
}

/** What the axis of values has to span. */
export function toRange(chart: LabelChart): { readonly from: number; readonly to: number } {
  const values = chart.kind === "stacked" ? toSums(chart) : chart.series.flatMap((each) => each.values);
  const zero = chart.kind === "line" ? [] : [0]; // a bar's length is its value only if it begins at zero
  const ends = chart.range === undefined ? [] : [chart.range.from, chart.range.to];
  const all = [...values, ...zero, ...ends];
  return { from: leastOf(all), to: mostOf(all) };
}

/** Where each stack ends: its negative parts below zero, its positive parts above. */
function toSums({ labels, series }: LabelChart): readonly number[] {
  return labels.flatMap((_, index) => {
    const values = series.map((each) => each.values[index] ?? 0);
    const sum = (isPart: (value: number) => boolean): number =>
      values.filter((value) => isPart(value)).reduce((total, value) => total + value, 0);
    return [sum((value) => value < 0), sum((value) => value > 0)];
  });
}

// Math.min(...) would overflow the stack on long lists.
function leastOf(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value), Infinity);
}

function mostOf(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), -Infinity);
}
