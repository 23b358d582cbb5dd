// Reads SVG that Tutti drew: where its texts and marks are, so that tests can say what must not happen to them.
import { toTextWidth } from "../../packages/tutti/src/tools/image/text-width.ts";

export interface Place {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface DrawnText extends Place {
  readonly content: string;
  readonly kinds: readonly string[];
  readonly isTurned: boolean;
  /** Where it is anchored. */
  readonly x: number;
  readonly y: number;
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly texts: readonly DrawnText[];
  /** Rectangles and shapes, without the paper. */
  readonly marks: readonly (Place & { readonly tag: string; readonly kinds: readonly string[] })[];
}

export function readPicture(svg: string): Picture {
  const [, width = "", height = ""] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? [];
  const body = svg.slice(svg.indexOf("</desc>"));
  return {
    width: Number(width),
    height: Number(height),
    texts: [...body.matchAll(/<text ([^>]*)>([^<]*)<\/text>/g)].map(([, attributes = "", content = ""]) =>
      toText(toAttributes(attributes), content),
    ),
    marks: [...body.matchAll(/<(rect|path) ([^>]*?)\/?>/g)]
      .slice(1)
      .map(([, tag = "", attributes = ""]) => toMark(tag, toAttributes(attributes))),
  };
}

type Attributes = Readonly<Record<string, string>>;

function toAttributes(text: string): Attributes {
  return Object.fromEntries(
    [...text.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name = "", value = ""]) => [name, value]),
  );
}

function toText(attributes: Attributes, escaped: string): DrawnText {
  const content = escaped
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");
  const [x, y, size] = [Number(attributes["x"]), Number(attributes["y"]), Number(attributes["font-size"])];
  const width = toTextWidth(content, size);
  const isTurned = attributes["transform"] !== undefined;
  const anchor = attributes["text-anchor"];
  const left = anchor === "end" ? x - width : anchor === "middle" ? x - width / 2 : x;
  const flat = { left, right: left + width, top: y - size * 0.8, bottom: y + size * 0.25 };
  const leg = width * Math.SQRT1_2;
  const place = isTurned ? { left: x - leg, right: x + size * 0.6, top: y - size, bottom: y + leg + 3 } : flat;
  return { ...place, content, kinds: (attributes["class"] ?? "").split(" "), isTurned, x, y };
}

function toMark(tag: string, attributes: Attributes): Picture["marks"][number] {
  const kinds = (attributes["class"] ?? "").split(" ");
  if (tag === "rect") {
    const [left, top] = [Number(attributes["x"]), Number(attributes["y"])];
    return {
      tag,
      kinds,
      left,
      top,
      right: left + Number(attributes["width"]),
      bottom: top + Number(attributes["height"]),
    };
  }
  const [, dx = "0", dy = "0"] = /translate\(([-\d.]+) ([-\d.]+)\)/.exec(attributes["transform"] ?? "") ?? [];
  // Arcs name radii and flags before their end; control points of curves are as good as their ends, since curves stay between them.
  const path = (attributes["d"] ?? "")
    .replaceAll(/A[-\d.]+ [-\d.]+ 0 [01] [01] /g, "L")
    .replaceAll(/H([-\d.]+)/g, "L$1 0")
    .replaceAll(/V([-\d.]+)/g, "L0 $1");
  const numbers = [...path.matchAll(/-?\d+(?:\.\d+)?/g)].map(Number);
  const xs = numbers.filter((_, index) => index % 2 === 0).map((value) => value + Number(dx));
  const ys = numbers.filter((_, index) => index % 2 === 1).map((value) => value + Number(dy));
  return { tag, kinds, left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
}

/** What stands outside the picture, or holds a number that is none. */
export function findOutside({ width, height, texts, marks }: Picture): readonly unknown[] {
  const slack = 0.51;
  return [...texts, ...marks].filter(
    ({ left, top, right, bottom }) =>
      !(left >= -slack && top >= -slack && right <= width + slack && bottom <= height + slack),
  );
}

/** Texts that touch each other. Turned ones run side by side and are compared by the distance of their lines. */
export function findTouching(texts: readonly DrawnText[]): readonly (readonly [string, string])[] {
  return texts.flatMap((one, index) =>
    texts.slice(index + 1).flatMap((other): (readonly [string, string])[] => {
      const touches =
        one.isTurned && other.isTurned
          ? Math.abs(one.x - other.x) * Math.SQRT1_2 < 11
          : one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
      return touches ? [[one.content, other.content]] : [];
    }),
  );
}
