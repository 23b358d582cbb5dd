import type {
  Phase,
  PhaseHead,
  Score,
  ScoreChanges,
  ScoreEdge,
  ScoreNode,
  ShownStatus,
} from "../../contracts/api/runs.ts";
import { addUsage, noUsage, type Usage } from "../../contracts/outcome.ts";
import { toSpent } from "../fleet/tally.ts";
import { totalsOf, type StepNode } from "../run-tree.ts";
import { flowLane, type PhasePlace, type Place } from "./score-places.ts";
import type { RecordNode, ScoreState } from "./score-state.ts";

/** More changes than these are better loaded anew. */
const changedNodesMax = 1_000;

export function viewScore(score: ScoreState, status: ShownStatus): Score {
  const phases = score.phases.map((phase) => viewHead(score, phase));
  const lanes = [...new Set([flowLane, ...phases.flatMap((head) => head.lanes.map(({ lane }) => lane))])];
  const steps = phases.reduce((sum, head) => sum + head.steps, 0);
  const { run, seq } = score.tree;
  return { run, seq, status, lanes, phases, steps, spent: toSpent(sumUp(score)) };
}

function sumUp(score: ScoreState): Usage {
  if (score.summed.tree !== score.tree) score.summed = { tree: score.tree, usage: totalsOf(score.tree).usage };
  return score.summed.usage;
}

export function viewPhase(score: ScoreState, number: number): Phase | undefined {
  const phase = score.phases[number];
  if (phase === undefined) return undefined;
  const nodes = viewNodes(score, phase);
  return { seq: score.tree.seq, head: viewHead(score, phase), nodes, edges: viewEdges(score, nodes) };
}

export function viewChanges(score: ScoreState, since: number, status: ShownStatus): ScoreChanges {
  const changed = score.phases.filter((phase) => phase.changedSeq > since);
  const nodes: ScoreNode[] = [];
  for (const phase of changed) {
    if (nodes.length > changedNodesMax) break;
    nodes.push(...viewNodes(score, phase).filter((node) => node.changedSeq > since));
  }
  const isCut = nodes.length > changedNodesMax;
  const shown = isCut ? [] : nodes;
  return {
    seq: score.tree.seq,
    status,
    phases: isCut ? [] : changed.map((phase) => viewHead(score, phase)),
    nodes: shown,
    edges: viewEdges(score, shown),
    isCut,
  };
}

function viewNodes(score: ScoreState, phase: PhasePlace): readonly ScoreNode[] {
  return phase.paths.flatMap((path) => {
    const place = score.places.get(path);
    if (place === undefined) return [];
    const record = score.records.get(path);
    if (record !== undefined) return [toRecordNode(score, place, record)];
    const node = score.nodes.get(path);
    return node === undefined || (node.kind === "scope" && place.ownSeq === undefined)
      ? []
      : [toNode(score, place, node)];
  });
}

function toNode(score: ScoreState, place: Place, node: StepNode): ScoreNode {
  const { path, phase, lane, seq, ownSeq = seq, before, changedSeq } = place;
  const { name, kind, state, callable, agentVersion, startedAt, endedAt, attempt, confidence } = node;
  const { output, remark, effect, child, sharedFrom, error } = node;
  const usage = spentIn(node);
  return {
    path,
    phase,
    seq,
    ownSeq,
    before,
    changedSeq,
    name,
    kind,
    attempt,
    callable,
    agentVersion,
    startedAt,
    endedAt,
    confidence,
    output,
    remark,
    effect,
    child,
    sharedFrom,
    lane,
    state: state.kind,
    waitsFor: state.kind === "waiting" ? state.for : undefined,
    waitsUntil: state.kind === "waiting" ? state.untilMs : undefined,
    spent: usage === undefined ? undefined : toSpent(usage),
    error: error === undefined ? undefined : { code: error.code, message: error.message, hint: error.hint },
    edited: node.edited ? true : undefined,
  };
}

/** An agent that is still at work is known by its questions so far. */
function spentIn(node: StepNode): Usage | undefined {
  const parts = [node.usage, node.lost];
  if (node.kind === "agent" && node.usage === undefined) parts.push(...node.children.map((child) => child.usage));
  const known = parts.filter((part) => part !== undefined);
  return known.length === 0 ? undefined : known.reduce(addUsage, noUsage);
}

function toRecordNode(score: ScoreState, place: Place, record: RecordNode): ScoreNode {
  const { path, phase, lane, seq, ownSeq = seq, before, changedSeq } = place;
  return {
    path,
    phase,
    seq,
    ownSeq,
    before,
    changedSeq,
    attempt: 1,
    state: "done",
    name: path.slice(path.lastIndexOf("/") + 1),
    kind: record.kind,
    lane,
    startedAt: record.at,
    endedAt: record.at,
    confidence: record.confidence,
    output: record.said,
  };
}

function viewEdges(score: ScoreState, nodes: readonly ScoreNode[]): readonly ScoreEdge[] {
  return nodes.flatMap(({ path: to, kind }): ScoreEdge[] => {
    const place = score.places.get(to);
    if (place === undefined) return [];
    const edges = place.uses

      .map((from): ScoreEdge => ({ from, to, kind: "data" }));
    if (edges.length === 0 && place.before !== undefined) edges.push({ from: place.before, to, kind: "flow" });
    const readBy = kind === "message" ? score.records.get(to)?.readBy : undefined;
    return readBy === undefined ? edges : [...edges, { from: to, to: readBy, kind: "message" }];
  });
}

type Lane = { -readonly [Name in keyof PhaseHead["lanes"][number]]: PhaseHead["lanes"][number][Name] };

/** Most phases of a long run are over, so what was said of them counts until one of their nodes changes. */
function viewHead(score: ScoreState, phase: PhasePlace): PhaseHead {
  const known = score.heads.get(phase.number);
  if (known?.changedSeq === phase.changedSeq) return known;
  const head = toHead(score, phase);
  score.heads.set(phase.number, head);
  return head;
}

function toHead(score: ScoreState, phase: PhasePlace): PhaseHead {
  const nodes = viewNodes(score, phase);
  const lanes = new Map<string, Lane>();
  for (const node of nodes) addToLane(lanes, node, costOf(score, node));
  const started = nodes.flatMap(({ startedAt }) => startedAt ?? []);
  const isOpen = nodes.some(({ state }) => state === "running" || state === "waiting" || state === "in-doubt");
  const ended = isOpen ? [] : nodes.flatMap(({ endedAt }) => endedAt ?? []);
  const confidences = nodes.flatMap(({ confidence }) => confidence ?? []);
  return {
    phase: phase.number,
    path: phase.path,
    name: phase.isPlain ? "steps" : phase.path.slice(1),
    part: phase.part,
    state: toPhaseState(nodes),
    steps: nodes.length,
    lanes: [...lanes.values()],
    costUsd: [...lanes.values()].reduce((sum, { costUsd }) => sum + costUsd, 0),
    inputs: countInputs(score, phase, nodes),
    documentsWritten: nodes.reduce((sum, { path }) => sum + (score.places.get(path)?.documentsWritten ?? 0), 0),
    changedSeq: phase.changedSeq,
    startedAt: started.length === 0 ? undefined : started.reduce((left, right) => Math.min(left, right)),
    endedAt: ended.length === 0 ? undefined : ended.reduce((left, right) => Math.max(left, right)),
    confidenceLowest: confidences.length === 0 ? undefined : Math.min(...confidences),
  };
}

/** What an agent cost stands at its questions too. */
function costOf(score: ScoreState, { kind, path, spent }: ScoreNode): number {
  const isToldInside = kind === "agent" && (score.nodes.get(path)?.children.length ?? 0) > 0;
  return isToldInside ? 0 : (spent?.costUsd ?? 0);
}

function addToLane(lanes: Map<string, Lane>, node: ScoreNode, costUsd: number): void {
  const { lane, state, confidence, attempt, startedAt, endedAt } = node;
  const none = { steps: 0, running: 0, failed: 0, waiting: 0, retries: 0, costUsd: 0, longestMs: 0 };
  const found: Lane = lanes.get(lane) ?? { lane, ...none };
  lanes.set(lane, found);
  found.steps += 1;
  found.retries += Math.max(0, attempt - 1);
  found.costUsd += costUsd;
  if (startedAt !== undefined && endedAt !== undefined)
    found.longestMs = Math.max(found.longestMs, endedAt - startedAt);
  if (state === "running") found.running += 1;
  if (state === "failed") found.failed += 1;
  if (state === "waiting" || state === "in-doubt") found.waiting += 1;
  if (confidence !== undefined) found.confidenceLowest = Math.min(found.confidenceLowest ?? 1, confidence);
}

/** What most needs to be seen. */
const stateOrder: readonly ScoreNode["state"][] = [
  "in-doubt",
  "running",
  "waiting",
  "failed",
  "undone",
  "done",
  "cancelled",
];

function toPhaseState(nodes: readonly ScoreNode[]): ScoreNode["state"] {
  const states = new Set(nodes.map(({ state }) => state));
  return stateOrder.find((state) => states.has(state)) ?? "running";
}

function countInputs(score: ScoreState, phase: PhasePlace, nodes: readonly ScoreNode[]): PhaseHead["inputs"] {
  const edgesByPhase = new Map<number, number>();
  for (const { path } of nodes) {
    for (const used of score.places.get(path)?.uses ?? []) {
      const from = score.places.get(used)?.phase;
      if (from !== undefined && from !== phase.number) edgesByPhase.set(from, (edgesByPhase.get(from) ?? 0) + 1);
    }
  }
  return [...edgesByPhase].map(([from, edges]) => ({ phase: from, edges }));
}
