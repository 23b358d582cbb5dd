import { toShownState, type StepNode } from "../insight/run-tree.ts";

/**
 * A step as it is drawn. Parts that only have a name take their state from what is in them, and one that holds a single step shares that
 * step's line: `3/search`. With `folds`, an agent that came to its result is one line: how it got there is past.
 */
export function toDrawn(node: StepNode, folds: boolean): StepNode {
  const isPast = folds && node.kind === "agent" && node.state.kind === "done" && !needsLook(node);
  const children = isPast ? [] : node.children.map((child) => toDrawn(child, folds));
  // Below, the states are final already, so this looks one level deep.
  const drawn: StepNode = { ...node, children };
  const state = node.path === "" ? node.state : toShownState(drawn);
  const [only] = children;
  const saysMore = node.error !== undefined || node.remark !== undefined || node.confidence !== undefined;
  if (node.kind !== "scope" || node.path === "" || only === undefined || children.length > 1 || saysMore)
    return { ...drawn, state };
  return { ...only, name: `${node.name}/${only.name}` };
}

/** True if something in it is in doubt. */
function needsLook(node: StepNode): boolean {
  return node.state.kind === "in-doubt" || node.children.some(needsLook);
}
