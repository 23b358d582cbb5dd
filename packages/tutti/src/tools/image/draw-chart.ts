import { sha256 } from "../../base/hash.ts";
import { toCanonicalJson } from "../../base/json.ts";
import { drawAxesChart } from "./axes-chart.ts";
import { drawTitle, margin } from "./axes.ts";
import { parseChart, sideDefault, sideMax, sideMin, type Chart } from "./chart.ts";
import { describeChart } from "./describe-chart.ts";
import { drawLegend } from "./legend.ts";
import { drawPie } from "./pie.ts";
import { openPen, toDocument, type Drawing, type Pen } from "./svg.ts";

/**
 * A chart as SVG: the same data gives the same text. Labels don't overlap and nothing leaves the picture, however many, long or large
 * the data; what does not fit is cut with `…` and whole in the tooltip.
 * @throws TuttiError INPUT_INVALID, naming the place in the data.
 */
export function drawChart(chart: Chart): string {
  const checked = parseChart(chart);
  const drawing = { ...toDrawing(checked, describeChart(checked)), height: checked.height ?? toHeight(checked) };
  return toDocument(drawing, drawMarks(openPen(drawing.theme), checked, drawing));
}

const rowHeight = 16;
const rowGap = 10;
const aroundRows = 150; // title, legend and axis

/** Bars that lie get the height that they need to be read; all else its proportions. */
function toHeight(chart: Chart): number {
  if (!("labels" in chart) || chart.direction !== "right") return sideDefault.height;
  const across = chart.kind === "stacked" ? 1 : chart.series.length;
  return Math.min(sideMax, Math.max(sideMin, chart.labels.length * (across * rowHeight + rowGap) + aroundRows));
}

function drawMarks(pen: Pen, chart: Chart, { width, height }: Drawing): readonly string[] {
  const whole = { left: margin, top: margin, width: width - 2 * margin, height: height - 2 * margin };
  const title = drawTitle(pen, chart.title, whole);
  if ("parts" in chart) return [...title.marks, ...drawPie(pen, chart, title.room)];
  if (chart.kind === "histogram" || chart.series.length === 1)
    return [...title.marks, ...drawAxesChart(pen, chart, title.room)];
  const names = chart.series.map((series) => series.name);
  const legend = drawLegend(
    pen,
    { names, sign: chart.kind === "line" || chart.kind === "scatter" ? "marker" : "square" },
    title.room,
  );
  return [...title.marks, ...legend.marks, ...drawAxesChart(pen, chart, legend.room)];
}

/** Size, theme and names of a picture. Its id follows from its data, so that it is the same whenever it is drawn. */
export function toDrawing(
  picture: Pick<Chart, "title" | "description" | "width" | "height" | "theme">,
  description: string,
): Drawing {
  return {
    width: picture.width ?? sideDefault.width,
    height: picture.height ?? sideDefault.height,
    theme: picture.theme ?? "auto",
    id: `p${sha256(toCanonicalJson(picture)).slice(0, 10)}`,
    title: picture.title,
    description: picture.description ?? description,
  };
}
