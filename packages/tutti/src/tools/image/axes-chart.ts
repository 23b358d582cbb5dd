import {
  below,
  drawAxisTitles,
  drawLabels,
  drawValueAxis,
  labelSize,
  planLabels,
  toAxisWidth,
  toPlace,
  type Box,
  type LabelPlan,
} from "./axes.ts";
import { toBins, toBinScale } from "./bins.ts";
import type { HistogramChart, LabelChart, ScatterChart } from "./chart.ts";
import { drawBars, drawBins, drawLines, drawPoints, showsBarValues } from "./marks.ts";
import type { Pen } from "./svg.ts";
import { toTextWidth } from "./text-width.ts";
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
  const inner = {
    ...below(room, topRoom + (chart.yTitle === undefined ? 0 : 8)),
    height:
      room.height - topRoom - (chart.yTitle === undefined ? 0 : 8) - (chart.xTitle === undefined ? 0 : xTitleRoom),
  };
  const scale = toValueScale(chart, Math.max(2, Math.floor(inner.height / tickRoom)));
  const { plot, marks } =
    chart.kind === "scatter" || chart.kind === "histogram"
      ? layOutNumbers(pen, chart, { inner, scale })
      : layOutLabels(pen, chart, { inner, scale });
  return [...drawValueAxis(pen, scale, plot), ...marks, ...drawAxisTitles(pen, chart, { plot, room })];
}

interface Frame {
  readonly inner: Box;
  readonly scale: Scale;
}

interface LaidOut {
  readonly plot: Box;
  readonly marks: readonly string[];
}

function layOutLabels(pen: Pen, chart: LabelChart, { inner, scale }: Frame): LaidOut {
  const axisWidth = toBoundedAxisWidth(scale, inner);
  const isOrdered = chart.kind === "line";
  const plan = planLabels(chart.labels, { band: (inner.width - axisWidth) / chart.labels.length, isOrdered });
  const labelled = toPlot(inner, { plan, axisWidth });
  // The numbers under negative bars stand between the lowest mark and the labels.
  const plot =
    showsBarValues(chart, labelled) && hasNegative(chart)
      ? { ...labelled, height: labelled.height - barValueRoom }
      : labelled;
  const band = plot.width / chart.labels.length;
  const places = chart.labels.map((_, index) => plot.left + band * (index + 0.5));
  const marks =
    chart.kind === "line"
      ? drawLines(pen, chart, { plot, scale, places })
      : drawBars(pen, chart, { plot, scale, places });
  return { plot, marks: [...marks, ...drawLabels(pen, plan, { plot: labelled, places })] };
}

function hasNegative({ series }: LabelChart): boolean {
  return series.some(({ values }) => values.some((value) => value < 0));
}

function layOutNumbers(pen: Pen, chart: ScatterChart | HistogramChart, { inner, scale }: Frame): LaidOut {
  const axisWidth = toBoundedAxisWidth(scale, inner);
  const x = chart.kind === "histogram" ? toBinScale(chart) : toPlaceScale(chart, inner.width - axisWidth);
  const texts = toTickTexts(x);
  // The last mark stands at the right end; its number needs half its width beyond.
  const right = Math.min(inner.width / 5, toTextWidth(texts.at(-1) ?? "", labelSize) / 2);
  const band = (inner.width - axisWidth - right) / (texts.length - 1);
  const plan = planLabels(texts, { band, isOrdered: true });
  const left = Math.max(axisWidth, toTextWidth(texts[0] ?? "", labelSize) / 2);
  const plot = toPlot(
    { ...inner, width: inner.width - right },
    { plan: { ...plan, overhangLeft: 0, overhangRight: 0 }, axisWidth: left },
  );
  const toX = (value: number): number => toPlace(x, value, [plot.left, plot.left + plot.width]);
  const places = x.ticks.map(toX);
  const marks =
    chart.kind === "histogram"
      ? drawBins(pen, toBins(chart), { plot, scale, toX })
      : drawPoints(pen, chart, { plot, scale, toX });
  return { plot, marks: [...marks, ...drawLabels(pen, plan, { plot, places })] };
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

function toValueScale(chart: LabelChart | ScatterChart | HistogramChart, countMax: number): Scale {
  switch (chart.kind) {
    case "histogram":
      return toScale(0, mostOf(toBins(chart).map((bin) => bin.count)), Math.max(2, countMax));
    case "scatter": {
      const ys = chart.series.flatMap((each) => each.points.map((point) => point.y));
      return toScale(leastOf(ys), mostOf(ys), countMax);
    }
    case "line":
    case "bar":
    case "stacked": {
      const values = chart.kind === "stacked" ? toSums(chart) : chart.series.flatMap((each) => each.values);
      const zero = chart.kind === "line" ? [] : [0]; // a bar's length is its value only if it begins at zero
      const ends = chart.range === undefined ? [] : [chart.range.from, chart.range.to];
      const all = [...values, ...zero, ...ends];
      return toScale(leastOf(all), mostOf(all), countMax);
    }
  }
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
