import { escapeHtml } from "./html.ts";

export interface BarChart {
  readonly title: string;
  readonly bars: readonly { readonly label: string; readonly value: number }[];
}

const width = 640;
const labelWidth = 232;
const valueWidth = 40;
const rowHeight = 30;
const barHeight = 16;
const labelMax = 26;
const barsMax = 10;

/**
 * A bar chart as SVG that reads well in light and dark, small and large, by eye and by ear. Rows have a fixed height and labels
 * a fixed column, so nothing can overlap; what does not fit is cut for the eye and whole in the tooltip.
 */
export function drawBarChart(chart: BarChart): string {
  const bars = toShownBars(chart.bars);
  const most = Math.max(1, ...bars.map((bar) => bar.value));
  const height = bars.length * rowHeight + 6;
  const rows = bars.map((bar, index) => {
    const y = index * rowHeight;
    const length = Math.max(2, ((width - labelWidth - valueWidth) * bar.value) / most);
    const label = bar.label.length > labelMax ? `${bar.label.slice(0, labelMax - 1)}…` : bar.label;
    const middle = y + rowHeight / 2;
    return [
      `<g><title>${escapeHtml(`${bar.label}: ${bar.value}`)}</title>`,
      `<text class="label" x="${labelWidth - 12}" y="${middle}" text-anchor="end" dominant-baseline="central">${escapeHtml(label)}</text>`,
      `<rect class="${bar.isRest ? "bar rest" : "bar"}" x="${labelWidth}" y="${y + (rowHeight - barHeight) / 2}" width="${round(length)}" height="${barHeight}" rx="3"/>`,
      `<text class="value" x="${round(labelWidth + length + 8)}" y="${middle}" dominant-baseline="central">${bar.value}</text></g>`,
    ].join("");
  });
  const spoken = bars.map((bar) => `${bar.label}: ${bar.value}`).join("; ");
  return [
    `<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="chart-title chart-description" xmlns="http://www.w3.org/2000/svg">`,
    `<title id="chart-title">${escapeHtml(chart.title)}</title>`,
    `<desc id="chart-description">A bar chart. ${escapeHtml(spoken)}.</desc>`,
    `<line class="axis" x1="${labelWidth}" y1="0" x2="${labelWidth}" y2="${height}"/>`,
    ...rows,
    "</svg>",
  ].join("\n");
}

interface ShownBar {
  readonly label: string;
  readonly value: number;
  /** Stands for several that are too many to show. */
  readonly isRest: boolean;
}

function toShownBars(bars: BarChart["bars"]): ShownBar[] {
  const sorted = bars.toSorted((left, right) => right.value - left.value).map((bar) => ({ ...bar, isRest: false }));
  if (sorted.length <= barsMax) return sorted;
  const rest = sorted.slice(barsMax - 1);
  const value = rest.reduce((sum, bar) => sum + bar.value, 0);
  return [...sorted.slice(0, barsMax - 1), { label: `${rest.length} others`, value, isRest: true }];
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
