import { TuttiError } from "../../base/errors.ts";
import { fields, flag, oneOf } from "../../base/shape.ts";
import type { Tool } from "../../contracts/callable.ts";
import { schemaOf } from "../../contracts/schema.ts";
import { labelChartSchema } from "../image/chart-schema.ts";
import type { DrawingSettings } from "../image/drawing-tools.ts";
import { toPixels } from "../image/png.ts";
import { ledgerKeeper, mediaFields, type Media } from "../media.ts";
import { tool } from "../tool.ts";
import { animationShape, framesPerSecondMax, secondsMax, toFrames, type Animation } from "./animate-chart.ts";
import { toAnimatedSvg } from "./animated-svg.ts";
import { toApng, type ApngFrame } from "./apng.ts";

export interface AnimateInput {
  readonly animation: Animation;
  /** `svg` (small, sharp) or `apng` (plays wherever PNG is shown). `svg` unless said otherwise. */
  readonly format?: "svg" | "apng";
  /** Whether it begins again after the last frame; it does unless said otherwise. */
  readonly repeats?: boolean;
}

/** How long the last frame stays. */
const holdMs = 2_000;
// Of all frames of an APNG together; each is held as four bytes until it is packed.
const pixelsMax = 120_000_000;

/** `chart.animate`: charts that grow or become each other, as a picture that moves. Needs no provider and no key. */
export function animationTool(settings: DrawingSettings = {}): Tool<AnimateInput, Media> {
  const { keeper = ledgerKeeper, fonts = [] } = settings;
  return tool({
    name: "chart.animate",
    does: "Makes charts with the same labels grow or become each other, as a picture that moves.",
    input: schemaOf<AnimateInput>(animateShape, animateSchema),
    output: schemaOf<Media>(fields(mediaFields), { type: "object" }),
    effect: "read",
    run: async (input, { signal }) => {
      if (input.format !== "apng") return keeper.keep(Buffer.from(animateAsSvg(input)), "image/svg+xml");
      return keeper.keep(await animateAsApng(input, { fonts, signal }), "image/apng");
    },
  });
}

/** The animation as SVG. @throws TuttiError INPUT_INVALID */
export function animateAsSvg({ animation, repeats = true }: Omit<AnimateInput, "format">): string {
  const { svgs, frameMs } = toFrames(animation);
  return toAnimatedSvg(svgs, { frameMs, holdMs, repeats });
}

/** The animation as animated PNG, one pixel per pixel of the chart. @throws TuttiError INPUT_INVALID */
export async function animateAsApng(
  { animation, repeats = true }: Omit<AnimateInput, "format">,
  { fonts, signal }: { readonly fonts?: readonly Uint8Array[]; readonly signal?: AbortSignal } = {},
): Promise<Uint8Array> {
  const { svgs, frameMs } = toFrames(animation);
  const frames: ApngFrame[] = [];
  for (const [index, svg] of svgs.entries()) {
    signal?.throwIfAborted();
    const pixels = await toPixels(svg, { scale: 1, ...(fonts === undefined ? {} : { fonts }) });
    refuseTooMany(pixels.width * pixels.height * svgs.length);
    frames.push({ pixels, delayMs: index === svgs.length - 1 ? holdMs : frameMs });
  }
  return toApng(frames, repeats ? 0 : 1);
}

function refuseTooMany(pixels: number): void {
  if (pixels <= pixelsMax) return;
  throw new TuttiError("INPUT_INVALID", `an animation of ${pixels} pixels in all is too large`, {
    hint: `${pixelsMax} are the most: draw it smaller, with fewer frames, or as svg.`,
  });
}

const animateShape = fields({ animation: animationShape }, { format: oneOf("svg", "apng"), repeats: flag });

const animateSchema = {
  type: "object",
  properties: {
    animation: {
      type: "object",
      properties: {
        charts: {
          type: "array",
          minItems: 1,
          items: labelChartSchema,
          description:
            "Moments in their order, all of one kind, with the same labels and series. A single one grows from zero.",
        },
        seconds: { type: "number", minimum: 0.1, maximum: secondsMax, description: "From one chart to the next." },
        framesPerSecond: { type: "number", minimum: 1, maximum: framesPerSecondMax },
      },
      required: ["charts"],
      additionalProperties: false,
    },
    format: { type: "string", enum: ["svg", "apng"], description: "svg unless said otherwise." },
    repeats: { type: "boolean", description: "It does unless said otherwise." },
  },
  required: ["animation"],
  additionalProperties: false,
};
