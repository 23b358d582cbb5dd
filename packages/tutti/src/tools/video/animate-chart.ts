import { ShapeError, type Shape } from "../../base/shape.ts";
import { toRange } from "../image/axes-chart.ts";
import { chartShape, listWithin, parseDrawn, type LabelChart } from "../image/chart.ts";
import { drawChart } from "../image/draw-chart.ts";

/** Charts that become each other: a title per moment, the same labels and series in all. A single one grows from zero. */
export interface Animation {
  readonly charts: readonly LabelChart[];
  /** From one chart to the next, 1.2 by default. */
  readonly seconds?: number;
  /** 12 by default. */
  readonly framesPerSecond?: number;
}

export interface AnimationFrames {
  readonly svgs: readonly string[];
  readonly frameMs: number;
}

const chartsMax = 60;
export const secondsMax = 10;
export const framesPerSecondMax = 30;
const framesMax = 240;
const secondsDefault = 1.2;
const framesPerSecondDefault = 12;

const labelChart: Shape<LabelChart> = (value, path) => {
  const chart = chartShape(value, path);
  if (chart.kind === "bar" || chart.kind === "stacked" || chart.kind === "line") return chart;
  throw new ShapeError(`${path}.kind`, "bar, stacked or line", chart.kind);
};

/** @throws ShapeError naming the place: charts of different kinds, labels or series, or too many frames. */
export const animationShape: Shape<Animation> = (value, path) => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every member that is read is checked below
  const given = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  const charts = listWithin(labelChart, 1, chartsMax)(given["charts"], "charts");
  const seconds = within(given["seconds"] ?? secondsDefault, "seconds", [0.1, secondsMax]);
  const framesPerSecond = within(given["framesPerSecond"] ?? framesPerSecondDefault, "framesPerSecond", [
    1,
    framesPerSecondMax,
  ]);
  const [first] = charts;
  for (const [index, chart] of charts.entries()) {
    for (const part of ["kind", "labels", "direction", "width", "height", "theme", "names"] as const) {
      if (JSON.stringify(toPart(chart, part)) === JSON.stringify(first && toPart(first, part))) continue;
      throw new ShapeError(
        `charts[${index}]`,
        `a chart of the same ${part === "names" ? "series" : part} as the first`,
        "another",
      );
    }
  }
  const frames = Math.max(1, charts.length - 1) * Math.round(seconds * framesPerSecond) + 1;
  if (frames > framesMax) throw new ShapeError(path, `an animation of at most ${framesMax} frames`, frames);
  return { charts, seconds, framesPerSecond };
};

function toPart(
  chart: LabelChart,
  part: "kind" | "labels" | "direction" | "width" | "height" | "theme" | "names",
): unknown {
  return part === "names" ? chart.series.map((series) => series.name) : (chart[part] ?? null);
}

function within(value: unknown, path: string, [min, max]: readonly [number, number]): number {
  if (typeof value === "number" && value >= min && value <= max) return value;
  throw new ShapeError(path, `a number from ${min} to ${max}`, value);
}

/**
 * Every frame of an animation as SVG, all with the same axis of values.
 * @throws TuttiError INPUT_INVALID, naming the place in the data.
 */
export function toFrames(animation: Animation): AnimationFrames {
  const {
    charts,
    seconds = secondsDefault,
    framesPerSecond = framesPerSecondDefault,
  } = parseDrawn(animationShape, animation, "the animation");
  const ranges = charts.map(toRange);
  const range = { from: Math.min(...ranges.map(({ from }) => from)), to: Math.max(...ranges.map(({ to }) => to)) };
  // What lies between is rounded so that the numbers at the bars stay readable and the bars still move smoothly.
  const unit = range.to > range.from ? 10 ** (Math.floor(Math.log10(range.to - range.from)) - 2) : 1;
  const moments = charts.length === 1 ? [...charts.map(toZero), ...charts] : charts;
  const steps = Math.round(seconds * framesPerSecond);
  const svgs = moments.slice(1).flatMap((next, index) => {
    const before = moments[index] ?? next;
    const isFirst = index === 0;
    return Array.from({ length: steps + (isFirst ? 1 : 0) }, (_, step) => {
      const part = (step + (isFirst ? 0 : 1)) / steps;
      return drawChart({ ...mix(before, next, { part: ease(part), unit }), range });
    });
  });
  return { svgs, frameMs: 1_000 / framesPerSecond };
}

function toZero(chart: LabelChart): LabelChart {
  return { ...chart, series: chart.series.map((series) => ({ ...series, values: series.values.map(() => 0) })) };
}

/** Slow, fast, slow. */
function ease(part: number): number {
  return part * part * (3 - 2 * part);
}

function mix(
  before: LabelChart,
  next: LabelChart,
  { part, unit }: { readonly part: number; readonly unit: number },
): LabelChart {
  if (part === 0) return before;
  if (part === 1) return next;
  const series = next.series.map(({ name, values }, which) => ({
    name,
    values: values.map((value, index) => {
      const from = before.series[which]?.values[index] ?? 0;
      return Math.round((from + (value - from) * part) / unit) * unit;
    }),
  }));
  return { ...(part < 0.5 ? before : next), series };
}
