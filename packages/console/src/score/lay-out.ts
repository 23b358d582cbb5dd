import type { ScoreNode } from "tutti/client";

/* Where steps are drawn. Each step's place follows from the steps whose entries came before its own, so a step that was drawn never moves, and
   a run looks the same whether it was watched or opened later. One pass, no search: as much work as there are steps. */

export type Laid = Pick<ScoreNode, "path" | "lane" | "ownSeq" | "before">;

export interface Spot {
  readonly column: number;
  readonly row: number;
}

export interface PhaseLayout {
  readonly spots: ReadonlyMap<string, Spot>;
  /** The lane of each row. A lane gets another row at the bottom when it needs one, so that no row moves. */
  readonly rows: readonly string[];
  readonly columns: number;
}

/** Lays out the steps of one phase, in the order of `ownSeq`. */
export function layOutPhase(nodes: readonly Laid[]): PhaseLayout {
  const spots = new Map<string, Spot>();
  const rows: string[] = [];
  /** The last column that is taken in each row. */
  const ends: number[] = [];
  /** The last column in which anything of a part stands. */
  const reach = new Map<string, number>();
  let columns = 0;
  for (const node of nodes.toSorted((left, right) => left.ownSeq - right.ownSeq)) {
    const column = findColumn(node, spots, reach);
    const row = findRow(node, { rows, ends, near: near(node, spots), column });
    spots.set(node.path, { column, row });
    ends[row] = column;
    columns = Math.max(columns, column + 1);
    for (let part = node.path; part !== ""; part = parentOf(part)) {
      reach.set(part, Math.max(reach.get(part) ?? 0, column));
    }
  }
  return { spots, rows, columns };
}

function findColumn(node: Laid, spots: ReadonlyMap<string, Spot>, reach: ReadonlyMap<string, number>): number {
  const { path, before } = node;
  // What ended inside it came first: the end of a part stands behind all of it.
  const inside = reach.get(path);
  const parent = before !== undefined && path.startsWith(`${before}/`) ? spots.get(before)?.column : undefined;
  const earlier = before === undefined ? undefined : (parent ?? reach.get(before));
  return Math.max(inside === undefined ? 0 : inside + 1, earlier === undefined ? 0 : earlier + 1);
}

/** The row of what it follows, so that a branch stays on one line. */
function near({ before = "", path }: Laid, spots: ReadonlyMap<string, Spot>): number | undefined {
  return (spots.get(before) ?? spots.get(parentOf(path)))?.row;
}

interface Search {
  readonly rows: string[];
  readonly ends: number[];
  readonly near: number | undefined;
  readonly column: number;
}

function findRow({ lane }: Laid, { rows, ends, near: wanted, column }: Search): number {
  const isFree = (row: number): boolean => rows[row] === lane && (ends[row] ?? -1) < column;
  if (wanted !== undefined && isFree(wanted)) return wanted;
  const found = rows.findIndex((_, row) => isFree(row));
  return found >= 0 ? found : rows.push(lane) - 1;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** Measures of the drawing, in pixels. */
export const measures = { label: 124, column: 188, card: 164, cardHeight: 46, row: 54, head: 42, foot: 12 } as const;

/** How high a phase is; before its steps are known, each lane counts for one row. */
export function heightOf(rows: number): number {
  return measures.head + Math.max(1, rows) * measures.row + measures.foot;
}

/** The corner of a card inside its phase. */
export function cornerOf({ column, row }: Spot): { readonly x: number; readonly y: number } {
  const inset = (measures.row - measures.cardHeight) / 2;
  return { x: measures.label + column * measures.column, y: measures.head + row * measures.row + inset };
}

/** Which phases show between two heights: the first, and the one behind the last. `tops` begins with 0 and ends with the height of all. */
export function visiblePhases(tops: readonly number[], from: number, to: number): readonly [number, number] {
  const count = Math.max(0, tops.length - 1);
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((tops[middle + 1] ?? 0) > from) high = middle;
    else low = middle + 1;
  }
  let end = low;
  while (end < count && (tops[end] ?? 0) < to) end += 1;
  return [low, end];
}
