import { labelSize, toPlace, type Box } from "./axes.ts";
import type { Bin } from "./bins.ts";
import type { LabelChart, ScatterChart } from "./chart.ts";
import { drawMarker } from "./markers.ts";
import { element, escapeText, toSeriesRole, toShort, type Pen } from "./svg.ts";
import { toTextWidth } from "./text-width.ts";
import { toValueText, type Scale } from "./ticks.ts";

/** Where marks are drawn. */
export interface Field {
  readonly plot: Box;
  readonly scale: Scale;
  /** The middle of each label's place. */
  readonly places: readonly number[];
}

interface NumberField {
  readonly plot: Box;
  readonly scale: Scale;
  toX(value: number): number;
}

const barPart = 0.72; // of a label's place, the rest is air
const barWidthMax = 72;
const markersMax = 40;

/** Bars from zero: side by side, or on top of each other. */
export function drawBars(pen: Pen, chart: LabelChart, field: Field): readonly string[] {
  const band = field.plot.width / chart.labels.length;
  const across = chart.kind === "stacked" ? 1 : chart.series.length;
  const group = Math.min(band * barPart, barWidthMax * across);
  const width = group / across;
  const showsValues = showsBarValues(chart, field.plot);
  return toBars(chart).map(({ index, which, from, value, tooltip }) => {
    const left = (field.places[index] ?? 0) - group / 2;
    const x = chart.kind === "stacked" ? left : left + which * width;
    const [start, end] = [toY(field, from), toY(field, from + value)];
    const place = toBarPlace({ x, width, start, end });
    const bar = pen.mark("rect", { ...place, fill: toSeriesRole(which), class: "mark" }, tooltip);
    return showsValues ? bar + drawBarValue(pen, { x: x + width / 2, end, value }) : bar;
  });
}

export interface Bar {
  /** The label's number, and the series'. */
  readonly index: number;
  readonly which: number;
  /** Where it begins: at zero, or where the one that it stands on ends. */
  readonly from: number;
  readonly value: number;
  readonly tooltip: string;
}

/** The bars of a chart, label by label; stacked ones on each other, negative ones below zero. */
export function toBars({ kind, labels, series }: LabelChart): readonly Bar[] {
  return labels.flatMap((label, index) => {
    let up = 0;
    let down = 0;
    return series.map(({ name, values }, which): Bar => {
      const value = values[index] ?? 0;
      const from = kind !== "stacked" ? 0 : value < 0 ? down : up;
      if (value < 0) down = from + value;
      else up = from + value;
      const tooltip = toTooltip(series.length === 1 ? label : `${label}, ${name}`, value);
      return { index, which, from, value, tooltip };
    });
  });
}

/** Whether each bar has its number at its end: for one series, where the numbers fit beside each other. */
function showsBarValues({ kind, labels, series }: LabelChart, plot: Box): boolean {
  const [only] = series;
  if (kind === "line" || only === undefined || series.length > 1) return false;
  const widest = only.values.reduce((most, value) => Math.max(most, toTextWidth(toValueText(value), labelSize)), 0);
  return widest + 4 <= plot.width / labels.length;
}

function drawBarValue(
  pen: Pen,
  { x, end, value }: { readonly x: number; readonly end: number; readonly value: number },
): string {
  const y = value < 0 ? end + 13 : end - 5;
  return pen.text(toValueText(value), { x, y, "text-anchor": "middle", "font-size": labelSize, class: "value" });
}

function toBarPlace({
  x,
  width,
  start,
  end,
}: {
  readonly x: number;
  readonly width: number;
  readonly start: number;
  readonly end: number;
}) {
  // A hair of paper keeps neighbours apart, also for eyes that see no difference in colour.
  const gap = width > 6 ? 1 : 0;
  const height = Math.abs(end - start);
  return {
    x: x + gap / 2,
    y: Math.min(start, end),
    width: width - gap,
    height,
    rx: Math.min(2, height / 2, width / 4),
  };
}

/** A line per series, with a marker of its own shape at each value where there are not too many. */
export function drawLines(pen: Pen, chart: LabelChart, field: Field): readonly string[] {
  const showsMarkers = chart.labels.length <= markersMax;
  return chart.series.map(({ name, values }, which) => {
    const points = values.map((value, index): readonly [number, number] => [
      field.places[index] ?? 0,
      toY(field, value),
    ]);
    const path = points.map(([x, y], index) => `${index === 0 ? "M" : "L"}${toShort(x)} ${toShort(y)}`).join("");
    const line = pen.mark(
      "path",
      {
        d: path,
        fill: "none",
        stroke: toSeriesRole(which),
        "stroke-width": 2.25,
        "stroke-linejoin": "round",
        class: "line",
      },
      element("title", {}, escapeText(name)),
    );
    if (!showsMarkers) return line;
    const markers = points.map(([x, y], index) =>
      drawMarker(pen, {
        x,
        y,
        which,
        tooltip: toTooltip(
          chart.series.length === 1 ? (chart.labels[index] ?? "") : `${chart.labels[index] ?? ""}, ${name}`,
          values[index] ?? 0,
        ),
      }),
    );
    return line + markers.join("");
  });
}

/** A marker per point; each series has its own shape. */
export function drawPoints(pen: Pen, { series }: ScatterChart, field: NumberField): readonly string[] {
  return series.flatMap(({ name, points }, which) =>
    points.map(({ x, y }) => {
      const tooltip = element("title", {}, escapeText(`${name}: ${toValueText(x)}, ${toValueText(y)}`));
      return drawMarker(pen, { x: field.toX(x), y: toY(field, y), which, tooltip });
    }),
  );
}

/** Bars that touch: how many values lie between two numbers. */
export function drawBins(pen: Pen, bins: readonly Bin[], field: NumberField): readonly string[] {
  return bins.map(({ from, to, count }) => {
    const x = field.toX(from);
    const place = toBarPlace({ x, width: field.toX(to) - x, start: toY(field, 0), end: toY(field, count) });
    return pen.mark(
      "rect",
      { ...place, fill: "series-0", class: "mark" },
      toTooltip(`${toValueText(from)} to ${toValueText(to)}`, count),
    );
  });
}

function toY({ plot, scale }: Pick<Field, "plot" | "scale">, value: number): number {
  return toPlace(scale, value, [plot.top + plot.height, plot.top]);
}

function toTooltip(label: string, value: number): string {
  return element("title", {}, escapeText(`${label}: ${toValueText(value)}`));
}
