import { fields, oneOf, type Shape } from "../../base/shape.ts";
import type { Tool } from "../../contracts/callable.ts";
import type { Schema } from "../../contracts/schema.ts";
import { schemaOf } from "../../contracts/schema.ts";
import { ledgerKeeper, mediaFields, type Media, type MediaKeeper } from "../media.ts";
import { tool } from "../tool.ts";
import { chartInputSchema, diagramInputSchema } from "./chart-schema.ts";
import { chartShape, type Chart } from "./chart.ts";
import { diagramShape, type Diagram } from "./diagram.ts";
import { drawChart } from "./draw-chart.ts";
import { drawDiagram } from "./draw-diagram.ts";
import { toPng } from "./png.ts";

export type PictureFormat = "svg" | "png";

export interface DrawingSettings {
  /** Where pictures stay: in the ledger unless said otherwise. */
  readonly keeper?: MediaKeeper;
  /** Fonts for PNG (TrueType, OpenType or WOFF), for scripts that DejaVu Sans can't write. */
  readonly fonts?: readonly Uint8Array[];
}

export interface DrawChartInput {
  readonly chart: Chart;
  /** `svg` unless said otherwise. */
  readonly format?: PictureFormat;
}

export interface DrawDiagramInput {
  readonly diagram: Diagram;
  /** `svg` unless said otherwise. */
  readonly format?: PictureFormat;
}

/** `chart.draw`: needs no provider and no key, and draws the same picture from the same data everywhere. */
export function chartTool(settings: DrawingSettings = {}): Tool<DrawChartInput, Media> {
  return tool({
    name: "chart.draw",
    does: "Draws a chart from numbers: bars, stacked bars, lines, dots, a histogram, a pie or a donut.",
    input: schemaOf<DrawChartInput>(withFormat({ chart: chartShape }), chartInputSchema),
    output: mediaSchema,
    effect: "read",
    run: ({ chart, format }) => keepPicture(drawChart(chart), format, settings),
  });
}

/** `diagram.draw`: boxes and arrows, laid out by itself. */
export function diagramTool(settings: DrawingSettings = {}): Tool<DrawDiagramInput, Media> {
  return tool({
    name: "diagram.draw",
    does: "Draws a diagram of boxes and the arrows between them, and finds the places by itself.",
    input: schemaOf<DrawDiagramInput>(withFormat({ diagram: diagramShape }), diagramInputSchema),
    output: mediaSchema,
    effect: "read",
    run: ({ diagram, format }) => keepPicture(drawDiagram(diagram), format, settings),
  });
}

const mediaSchema: Schema<Media> = schemaOf<Media>(fields(mediaFields), { type: "object" });

function withFormat<const Data extends Readonly<Record<string, Shape<unknown>>>>(data: Data) {
  return fields(data, { format: oneOf("svg", "png") });
}

async function keepPicture(
  svg: string,
  format: PictureFormat = "svg",
  { keeper = ledgerKeeper, fonts = [] }: DrawingSettings,
): Promise<Media> {
  if (format === "png") return keeper.keep(await toPng(svg, { fonts }), "image/png");
  return keeper.keep(Buffer.from(svg), "image/svg+xml");
}
