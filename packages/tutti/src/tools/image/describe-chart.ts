import { toBins } from "./bins.ts";
import type { Chart } from "./chart.ts";
import { toValueText } from "./ticks.ts";

const itemsMax = 12;
const nameMax = 60;

/** What a chart shows, in words: its kind, and its values as far as they can be listened to. */
export function describeChart(chart: Chart): string {
  switch (chart.kind) {
    case "bar":
      return `A bar chart. ${toSeriesWords(chart)}`;
    case "stacked":
      return `A chart of stacked bars. ${toSeriesWords(chart)}`;
    case "line":
      return `A line chart. ${toSeriesWords(chart)}`;
    case "scatter":
      return `A scatter chart. ${chart.series.map(({ name, points }) => `${toName(name)}: ${toCount(points.length, "point")}`).join("; ")}.`;
    case "histogram": {
      const bins = toBins(chart).map((bin) => `${toValueText(bin.from)} to ${toValueText(bin.to)}: ${bin.count}`);
      return `A histogram of ${toCount(chart.values.length, "value")}. ${toList(bins)}.`;
    }
    case "pie":
    case "donut":
      return `A ${chart.kind} chart. ${toList(chart.parts.map(({ label, value }) => `${toName(label)}: ${toValueText(value)}`))}.`;
  }
}

function toSeriesWords({ labels, series }: Extract<Chart, { kind: "bar" | "stacked" | "line" }>): string {
  return series
    .map(({ name, values }) => {
      const items = values.map((value, index) => `${toName(labels[index] ?? "")} ${toValueText(value)}`);
      return series.length === 1 ? `${toList(items)}.` : `${toName(name)}: ${toList(items)}.`;
    })
    .join(" ");
}

function toList(items: readonly string[]): string {
  const shown = items.slice(0, itemsMax).join("; ");
  return items.length > itemsMax ? `${shown}; and ${items.length - itemsMax} more` : shown;
}

function toName(name: string): string {
  return name.length > nameMax ? `${name.slice(0, nameMax - 1)}…` : name;
}

function toCount(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
