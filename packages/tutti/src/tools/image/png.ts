import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import type { Resvg as ResvgClass } from "@resvg/resvg-wasm";

import { TuttiError } from "../../base/errors.ts";
import { readShippedFont, toFont, type Font } from "./font.ts";

export interface PngOptions {
  /** Pixels of the picture per pixel of the SVG, 2 by default: sharp on dense screens. */
  readonly scale?: number;
  /** Fonts (TrueType, OpenType or WOFF) for scripts that DejaVu Sans can't write. The first one that has a sign writes it. */
  readonly fonts?: readonly Uint8Array[];
}

/** A picture as pixels: red, green, blue and opacity, row by row. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8Array;
}

const scaleDefault = 2;
const scaleMax = 4;
const svgBytesMax = 4 * 1024 * 1024;
const pixelsMax = 16_000_000;

type Resvg = typeof ResvgClass;
type Rendered = ReturnType<InstanceType<Resvg>["render"]>;

let loaded: Promise<Resvg> | undefined;

/**
 * An SVG as PNG, drawn in this process (resvg, compiled to WebAssembly; loaded on first use). No system font and no file is looked at:
 * the same SVG gives the same bytes everywhere.
 * @throws TuttiError INPUT_INVALID when it is not SVG or too large, TOOL_FAILED when it holds a sign that no given font can write.
 */
export function toPng(svg: string, options: PngOptions = {}): Promise<Uint8Array> {
  return render(svg, options, (image) => image.asPng());
}

/** Like `toPng`, but the bare pixels. */
export function toPixels(svg: string, options: PngOptions = {}): Promise<Pixels> {
  return render(svg, options, ({ width, height, pixels }) => ({ width, height, rgba: pixels }));
}

async function render<Output>(svg: string, options: PngOptions, take: (image: Rendered) => Output): Promise<Output> {
  const scale = options.scale ?? scaleDefault;
  if (!(scale > 0 && scale <= scaleMax)) {
    throw new TuttiError("INPUT_INVALID", `a picture can't be drawn at scale ${scale}`, {
      hint: `Say more than 0, and ${scaleMax} at most.`,
    });
  }
  if (svg.length > svgBytesMax) {
    throw new TuttiError("INPUT_INVALID", `an SVG of ${svg.length} characters is too large to draw`, {
      hint: `${svgBytesMax} are the most: draw less.`,
    });
  }
  const fonts = [await readShippedFont(), ...(options.fonts ?? []).map(toFont)];
  refuseUnwritable(svg, fonts);
  return draw(await load(), svg, { scale, fonts, take });
}

interface Drawing<Output> {
  readonly scale: number;
  readonly fonts: readonly Font[];
  readonly take: (image: Rendered) => Output;
}

function draw<Output>(Drawer: Resvg, svg: string, { scale, fonts, take }: Drawing<Output>): Output {
  const family = "DejaVu Sans";
  const font = {
    fontBuffers: fonts.map(({ content }) => content),
    loadSystemFonts: false,
    defaultFontFamily: family,
    sansSerifFamily: family,
  };
  let drawer: InstanceType<Resvg> | undefined;
  let image: Rendered | undefined;
  try {
    drawer = new Drawer(svg, { fitTo: { mode: "zoom", value: scale }, font });
    if (drawer.width * drawer.height * scale * scale > pixelsMax) {
      throw new TuttiError(
        "INPUT_INVALID",
        `a picture of ${drawer.width} × ${drawer.height} at scale ${scale} is too large`,
        { hint: `${pixelsMax} pixels are the most.` },
      );
    }
    image = drawer.render();
    return take(image);
  } catch (error) {
    if (error instanceof TuttiError) throw error;
    throw new TuttiError("INPUT_INVALID", "this SVG can't be drawn", {
      hint: "Is it a whole SVG document, with a size?",
      cause: new Error(String(error)),
    });
  } finally {
    image?.free(); // memory of WebAssembly is not collected
    drawer?.free();
  }
}

/** A sign without a glyph would become an empty box, and nobody would know what was said. */
function refuseUnwritable(svg: string, fonts: readonly Font[]): void {
  const written = [...svg.matchAll(/<text[^>]*>([\s\S]*?)<\/text>/g)]
    .map(([, text = ""]) => text.replaceAll(/<[^>]*>/g, ""))
    .join("");
  const missing = new Set<string>();
  for (const sign of written) {
    const code = sign.codePointAt(0) ?? 0;
    if (code > 32 && !/\p{Cf}|\p{Zs}|\p{Variation_Selector}/u.test(sign) && !fonts.some((font) => font.has(code)))
      missing.add(sign);
  }
  if (missing.size === 0) return;
  const [first = ""] = missing;
  const name = `U+${(first.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
  throw new TuttiError(
    "TOOL_FAILED",
    `no font can write ${JSON.stringify(first)} (${name})${missing.size > 1 ? ` and ${missing.size - 1} other signs` : ""}`,
    {
      hint: "Take the SVG, which the reader's own fonts write, or give `fonts` that have these signs.",
      facts: { signs: [...missing].slice(0, 20).join("") },
    },
  );
}

function load(): Promise<Resvg> {
  loaded ??= loadOnce();
  return loaded;
}

async function loadOnce(): Promise<Resvg> {
  const { initWasm, Resvg } = await import("@resvg/resvg-wasm");
  if (canDraw(Resvg)) return Resvg;
  await initWasm(await readFile(createRequire(import.meta.url).resolve("@resvg/resvg-wasm/index_bg.wasm")));
  return Resvg;
}

// Whoever else uses it in this process may have loaded it before, and it refuses to be loaded twice.
function canDraw(Drawer: Resvg): boolean {
  try {
    new Drawer(`<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>`).free();
    return true;
  } catch {
    return false;
  }
}
