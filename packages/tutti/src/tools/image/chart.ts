import { TuttiError } from "../../base/errors.ts";
import { fields, integer, listOf, oneOf, ShapeError, text, type Shape } from "../../base/shape.ts";
import { seriesMax, type Theme } from "./svg.ts";

/** What every picture that is drawn from data has. */
export interface Look {
  readonly title: string;
  /** What is seen, in words, for those who can't see it. By default made from the data. */
  readonly description?: string;
  /** In pixels; 640 × 400 by default. */
  readonly width?: number;
  readonly height?: number;
  /** `auto` (the default) follows the reader's preference; as PNG it is light. */
  readonly theme?: Theme;
}

export interface AxisTitles {
  readonly xTitle?: string;
  readonly yTitle?: string;
}

/** Values by label: side by side, on top of each other, or as lines. */
export interface LabelChart extends Look, AxisTitles {
  readonly kind: "bar" | "stacked" | "line";
  readonly labels: readonly string[];
  /** Each has one value per label. */
  readonly series: readonly { readonly name: string; readonly values: readonly number[] }[];
  /** Bars that stand (`up`, the default) or lie (`right`), with room for long labels beside them. */
  readonly direction?: "up" | "right";
  /** What the axis of values spans at least, to make several charts comparable. */
  readonly range?: { readonly from: number; readonly to: number };
}

export interface ScatterChart extends Look, AxisTitles {
  readonly kind: "scatter";
  readonly series: readonly { readonly name: string; readonly points: readonly Point[] }[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface HistogramChart extends Look, AxisTitles {
  readonly kind: "histogram";
  readonly values: readonly number[];
  /** About how many bars; their edges are round numbers. */
  readonly bins?: number;
}

export interface PieChart extends Look {
  readonly kind: "pie" | "donut";
  readonly parts: readonly { readonly label: string; readonly value: number }[];
}

export type Chart = LabelChart | ScatterChart | HistogramChart | PieChart;

export const sideDefault = { width: 640, height: 400 } as const;
export const sideMin = 320;
export const sideMax = 2_000;
const labelsMax = 200;
const pointsMax = 5_000;
const valuesMax = 100_000;
const partsMax = 200;
const textMax = 2_000;
// Beyond, differences and sums of numbers overflow.
const amountMax = 1e100;

/**
 * Data for a chart, checked.
 * @throws TuttiError INPUT_INVALID, naming the place: a number that is not finite, lists of different lengths, too much to draw.
 */
export function parseChart(value: unknown): Chart {
  return parseDrawn(chartShape, value, "the chart");
}

/** A value checked by a shape, as a caller's input. */
export function parseDrawn<Value>(shape: Shape<Value>, value: unknown, what: string): Value {
  try {
    return shape(value, "");
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new TuttiError("INPUT_INVALID", `${what} can't be drawn: ${error.message}`, {
      hint: "Look at the named place in the data.",
      cause: error,
    });
  }
}

const amount: Shape<number> = (value, path) => {
  if (typeof value === "number" && Math.abs(value) <= amountMax) return value;
  throw new ShapeError(path, "a finite number up to 1e100", value);
};

export const words: Shape<string> = (value, path) => {
  const given = text(value, path);
  if (given.length <= textMax) return given;
  throw new ShapeError(path, `text of at most ${textMax} characters`, given);
};

/** A list with a number of items from `min` to `max`. */
export function listWithin<Item>(item: Shape<Item>, min: number, max: number): Shape<readonly Item[]> {
  const list = listOf(item);
  return (value, path) => {
    if (Array.isArray(value) && (value.length < min || value.length > max)) {
      throw new ShapeError(path, min === max ? `a list of ${min}` : `a list of ${min} to ${max}`, value);
    }
    return list(value, path);
  };
}

const side: Shape<number> = (value, path) => {
  const given = integer(value, path);
  if (given >= sideMin && given <= sideMax) return given;
  throw new ShapeError(path, `${sideMin} to ${sideMax} pixels`, given);
};

export const look = { description: words, width: side, height: side, theme: oneOf("auto", "light", "dark") } as const;
const axes = { xTitle: words, yTitle: words } as const;

const rangeShape: Shape<{ readonly from: number; readonly to: number }> = (value, path) => {
  const range = fields({ from: amount, to: amount })(value, path);
  if (range.from <= range.to) return range;
  throw new ShapeError(`${path}.to`, "at least what `from` is", range.to);
};

const namedValues = fields({ name: words, values: listWithin(amount, 1, labelsMax) });
const labelFields = fields(
  {
    kind: oneOf("bar", "stacked", "line"),
    title: words,
    labels: listWithin(words, 1, labelsMax),
    series: listWithin(namedValues, 1, seriesMax),
  },
  { ...look, ...axes, direction: oneOf("up", "right"), range: rangeShape },
);

const labelShape: Shape<LabelChart> = (value, path) => {
  const chart = labelFields(value, path);
  if (chart.kind === "line" && chart.direction === "right") throw new ShapeError("direction", "up for lines", "right");
  const { length } = chart.labels;
  const wrong = chart.series.findIndex((series) => series.values.length !== length);
  if (wrong < 0) return chart;
  throw new ShapeError(`series[${wrong}].values`, `a list of ${length}, one per label`, chart.series[wrong]?.values);
};

const namedPoints = fields({ name: words, points: listWithin(fields({ x: amount, y: amount }), 1, pointsMax) });
const scatterShape = fields(
  { kind: oneOf("scatter"), title: words, series: listWithin(namedPoints, 1, seriesMax) },
  { ...look, ...axes },
);

const binsShape: Shape<number> = (value, path) => {
  const bins = integer(value, path);
  if (bins >= 1 && bins <= labelsMax) return bins;
  throw new ShapeError(path, `1 to ${labelsMax}`, bins);
};
const histogramShape = fields(
  { kind: oneOf("histogram"), title: words, values: listWithin(amount, 1, valuesMax) },
  { ...look, ...axes, bins: binsShape },
);

const partShape: Shape<{ readonly label: string; readonly value: number }> = (value, path) => {
  const part = fields({ label: words, value: amount })(value, path);
  if (part.value >= 0) return part;
  throw new ShapeError(`${path}.value`, "0 or more: a part can't be negative", part.value);
};
const pieFields = fields(
  { kind: oneOf("pie", "donut"), title: words, parts: listWithin(partShape, 1, partsMax) },
  look,
);
const pieShape: Shape<PieChart> = (value, path) => {
  const chart = pieFields(value, path);
  if (chart.parts.some((part) => part.value > 0)) return chart;
  throw new ShapeError("parts", "parts of which one at least is more than 0", 0);
};

export const chartShape: Shape<Chart> = (value, path) => {
  const { kind } = fields({ kind: oneOf("bar", "stacked", "line", "scatter", "histogram", "pie", "donut") })(
    value,
    path,
  );
  switch (kind) {
    case "bar":
    case "stacked":
    case "line":
      return labelShape(value, path);
    case "scatter":
      return scatterShape(value, path);
    case "histogram":
      return histogramShape(value, path);
    case "pie":
    case "donut":
      return pieShape(value, path);
  }
};
