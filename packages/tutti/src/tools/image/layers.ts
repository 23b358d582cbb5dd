/** Which layer a thing stands in, and where in it. */
export interface Layered {
  /** Per layer the ids in their order; ids of way points (where an arrow passes a layer) among them. */
  readonly layers: readonly (readonly string[])[];
  /** Per arrow the ids that it passes, its ends included, from the upper layer to the lower. */
  readonly routes: readonly Route[];
}

export interface Route {
  readonly ids: readonly string[];
  /** Which of the given arrows. */
  readonly arrow: number;
}

export interface Link {
  readonly from: string;
  readonly to: string;
}

const sweeps = 8;

/**
 * The layers of a graph without circles (`findBack` says which arrows to turn round first): each arrow leads to a later layer, and as few
 * cross as some sweeps over the layers can reach.
 */
export function toLayers(ids: readonly string[], arrows: readonly Link[]): Layered {
  const layerById = rank(ids, arrows);
  const layers = Array.from({ length: Math.max(...layerById.values()) + 1 }, (): string[] => []);
  for (const id of ids) layers[layerById.get(id) ?? 0]?.push(id);
  const routes = arrows.map(({ from, to }, arrow): Route => {
    const passed = [from];
    for (let layer = (layerById.get(from) ?? 0) + 1; layer < (layerById.get(to) ?? 0); layer++) {
      const wayPoint = `way-point ${arrow}/${layer}`;
      layers[layer]?.push(wayPoint);
      passed.push(wayPoint);
    }
    return { ids: [...passed, to], arrow };
  });
  return { layers: sortLayers(layers, routes), routes };
}

/** The numbers of the arrows that close a circle, found in the order of the ids. */
export function findBack(ids: readonly string[], arrows: readonly Link[]): ReadonlySet<number> {
  const outgoing = new Map(ids.map((id): [string, [string, number][]] => [id, []]));
  for (const [index, { from, to }] of arrows.entries()) outgoing.get(from)?.push([to, index]);
  const back = new Set<number>();
  const states = new Map<string, "open" | "done">();
  const visit = (id: string): void => {
    states.set(id, "open");
    for (const [to, index] of outgoing.get(id) ?? []) {
      const state = states.get(to);
      if (state === "open") back.add(index);
      else if (state === undefined) visit(to);
    }
    states.set(id, "done");
  };
  for (const id of ids) if (!states.has(id)) visit(id);
  return back;
}

/** The longest way to each thing. */
function rank(ids: readonly string[], arrows: readonly Link[]): ReadonlyMap<string, number> {
  const layerById = new Map(ids.map((id) => [id, 0]));
  // Without circles the longest way has fewer steps than there are things.
  for (let round = 0; round < ids.length; round++) {
    let isStable = true;
    for (const { from, to } of arrows) {
      const least = (layerById.get(from) ?? 0) + 1;
      if ((layerById.get(to) ?? 0) >= least) continue;
      layerById.set(to, least);
      isStable = false;
    }
    if (isStable) break;
  }
  return layerById;
}

/** Each layer in the order of its neighbours' middle, down and up again, keeping the order with the fewest crossings. */
function sortLayers(layers: readonly (readonly string[])[], routes: readonly Route[]): readonly (readonly string[])[] {
  const above = new Map<string, string[]>();
  const below = new Map<string, string[]>();
  for (const { ids } of routes) {
    for (const [index, to] of ids.entries()) {
      const from = ids[index - 1];
      if (from === undefined) continue;
      above.set(to, [...(above.get(to) ?? []), from]);
      below.set(from, [...(below.get(from) ?? []), to]);
    }
  }
  let best = layers;
  let fewest = countCrossings(layers, below);
  let current = layers;
  for (let sweep = 0; sweep < sweeps && fewest > 0; sweep++) {
    current = sweep % 2 === 0 ? sweepOnce(current, above) : sweepOnce(current.toReversed(), below).toReversed();
    const crossings = countCrossings(current, below);
    if (crossings >= fewest) continue;
    fewest = crossings;
    best = current;
  }
  return best;
}

/** From the second layer on, each in the order of what its things hang on in the layer before. */
function sweepOnce(
  layers: readonly (readonly string[])[],
  before: ReadonlyMap<string, readonly string[]>,
): readonly (readonly string[])[] {
  const placeById = new Map<string, number>();
  return layers.map((layer) => {
    const middles = new Map(
      layer.map((id, index): [string, number] => [id, toMiddle(before.get(id), placeById) ?? index]),
    );
    const sorted = layer.toSorted((one, other) => (middles.get(one) ?? 0) - (middles.get(other) ?? 0));
    for (const [index, id] of sorted.entries()) placeById.set(id, index);
    return sorted;
  });
}

function toMiddle(ids: readonly string[] | undefined, placeById: ReadonlyMap<string, number>): number | undefined {
  if (ids === undefined || ids.length === 0) return undefined;
  return ids.reduce((sum, id) => sum + (placeById.get(id) ?? 0), 0) / ids.length;
}

function countCrossings(layers: readonly (readonly string[])[], below: ReadonlyMap<string, readonly string[]>): number {
  let crossings = 0;
  for (const [at, layer] of layers.entries()) {
    const placeById = new Map((layers[at + 1] ?? []).map((id, index): [string, number] => [id, index]));
    const ends = layer.map((id) => (below.get(id) ?? []).map((to) => placeById.get(to) ?? 0));
    for (const [index, mine] of ends.entries()) {
      for (const end of ends.slice(index + 1).flat()) crossings += mine.filter((place) => place > end).length;
    }
  }
  return crossings;
}
