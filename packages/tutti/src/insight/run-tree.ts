import type { StoredError } from "../base/errors.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import { toRunId, toStepKey, type EffectKey, type RunId, type StepKey } from "../contracts/ids.ts";
import { addUsage, noUsage, type Usage } from "../contracts/outcome.ts";

/** What a step is. A path that only leads to others is a scope. */
export type StepKind = "agent" | "tool" | "step" | "timer" | "signal" | "child" | "scope";

/** A step stands in exactly one of these. */
export type StepState =
  | { readonly kind: "running" }
  | {
      readonly kind: "waiting";
      readonly for: "time" | "retry" | "child" | "signal" | "person";
      readonly untilMs: number | undefined;
    }
  | { readonly kind: "in-doubt"; readonly why: string }
  | { readonly kind: "done" }
  /** It happened, and was taken back. */
  | { readonly kind: "undone" }
  | { readonly kind: "failed" }
  | { readonly kind: "cancelled" };

/** One step with everything below it. Never changed in place. */
export interface StepNode {
  readonly path: StepKey;
  /** The last part of the path. */
  readonly name: string;
  readonly kind: StepKind;
  readonly state: StepState;
  /** The agent, tool or flow behind it, where the name alone does not say it. */
  readonly callable: string | undefined;
  readonly agentVersion: string | undefined;
  /** When it began, where the ledger says so or somebody watched. */
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  /** The number of the try that is going on or was the last; 0 if unknown. */
  readonly attempt: number;
  /** The last thing that went wrong, also when another try is coming. */
  readonly error: StoredError | undefined;
  /** What it returned, in a few words. */
  readonly output: string | undefined;
  readonly usage: Usage | undefined;
  /** What its failed tries cost beside, as far as their errors know. */
  readonly lost: Usage | undefined;
  readonly confidence: number | undefined;
  readonly effect: EffectKey | undefined;
  /** Its effect was already there: whose it is. */
  readonly sharedFrom: { readonly run: RunId; readonly step: StepKey } | undefined;
  /** The run that it started. */
  readonly child: RunId | undefined;
  /** A person changed its result when the run was forked. */
  readonly edited: boolean;
  /** The last note written below it, or what it says it is doing right now. */
  readonly remark: string | undefined;
  readonly children: readonly StepNode[];
}

export type RunPhase =
  | { readonly kind: "running" }
  | { readonly kind: "paused"; readonly by: string }
  | { readonly kind: "parked"; readonly error: StoredError; readonly step: StepKey | undefined }
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly error: StoredError }
  | { readonly kind: "cancelled"; readonly reason: string };

/** One run as a tree of its steps. Never changed in place: `nextRunTree` returns another one. */
export interface RunTree {
  /** "" until its first entry was seen. */
  readonly run: RunId;
  readonly flow: string;
  readonly version: string;
  readonly phase: RunPhase;
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  /** The newest moment that the tree knows of. */
  readonly at: number;
  /** The sequence number of the newest entry in it. */
  readonly seq: number;
  readonly output: string | undefined;
  readonly forkedFrom: { readonly run: RunId; readonly step: StepKey; readonly by?: string } | undefined;
  readonly parent: { readonly run: RunId; readonly step: StepKey } | undefined;
  readonly cancelRequested: boolean;
  readonly rollingBack: boolean;
  /** Names of the signals that came, with how many of each. */
  readonly signals: ReadonlyMap<string, number>;
  /** What people wanted of it, in sentences, in order. */
  readonly directives: readonly string[];
  /** The run itself; its children are the outermost steps. */
  readonly root: StepNode;
}

/** What a tree is made from: entries, and what only a watcher sees. */
export type TreeEvent =
  | { readonly kind: "entry"; readonly entry: LedgerEntry }
  | {
      readonly kind: "step-started";
      readonly run: RunId;
      readonly step: StepKey;
      readonly at: number;
      readonly attempt: number;
    }
  | {
      readonly kind: "progress";
      readonly run: RunId;
      readonly step: StepKey;
      readonly at: number;
      readonly text: string;
    }
  /** What a model is saying; it changes no tree. */
  | { readonly kind: "delta"; readonly run: RunId; readonly step: StepKey };

/** The tree of a run of which nothing is known yet. */
export const emptyRunTree: RunTree = {
  run: toRunId(""),
  flow: "",
  version: "",
  phase: { kind: "running" },
  startedAt: 0,
  endedAt: undefined,
  at: 0,
  seq: 0,
  output: undefined,
  forkedFrom: undefined,
  parent: undefined,
  cancelRequested: false,
  rollingBack: false,
  signals: new Map(),
  directives: [],
  root: toNode(toStepKey("")),
};

/** A step of which only its path is known. */
export function toNode(path: StepKey): StepNode {
  return {
    path,
    name: path.slice(path.lastIndexOf("/") + 1),
    kind: "scope",
    state: { kind: "running" },
    callable: undefined,
    agentVersion: undefined,
    startedAt: undefined,
    endedAt: undefined,
    attempt: 0,
    error: undefined,
    output: undefined,
    usage: undefined,
    lost: undefined,
    confidence: undefined,
    effect: undefined,
    sharedFrom: undefined,
    child: undefined,
    edited: false,
    remark: undefined,
    children: [],
  };
}

export function isOpen(state: StepState): boolean {
  return state.kind === "running" || state.kind === "waiting" || state.kind === "in-doubt";
}

/**
 * The state to show for a step. Groups of branches and their branches leave no entry when they end, so theirs follows from what is in
 * them; it may be "done" between two steps.
 */
export function toShownState(node: StepNode): StepState {
  const { state, kind, children } = node;
  if (kind !== "scope" || state.kind !== "running" || children.length === 0) return state;
  const states = children.map(toShownState);
  const open = states.filter(isOpen);
  if (open.length > 0) return open.find(({ kind: is }) => is !== "waiting") ?? { kind: "running" };
  const kinds = new Set(states.map(({ kind: is }) => is));
  if (kinds.has("failed") && !kinds.has("done")) return { kind: "failed" };
  return { kind: kinds.has("cancelled") && !kinds.has("done") ? "cancelled" : "done" };
}

/** Sums over a tree. */
export interface TreeTotals {
  readonly agents: number;
  /** Calls of tools, the repeated ones not counted twice. */
  readonly calls: number;
  readonly retries: number;
  readonly shared: number;
  readonly inDoubt: number;
  readonly failed: number;
  readonly usage: Usage;
}

export function totalsOf(tree: RunTree): TreeTotals {
  const sums = { agents: 0, calls: 0, retries: 0, shared: 0, inDoubt: 0, failed: 0 };
  let usage = noUsage;
  const open: StepNode[] = [...tree.root.children];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.kind === "agent") sums.agents += 1;
    if (node.kind === "tool") sums.calls += 1;
    if (node.attempt > 1) sums.retries += node.attempt - 1;
    if (node.sharedFrom !== undefined) sums.shared += 1;
    if (node.state.kind === "in-doubt") sums.inDoubt += 1;
    if (node.state.kind === "failed") sums.failed += 1;
    // An agent that is still at work is known by its questions so far; afterwards it says itself what they cost together.
    const spent =
      node.kind === "agent"
        ? node.usage === undefined
          ? node.children.map((child) => child.usage)
          : [node.usage]
        : [];
    for (const used of [...spent, node.lost]) usage = addUsage(usage, used ?? noUsage);
    for (const child of node.children) open.push(child);
  }
  return { ...sums, usage };
}
