import type { HistogramChart } from "./chart.ts";
import { toScale, type Scale } from "./ticks.ts";

export interface Bin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

const binsMin = 5;
const binsMax = 30;

/** The edges of a histogram's bars: round numbers. By default about as many bars as the square root of the number of values. */
export function toBinScale({ values, bins }: HistogramChart): Scale {
  const count = bins ?? Math.min(binsMax, Math.max(binsMin, Math.ceil(Math.sqrt(values.length))));
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return toScale(low, high, count + 1);
}

/** How many values lie between two edges: the lower edge counts, the upper one only in the last bar. */
export function toBins(chart: HistogramChart): readonly Bin[] {
  const { ticks } = toBinScale(chart);
  const counts = ticks.slice(1).map(() => 0);
  for (const value of chart.values) {
    const at = Math.min(
      ticks.findLastIndex((tick) => tick <= value),
      counts.length - 1,
    );
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return counts.map((count, index) => ({ from: ticks[index] ?? 0, to: ticks[index + 1] ?? 0, count }));
}
