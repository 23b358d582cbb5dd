import type { PhaseHead } from "../../contracts/api/runs.ts";
import { bodyOf, type LedgerEntry } from "../../contracts/entry.ts";
import { noUsage, type Usage } from "../../contracts/outcome.ts";
import { describeDecision, describeMessage, describeVotes } from "../describe-record.ts";
import { nextRunTree } from "../next-run-tree.ts";
import { emptyRunTree, type RunTree, type StepNode } from "../run-tree.ts";
import { emptyPlaces, placeEntry, touch, type ScorePlaces } from "./score-places.ts";

/** Something that was written down beside the steps. */
export interface RecordNode {
  readonly path: string;
  readonly kind: "decision" | "votes" | "message" | "note";
  readonly at: number;
  readonly said: string;
  readonly confidence: number | undefined;
  /** The step that read a message. */
  readonly readBy: string | undefined;
}

/** A run on its way to the score: its tree, where everything stands, and every node by its path. Changed in place. */
export interface ScoreState extends ScorePlaces {
  tree: RunTree;
  readonly nodes: Map<string, StepNode>;
  readonly records: Map<string, RecordNode>;
  /** What the whole run cost, as it was last added up. */
  summed: { readonly tree: RunTree; readonly usage: Usage };
  /** Heads of phases as they were last shown. */
  readonly heads: Map<number, PhaseHead>;
}

export function emptyScore(): ScoreState {
  return {
    ...emptyPlaces(),
    tree: emptyRunTree,
    nodes: new Map(),
    records: new Map(),
    summed: { tree: emptyRunTree, usage: noUsage },
    heads: new Map(),
  };
}

/** Takes the next entries of the run in. @throws TuttiError LEDGER_CORRUPT, LEDGER_TOO_NEW */
export function applyToScore(score: ScoreState, entries: readonly LedgerEntry[]): void {
  const before = score.tree.root;
  for (const entry of entries) {
    placeEntry(score, entry);
    const record = toRecord(entry);
    if (record !== undefined) score.records.set(entry.key, record);
  }
  score.tree = nextRunTree(
    score.tree,
    entries.map((entry) => ({ kind: "entry", entry })),
  );
  noteChanges(score, before, score.tree.root);
}

/** A tree is never changed in place, so what is the same object is the same, with everything below it. */
function noteChanges(score: ScoreState, before: StepNode | undefined, after: StepNode): void {
  if (before === after) return;
  for (const [index, child] of after.children.entries()) {
    const old = before?.children[index];
    if (old === child) continue;
    score.nodes.set(child.path, child);
    const place = score.places.get(child.path);
    // Those that only lead to others have changed below, not themselves.
    if (place !== undefined && (old === undefined || !isSame(old, child))) touch(score, place, score.tree.seq);
    noteChanges(score, old, child);
  }
}

/** What is shown of a node; an agent at work also shows what its questions cost so far. */
function isSame(left: StepNode, right: StepNode): boolean {
  const isCounting = right.kind === "agent" && right.usage === undefined;
  return !isCounting && shownFields.every((name) => left[name] === right[name]);
}

const shownFields = [
  "kind",
  "state",
  "callable",
  "agentVersion",
  "startedAt",
  "endedAt",
  "attempt",
  "error",
  "output",
  "usage",
  "lost",
  "confidence",
  "effect",
  "sharedFrom",
  "child",
  "edited",
  "remark",
] as const satisfies readonly (keyof StepNode)[];

function toRecord(entry: LedgerEntry): RecordNode | undefined {
  const about = { path: entry.key, at: entry.at, confidence: undefined, readBy: undefined };
  switch (entry.kind) {
    case "decision-made": {
      const body = bodyOf(entry, entry.kind);
      return { ...about, kind: "decision", said: describeDecision(body), confidence: body.confidence?.value };
    }
    case "votes-counted": {
      const body = bodyOf(entry, entry.kind);
      return { ...about, kind: "votes", said: describeVotes(body), confidence: body.confidence?.value };
    }
    case "message-sent": {
      const body = bodyOf(entry, entry.kind);
      return { ...about, kind: "message", said: describeMessage(body), readBy: body.readBy };
    }
    case "note-written":
      return { ...about, kind: "note", said: bodyOf(entry, entry.kind).text };
    default:
      return undefined;
  }
}
