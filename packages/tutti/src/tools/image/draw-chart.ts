import { sha256 } from "../../base/hash.ts";
import { toCanonicalJson } from "../../base/json.ts";
import { drawAxesChart } from "./axes-chart.ts";
import { drawTitle, margin } from "./axes.ts";
import { parseChart, sideDefault, type Chart } from "./chart.ts";
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
  const drawing = toDrawing(checked, describeChart(checked));
  return toDocument(drawing, drawMarks(openPen(drawing.theme), checked, drawing));
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
