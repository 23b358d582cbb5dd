import { sideMax, sideMin } from "./chart.ts";
import { seriesMax } from "./svg.ts";

type JsonSchema = Readonly<Record<string, unknown>>;

const words = (description: string): JsonSchema => ({ type: "string", description });
const listOf = (items: JsonSchema, description?: string): JsonSchema => ({
  type: "array",
  minItems: 1,
  items,
  ...(description === undefined ? {} : { description }),
});
const objectOf = (properties: Readonly<Record<string, JsonSchema>>, optional: readonly string[] = []): JsonSchema => ({
  type: "object",
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  additionalProperties: false,
});

const number: JsonSchema = { type: "number" };
const kind = (...kinds: readonly string[]): JsonSchema => ({ type: "string", enum: kinds });
const side: JsonSchema = { type: "integer", minimum: sideMin, maximum: sideMax, description: "In pixels." };
const look = {
  title: words("What the picture says, in a few words."),
  description: words("For those who can't see it; made from the data where it is left out."),
  width: side,
  height: side,
  theme: kind("auto", "light", "dark"),
};
const axes = { xTitle: words("What the places are."), yTitle: words("What the values are, with their unit.") };
const optional = ["description", "width", "height", "theme", "xTitle", "yTitle"];
const ofSeries = (values: Readonly<Record<string, JsonSchema>>): JsonSchema => ({
  ...listOf(objectOf({ name: words("As the legend says it."), ...values })),
  maxItems: seriesMax,
});

/** Bars, stacked bars or lines. */
export const labelChartSchema: JsonSchema = objectOf(
  {
    kind: kind("bar", "stacked", "line"),
    ...look,
    labels: listOf({ type: "string" }, "One per place, in their order."),
    series: ofSeries({ values: listOf(number, "One per label.") }),
    ...axes,
    direction: { ...kind("up", "right"), description: "Bars only: right where labels are long." },
    range: objectOf({ from: number, to: number }),
  },
  [...optional, "direction", "range"],
);

const chart: JsonSchema = {
  anyOf: [
    labelChartSchema,
    objectOf(
      {
        kind: kind("scatter"),
        ...look,
        series: ofSeries({ points: listOf(objectOf({ x: number, y: number })) }),
        ...axes,
      },
      optional,
    ),
    objectOf(
      {
        kind: kind("histogram"),
        ...look,
        values: listOf(number, "All of them, in any order."),
        bins: { type: "integer", minimum: 1, description: "About how many bars." },
        ...axes,
      },
      [...optional, "bins"],
    ),
    objectOf(
      {
        kind: kind("pie", "donut"),
        ...look,
        parts: listOf(objectOf({ label: { type: "string" }, value: { type: "number", minimum: 0 } })),
      },
      optional,
    ),
  ],
};

const diagram: JsonSchema = objectOf(
  {
    ...look,
    boxes: listOf(objectOf({ id: { type: "string" }, label: words("What stands in the box.") })),
    arrows: {
      type: "array",
      items: objectOf(
        { from: words("The id of a box."), to: words("The id of a box."), label: words("What stands at it.") },
        ["label"],
      ),
    },
    direction: kind("down", "right"),
  },
  [...optional, "direction"],
);

const format: JsonSchema = { type: "string", enum: ["svg", "png"], description: "svg unless said otherwise." };

/** What models are told about the input of `chart.draw`. */
export const chartInputSchema: Record<string, unknown> = { ...objectOf({ chart, format }, ["format"]) };

/** What models are told about the input of `diagram.draw`. */
export const diagramInputSchema: Record<string, unknown> = { ...objectOf({ diagram, format }, ["format"]) };
