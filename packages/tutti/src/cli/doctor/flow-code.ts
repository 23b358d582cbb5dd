import { isImportedCall, workOf, type Declared } from "./declarations.ts";
import type { SourceFile } from "./source-file.ts";
import {
  childOf,
  childrenOf,
  dottedOf,
  isFunction,
  listOf,
  nameOf,
  type Ancestors,
  type SyntaxNode,
} from "./syntax.ts";

/** The code that a flow replays: its function, and the functions of its file that it hands its run to; steps are left out. */
export interface FlowCode {
  readonly flow: Declared;
  readonly file: SourceFile;
  readonly verbs: readonly VerbCall[];
  readonly nodes: readonly PlacedNode[];
}

export interface PlacedNode {
  readonly node: SyntaxNode;
  /** Up to the function that the node stands in, and on to the flow's own. */
  readonly ancestors: Ancestors;
}

/** A call of a verb of the run. */
export interface VerbCall extends PlacedNode {
  readonly verb: string;
  readonly arguments: readonly SyntaxNode[];
}

interface Reading {
  readonly file: SourceFile;
  readonly handles: Set<string>;
  readonly seen: Set<SyntaxNode>;
  readonly verbs: VerbCall[];
  readonly nodes: PlacedNode[];
}

/** Verbs whose functions are given a run of their own. */
const branching: ReadonlySet<string> = new Set(["all", "map", "race", "scope", "transact"]);

export function readFlowCode(flow: Declared): FlowCode {
  const reading: Reading = { file: flow.file, handles: new Set(), seen: new Set(), verbs: [], nodes: [] };
  const work = workOf(flow);
  if (work !== undefined) readFunction(reading, work, { handle: 0, ancestors: [] });
  return { flow, file: flow.file, verbs: reading.verbs, nodes: reading.nodes };
}

function readFunction(
  reading: Reading,
  work: SyntaxNode,
  { handle, ancestors }: { readonly handle: number; readonly ancestors: Ancestors },
): void {
  if (reading.seen.has(work)) return;
  reading.seen.add(work);
  const name = nameOf(listOf(work, "params")[handle]);
  if (name !== undefined) reading.handles.add(name);
  readNode(reading, work, ancestors);
}

function readNode(reading: Reading, node: SyntaxNode, ancestors: Ancestors): void {
  reading.nodes.push({ node, ancestors });
  const below = [...ancestors, node];
  if (node.type !== "CallExpression") {
    for (const child of childrenOf(node)) readNode(reading, child, below);
    return;
  }
  if (["tool", "agent", "flow"].some((kind) => isImportedCall(reading.file, node, kind))) return;
  const given = listOf(node, "arguments");
  const verb = verbOf(reading, node);
  if (verb !== undefined) reading.verbs.push({ verb, node, ancestors, arguments: given });
  if (verb === "step") {
    // Its function is not replayed, so anything may stand in it.
    for (const child of given) if (!isFunction(child)) readNode(reading, child, below);
    return;
  }
  if (verb !== undefined && branching.has(verb)) nameHandles(reading, given);
  else if (verb === undefined) readCalled(reading, node, below);
  for (const child of childrenOf(node)) readNode(reading, child, below);
}

function verbOf({ handles }: Reading, node: SyntaxNode): string | undefined {
  const [handle = "", verb, ...more] = (dottedOf(childOf(node, "callee")) ?? "").split(".");
  return more.length === 0 && handles.has(handle) ? verb : undefined;
}

function nameHandles({ handles }: Reading, given: readonly SyntaxNode[]): void {
  const functions = given.flatMap((each) =>
    each.type === "ObjectExpression" ? listOf(each, "properties").map((part) => childOf(part, "value")) : [each],
  );
  for (const each of functions) {
    const name = isFunction(each) ? nameOf(listOf(each, "params")[0]) : undefined;
    if (name !== undefined) handles.add(name);
  }
}

/** A function of the same file that is handed the run is a part of the flow. */
function readCalled(reading: Reading, call: SyntaxNode, ancestors: Ancestors): void {
  const called = reading.file.functions.get(nameOf(childOf(call, "callee")) ?? "");
  const handle = listOf(call, "arguments").findIndex((each) => reading.handles.has(nameOf(each) ?? ""));
  if (called !== undefined && handle !== -1) readFunction(reading, called, { handle, ancestors });
}
