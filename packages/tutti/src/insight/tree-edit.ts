import { must } from "../base/assert.ts";
import { toStepKey, type StepKey } from "../contracts/ids.ts";
import { toNode, type RunTree, type StepNode } from "./run-tree.ts";

type Writable<Shape> = { -readonly [Name in keyof Shape]: Shape[Name] };

export type OpenTree = Writable<RunTree>;
/** A node that this edit made or copied, so that it may change it. */
export type OpenNode = Omit<Writable<StepNode>, "children"> & { children: StepNode[] };

/**
 * One change of a tree, over any number of events: the first touch of a node copies it and those above it, later ones change the copy.
 * So a tree is built from 20,000 entries without 20,000 copies, and a tree that somebody holds never changes in his hands.
 */
export interface TreeEdit {
  readonly tree: OpenTree;
  /** The node at this path; it is made if it is missing, and so are those above it. */
  touch(path: StepKey): OpenNode;
  /** The same, but never makes one. */
  find(path: StepKey): OpenNode | undefined;
  /** Moves the tree's time forward, never back. */
  see(at: number): void;
  close(): RunTree;
}

/** A touched node, and the children that it had before. */
interface Touched {
  readonly node: OpenNode;
  readonly before: readonly StepNode[];
  /** How often they were looked through. */
  searches: number;
  /** Where each of them stands, once that is worth knowing. */
  places: ReadonlyMap<string, number> | undefined;
}

export function openEdit(base: RunTree): TreeEdit {
  const tree: OpenTree = { ...base };
  const touchedByPath = new Map<string, Touched>();

  const keep = (node: StepNode, before: readonly StepNode[]): OpenNode => {
    const open: OpenNode = { ...node, children: [...node.children] };
    touchedByPath.set(node.path, { node: open, before, searches: 0, places: undefined });
    return open;
  };

  const reach = (path: StepKey, make: boolean): OpenNode | undefined => {
    const touched = touchedByPath.get(path);
    if (touched !== undefined) return touched.node;
    if (path === "") return keep(base.root, base.root.children);
    const parentPath = toStepKey(path.slice(0, Math.max(0, path.lastIndexOf("/"))));
    const parent = reach(parentPath, make);
    if (parent === undefined) return undefined;
    // What was added in this edit is in the map already, so only the older children have to be looked through.
    const { before, index } = findChild(must(touchedByPath.get(parentPath), "the parent was touched"), path);
    const found = before[index];
    if (found !== undefined) {
      const open = keep(found, found.children);
      parent.children[index] = open;
      return open;
    }
    if (!make) return undefined;
    const made = keep(toNode(path), []);
    parent.children.push(made);
    return made;
  };

  return {
    tree,
    touch: (path) => must(reach(path, true), "a node that is missing is made"),
    find: (path) => reach(path, false),
    see: (at) => void (tree.at = Math.max(tree.at, at)),
    close: () => ({ ...tree, root: must(reach(toStepKey(""), true), "a tree has a root") }),
  };
}

/** Events mostly concern late children, so a search from the end is short; but for a new one it is long, and an edit may bring many. */
function findChild(touched: Touched, path: string): { readonly before: readonly StepNode[]; readonly index: number } {
  const { before } = touched;
  touched.searches += 1;
  if (touched.searches > 2) touched.places ??= new Map(before.map((child, index) => [child.path, index]));
  const index =
    touched.places === undefined
      ? before.findLastIndex((child) => child.path === path)
      : (touched.places.get(path) ?? -1);
  return { before, index };
}
