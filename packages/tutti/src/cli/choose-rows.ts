import type { StepNode } from "../insight/run-tree.ts";

/** One line of the drawn tree: a step, or how many of its siblings are left out here. */
export type Row =
  | {
      readonly kind: "step";
      readonly node: StepNode;
      readonly depth: number;
      readonly isLast: boolean;
      readonly above: readonly boolean[];
    }
  | {
      readonly kind: "hidden";
      readonly nodes: readonly StepNode[];
      readonly depth: number;
      readonly isLast: boolean;
      readonly above: readonly boolean[];
    };

/**
 * The lines that fit into `rowsMax`: all of them, or the ones a person wants to see first (what needs him, what failed, what is going on),
 * with those they lie in. The others are counted where they are missing.
 */
export function chooseRows(root: StepNode, rowsMax: number): readonly Row[] {
  const shown = countSteps(root, rowsMax) <= rowsMax ? undefined : chooseShown(root, rowsMax);
  const rows: Row[] = [];
  layOut(rows, { node: root, shown, above: [] });
  return rows.slice(0, Math.max(0, rowsMax));
}

interface Place {
  readonly node: StepNode;
  readonly parent: Place | undefined;
  readonly depth: number;
}

/** The steps to show: in order of interest, as long as they and the ones above them fit. */
function chooseShown(root: StepNode, rowsMax: number): ReadonlySet<StepNode> {
  const shown = new Set<StepNode>([root]);
  const shownBelow = new Map<StepNode, number>();
  let left = rowsMax;
  for (const places of rankPlaces(root)) {
    for (const place of places) {
      if (left <= 0) return shown;
      const chain: Place[] = [];
      for (let at: Place | undefined = place; at?.parent !== undefined && !shown.has(at.node); at = at.parent)
        chain.unshift(at);
      const cost = chain.reduce((sum, at) => sum + costOf(at, shownBelow), 0);
      if (chain.length === 0 || cost > left || isOneOfMany(place, shownBelow)) continue;
      left -= cost;
      for (const { node, parent } of chain) {
        shown.add(node);
        if (parent !== undefined) shownBelow.set(parent.node, (shownBelow.get(parent.node) ?? 0) + 1);
      }
    }
  }
  return shown;
}

/** One line for the step itself, and one to count its siblings while only some of them are shown. */
function costOf({ parent }: Place, shownBelow: ReadonlyMap<StepNode, number>): number {
  if (parent === undefined) return 0;
  const siblings = parent.node.children.length;
  const before = shownBelow.get(parent.node) ?? 0;
  const countsBefore = before > 0 && before < siblings ? 1 : 0;
  return 1 + (before + 1 < siblings ? 1 : 0) - countsBefore;
}

const pastMax = 4;

/** Where not everything fits, a few of the finished siblings say enough. */
function isOneOfMany({ node, parent, depth }: Place, shownBelow: ReadonlyMap<StepNode, number>): boolean {
  return (
    depth > 1 && node.state.kind === "done" && parent !== undefined && (shownBelow.get(parent.node) ?? 0) >= pastMax
  );
}

const ranks = 5;

/** All steps but the root, the most interesting first; of equals the latest first, because the flow stands there. */
function rankPlaces(root: StepNode): readonly (readonly Place[])[] {
  const places: Place[][] = Array.from({ length: ranks }, () => []);
  const open: Place[] = [{ node: root, parent: undefined, depth: 0 }];
  // Taken from the end, so that later siblings come first.
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    if (place.parent !== undefined) places[rankOf(place)]?.push(place);
    for (const node of place.node.children) open.push({ node, parent: place, depth: place.depth + 1 });
  }
  return places;
}

function rankOf({ node, depth }: Place): number {
  const { kind } = node.state;
  if (kind === "in-doubt" || kind === "failed") return 0;
  if (kind === "running" || kind === "waiting") return node.children.length === 0 ? 1 : 2;
  return depth === 1 ? 3 : 4;
}

interface Level {
  readonly node: StepNode;
  readonly shown: ReadonlySet<StepNode> | undefined;
  /** For each level above: whether something follows there, so that a line has to be drawn through. */
  readonly above: readonly boolean[];
}

function layOut(rows: Row[], { node, shown, above }: Level): void {
  if (shown !== undefined && above.length > 0 && !node.children.some((child) => shown.has(child))) return;
  const missing = shown === undefined ? [] : node.children.filter((child) => !shown.has(child));
  // The line that says that one is missing can as well show it.
  const hidden = missing.length === 1 ? [] : missing;
  const visible = node.children.filter((child) => hidden.length === 0 || shown?.has(child) === true);
  const depth = above.length;
  const hiddenAt = hidden.length === 0 ? -1 : node.children.indexOf(hidden[0] ?? node);
  const items: (StepNode | undefined)[] = [...visible];
  // The count stands where the first of the missing would.
  if (hiddenAt >= 0)
    items.splice(visible.filter((child) => node.children.indexOf(child) < hiddenAt).length, 0, undefined);
  for (const [index, child] of items.entries()) {
    const isLast = index === items.length - 1;
    if (child === undefined) rows.push({ kind: "hidden", nodes: hidden, depth, isLast, above });
    else {
      rows.push({ kind: "step", node: child, depth, isLast, above });
      layOut(rows, { node: child, shown, above: [...above, !isLast] });
    }
  }
}

/** Counts no further than needed. */
function countSteps(root: StepNode, max: number): number {
  let count = 0;
  const open: StepNode[] = [...root.children];
  for (let node = open.pop(); node !== undefined && count <= max; node = open.pop()) {
    count += 1;
    for (const child of node.children) open.push(child);
  }
  return count;
}
