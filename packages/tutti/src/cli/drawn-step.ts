import { toShownState, type StepNode } from "../insight/run-tree.ts";

/**
 * A step as it is drawn: parts that only have a name take their state from what is in them, and one that holds a single step shares
 * that step's line: `3/search`.
 */
export function toDrawn(node: StepNode): StepNode {
  const children = node.children.map(toDrawn);
  // Below, the states are final already, so this looks one level deep.
  const drawn: StepNode = { ...node, children };
  const state = node.path === "" ? node.state : toShownState(drawn);
  const [only] = children;
  const saysMore = node.error !== undefined || node.remark !== undefined || node.confidence !== undefined;
  if (node.kind !== "scope" || node.path === "" || only === undefined || children.length > 1 || saysMore)
    return { ...drawn, state };
  return { ...only, name: `${node.name}/${only.name}` };
}
