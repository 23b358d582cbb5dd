import type { Diagram } from "./diagram.ts";
import { findBack, toLayers, type Layered, type Link, type Route } from "./layers.ts";
import { toTextWidth, wrapText } from "./text-width.ts";

export interface PlacedBox {
  /** The middle. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly label: string;
  readonly lines: readonly string[];
  /** The words of an arrow stand without a frame. */
  readonly isBoxed: boolean;
}

export interface Spot {
  readonly x: number;
  readonly y: number;
}

export interface Line {
  /** From the earlier layer to the later. */
  readonly points: readonly Spot[];
  readonly head: "first" | "last" | "none";
}

export interface PlacedDiagram {
  readonly width: number;
  readonly height: number;
  readonly isDown: boolean;
  readonly boxes: readonly PlacedBox[];
  readonly lines: readonly Line[];
}

export const boxText = { fontSize: 13, lineHeight: 17 } as const;
const labelWidthMax = 170;
const linesMax = 3;
const boxWidthMin = 64;
const padding = { x: 24, y: 18 } as const;
const wayPointSize = 10;
const gap = { beside: 26, between: 44 } as const;
const rounds = 8;
const portPart = 0.6; // of a side, where arrows may begin and end

interface Node {
  readonly size: Pick<PlacedBox, "width" | "height">;
  readonly label: string;
  readonly lines: readonly string[];
  readonly kind: "box" | "label" | "way-point";
}

/** Where everything of a diagram stands, in pixels from its upper left corner. */
export function placeDiagram(diagram: Diagram): PlacedDiagram {
  const isDown = diagram.direction !== "right";
  const graph = toGraph(diagram);
  const layered = toLayers([...graph.nodeById.keys()], graph.links);
  const nodeOf = (id: string): Node => graph.nodeById.get(id) ?? wayPoint;
  const { middles, width: across } = placeAcross(layered, (id) =>
    isDown ? nodeOf(id).size.width : nodeOf(id).size.height,
  );
  const along = placeAlong(layered, (id) => (isDown ? nodeOf(id).size.height : nodeOf(id).size.width));
  const spotOf = (id: string): Spot => {
    const [a, b] = [middles.get(id) ?? 0, along.middleById.get(id) ?? 0];
    return isDown ? { x: a, y: b } : { x: b, y: a };
  };
  const boxes = [...graph.nodeById].map(([id, { size, label, lines, kind }]) => ({
    ...spotOf(id),
    ...size,
    label,
    lines,
    isBoxed: kind === "box",
  }));
  const shift = toPorts(layered.routes, {
    middles,
    sizeOf: (id) => (isDown ? nodeOf(id).size.width : nodeOf(id).size.height),
    kindOf: (id) => nodeOf(id).kind,
  });
  const lines = layered.routes.map((route): Line => {
    const { head = "none" } = graph.links[route.arrow] ?? {};
    return { points: toPoints(route, { nodeOf, spotOf, isDown, shift }), head };
  });
  return { width: isDown ? across : along.length, height: isDown ? along.length : across, isDown, boxes, lines };
}

const wayPoint: Node = { size: { width: wayPointSize, height: wayPointSize }, label: "", lines: [], kind: "way-point" };

interface Graph {
  readonly nodeById: ReadonlyMap<string, Node>;
  readonly links: readonly (Link & Pick<Line, "head">)[];
}

/**
 * The graph whose layers are found: arrows that close a circle are turned round and keep their head where it belongs. The words of an arrow
 * are a node of their own in the middle of it: so they have room, and nothing crosses them.
 */
function toGraph({ boxes, arrows }: Diagram): Graph {
  const nodeById = new Map(boxes.map(({ id, label }): [string, Node] => [toId(id), toNode(label, "box")]));
  const back = findBack(
    boxes.map(({ id }) => id),
    arrows,
  );
  const links = arrows.flatMap(({ from, to, label }, index): Graph["links"] => {
    const isBack = back.has(index);
    const [first, last] = isBack ? [toId(to), toId(from)] : [toId(from), toId(to)];
    const words = from === to ? label?.trim() || "↻" : label?.trim(); // an arrow to itself needs something to go round
    if (words === undefined || words === "") return [{ from: first, to: last, head: isBack ? "first" : "last" }];
    const between = `label ${index}`;
    nodeById.set(between, toNode(words, "label"));
    if (from === to) {
      return [
        { from: first, to: between, head: "none" },
        { from: first, to: between, head: "first" },
      ];
    }
    return [
      { from: first, to: between, head: isBack ? "first" : "none" },
      { from: between, to: last, head: isBack ? "none" : "last" },
    ];
  });
  return { nodeById, links };
}

// Boxes, words of arrows and way points share one map; the prefix keeps a box from being taken for one of them.
function toId(id: string): string {
  return `box ${id}`;
}

function toNode(label: string, kind: "box" | "label"): Node {
  const lines = wrapText(label, { widthMax: labelWidthMax, fontSize: boxText.fontSize, linesMax });
  const widest = Math.max(0, ...lines.map((line) => toTextWidth(line, boxText.fontSize)));
  const height = Math.max(1, lines.length) * boxText.lineHeight;
  const size =
    kind === "box"
      ? { width: Math.max(boxWidthMin, widest + padding.x), height: height + padding.y }
      : { width: widest + 8, height: height + 6 };
  return { size, label, lines, kind };
}

/** Each layer packed around the middle, then drawn towards its neighbours as far as order and gaps allow. */
function placeAcross(
  { layers, routes }: Layered,
  sizeOf: (id: string) => number,
): { readonly middles: ReadonlyMap<string, number>; readonly width: number } {
  const neighbours = new Map<string, string[]>();
  for (const { ids } of routes) {
    for (const [index, id] of ids.entries()) {
      neighbours.set(id, [
        ...(neighbours.get(id) ?? []),
        ...[ids[index - 1], ids[index + 1]].filter((other) => other !== undefined),
      ]);
    }
  }
  const middles = new Map<string, number>();
  for (const layer of layers) {
    const total = layer.reduce((sum, id) => sum + sizeOf(id) + gap.beside, -gap.beside);
    let at = -total / 2;
    for (const id of layer) {
      middles.set(id, at + sizeOf(id) / 2);
      at += sizeOf(id) + gap.beside;
    }
  }
  for (let round = 0; round < rounds; round++) {
    for (const layer of round % 2 === 0 ? layers : layers.toReversed()) {
      const wanted = layer.map((id) => {
        const near = neighbours.get(id) ?? [];
        const own = middles.get(id) ?? 0;
        return near.length === 0 ? own : near.reduce((sum, other) => sum + (middles.get(other) ?? 0), 0) / near.length;
      });
      for (const [index, place] of keepApart(wanted, layer.map(sizeOf)).entries())
        middles.set(layer[index] ?? "", place);
    }
  }
  const lefts = [...middles].map(([id, middle]) => middle - sizeOf(id) / 2);
  const left = Math.min(...lefts);
  const right = Math.max(...[...middles].map(([id, middle]) => middle + sizeOf(id) / 2));
  return { middles: new Map([...middles].map(([id, middle]) => [id, middle - left])), width: right - left };
}

// Pushing from the left favours the right and the other way round; the mean of both keeps every gap and favours nobody.
function keepApart(wanted: readonly number[], sizes: readonly number[]): readonly number[] {
  const right = pushApart(wanted, sizes);
  const mirrored = wanted.map((place) => -place).toReversed();
  const left = pushApart(mirrored, sizes.toReversed())
    .map((place) => -place)
    .toReversed();
  return right.map((place, index) => (place + (left[index] ?? place)) / 2);
}

function pushApart(places: readonly number[], sizes: readonly number[]): readonly number[] {
  const pushed: number[] = [];
  for (const [index, place] of places.entries()) {
    const before = pushed[index - 1];
    const apart = ((sizes[index - 1] ?? 0) + (sizes[index] ?? 0)) / 2 + gap.beside;
    pushed.push(before === undefined ? place : Math.max(place, before + apart));
  }
  return pushed;
}

function placeAlong(
  { layers }: Layered,
  sizeOf: (id: string) => number,
): { readonly middleById: ReadonlyMap<string, number>; readonly length: number } {
  const middleById = new Map<string, number>();
  let at = 0;
  for (const layer of layers) {
    const thickness = Math.max(wayPointSize, ...layer.map(sizeOf));
    for (const id of layer) middleById.set(id, at + thickness / 2);
    at += thickness + gap.between;
  }
  return { middleById, length: at - gap.between };
}

interface Ports {
  readonly middles: ReadonlyMap<string, number>;
  readonly sizeOf: (id: string) => number;
  readonly kindOf: (id: string) => Node["kind"];
}

/** How far from the middle of a box each of its arrows begins or ends, so that they don't lie on each other. */
function toPorts(
  routes: readonly Route[],
  { middles, sizeOf, kindOf }: Ports,
): (route: Route, end: "first" | "last") => number {
  const shifts = new Map<Route, { first: number; last: number }>(routes.map((route) => [route, { first: 0, last: 0 }]));
  for (const end of ["first", "last"] as const) {
    const idAt = ({ ids }: Route): string => (end === "first" ? ids[0] : ids.at(-1)) ?? "";
    const nextTo = ({ ids }: Route): number => middles.get((end === "first" ? ids[1] : ids.at(-2)) ?? "") ?? 0;
    for (const [id, group] of Map.groupBy(routes, idAt)) {
      if (kindOf(id) !== "box") continue;
      const sorted = group.toSorted((one, other) => nextTo(one) - nextTo(other));
      const room = sizeOf(id) * portPart;
      for (const [index, route] of sorted.entries()) {
        const shift = shifts.get(route);
        if (shift !== undefined) shift[end] = room * ((index + 1) / (sorted.length + 1) - 0.5);
      }
    }
  }
  return (route, end) => shifts.get(route)?.[end] ?? 0;
}

interface Ends {
  readonly nodeOf: (id: string) => Node;
  readonly spotOf: (id: string) => Spot;
  readonly isDown: boolean;
  readonly shift: (route: Route, end: "first" | "last") => number;
}

function toPoints(route: Route, { nodeOf, spotOf, isDown, shift }: Ends): readonly Spot[] {
  return route.ids.flatMap((id, index): readonly Spot[] => {
    const { x, y } = spotOf(id);
    const { width, height } = nodeOf(id).size;
    const isFirst = index === 0;
    if (!isFirst && index < route.ids.length - 1) return [{ x, y }];
    const aside = shift(route, isFirst ? "first" : "last");
    const half = (isDown ? height : width) / (isFirst ? 2 : -2);
    return [isDown ? { x: x + aside, y: y + half } : { x: x + half, y: y + aside }];
  });
}
