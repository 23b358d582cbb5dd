import type { ClientError, Phase, PhaseHead, RunLine, Score, ScoreChanges, ScoreEdge, ScoreNode } from "tutti/client";

import { client } from "../data/api.ts";
import { toError } from "../data/remote.ts";
import { layOutPhase, type PhaseLayout } from "./lay-out.ts";

/** What is known of a run's score. Heads are always there; steps of a phase once it was asked for. */
export interface ScoreView {
  readonly seq: number;
  readonly status: RunLine["status"];
  readonly lanes: readonly string[];
  readonly heads: readonly PhaseHead[];
  readonly steps: number;
}

export interface PhaseView {
  readonly nodes: readonly ScoreNode[];
  readonly layout: PhaseLayout;
  readonly edges: readonly ScoreEdge[];
}

/** One run's score, live or as it was after an entry. Whoever shows one step hears only of that step. */
export interface ScoreStore {
  view(): ScoreView | undefined;
  error(): ClientError | undefined;
  phase(phase: number): PhaseView | undefined;
  node(path: string): ScoreNode | undefined;
  /** Hears of heads, and of phases that got other steps. */
  onView(watch: () => void): () => void;
  onNode(path: string, watch: () => void): () => void;
  /** Loads the steps of a phase, unless they are there. */
  want(phase: number): void;
  /** Loads the phases in which a step can be. */
  find(path: string): void;
  /** Something of this run was written: catches up. */
  ring(): void;
  retry(): void;
  close(): void;
}

interface Held {
  nodesByPath: Map<string, ScoreNode>;
  /** By the step that they are told with. */
  edgesByOwner: Map<string, readonly ScoreEdge[]>;
  view: PhaseView | undefined;
}

/** `seq`: the moment that is shown; without it, the present one, which is followed. */
export function openScoreStore(run: string, seq: number | undefined): ScoreStore {
  const held = new Map<number, Held>();
  const phaseByPath = new Map<string, number>();
  const viewers = new Set<() => void>();
  const watchersByPath = new Map<string, Set<() => void>>();
  const closing = new AbortController();
  const wanted = new Set<number>();
  let view: ScoreView | undefined;
  let error: ClientError | undefined;
  let isRung = false;
  let isWorking = false;
  const query = seq === undefined ? {} : { seq };

  const tellViewers = (): void => viewers.forEach((watch) => watch());
  const takePhase = ({ head, nodes, edges }: Phase): void => {
    held.set(head.phase, toHeld(nodes, edges));
    for (const node of nodes) phaseByPath.set(node.path, head.phase);
    if (view !== undefined) view = { ...view, heads: replaceHeads(view.heads, [head]) };
    for (const { path } of nodes) watchersByPath.get(path)?.forEach((watch) => watch());
    tellViewers();
  };
  const takeScore = ({ seq: at, status, lanes, phases, steps }: Score): void => {
    view = { seq: at, status, lanes, heads: phases, steps };
    error = undefined;
    for (const phase of held.keys()) wanted.add(phase);
    tellViewers();
  };
  const takeChanges = (changes: ScoreChanges): void => {
    if (view === undefined) return;
    const known = new Set(view.heads.map(({ phase }) => phase));
    for (const { phase } of changes.phases) if (!known.has(phase)) held.set(phase, toHeld([], []));
    const heads = replaceHeads(view.heads, changes.phases);
    const lanes = [...new Set([...view.lanes, ...changes.phases.flatMap((head) => head.lanes.map(({ lane }) => lane))])];
    const steps = heads.reduce((sum, head) => sum + head.steps, 0);
    view = { seq: changes.seq, status: changes.status, lanes, heads, steps };
    for (const node of changes.nodes) {
      const phase = held.get(node.phase);
      if (phase === undefined) continue;
      phase.nodesByPath.set(node.path, node);
      phase.edgesByOwner.set(node.path, edgesOf(node, changes.edges));
      phase.view = undefined;
      phaseByPath.set(node.path, node.phase);
    }
    for (const { path } of changes.nodes) watchersByPath.get(path)?.forEach((watch) => watch());
    tellViewers();
  };

  /** One question at a time, so that an older answer never covers a newer one. */
  const work = async (): Promise<void> => {
    if (isWorking) return;
    isWorking = true;
    try {
      for (let next = takeNext(); next !== undefined && !closing.signal.aborted; next = takeNext()) await next();
    } catch (thrown) {
      if (closing.signal.aborted) return;
      error = toError(thrown);
      tellViewers();
    } finally {
      isWorking = false;
    }
  };
  const takeNext = (): (() => Promise<void>) | undefined => {
    const { signal } = closing;
    if (view === undefined) return async () => takeScore(await client.call("showScore", { params: { run }, query, signal }));
    if (isRung && seq === undefined) {
      isRung = false;
      const since = view.seq;
      return async () => {
        const changes = await client.call("showChanges", { params: { run }, query: { since }, signal });
        if (changes.isCut) takeScore(await client.call("showScore", { params: { run }, query, signal }));
        else if (changes.seq > since || changes.status !== view?.status) takeChanges(changes);
      };
    }
    const [phase] = wanted;
    if (phase === undefined) return undefined;
    wanted.delete(phase);
    return async () =>
      takePhase(await client.call("showPhase", { params: { run, phase: String(phase) }, query, signal }));
  };

  void work();
  return {
    view: () => view,
    error: () => error,
    phase(number) {
      const phase = held.get(number);
      if (phase === undefined) return undefined;
      phase.view ??= toView(phase);
      return phase.view;
    },
    node: (path) => held.get(phaseByPath.get(path) ?? -1)?.nodesByPath.get(path),
    onView(watch) {
      viewers.add(watch);
      return () => viewers.delete(watch);
    },
    onNode(path, watch) {
      const watchers = watchersByPath.get(path) ?? new Set();
      watchersByPath.set(path, watchers);
      watchers.add(watch);
      return () => {
        watchers.delete(watch);
        if (watchers.size === 0) watchersByPath.delete(path);
      };
    },
    want(phase) {
      if (held.has(phase) || wanted.has(phase)) return;
      wanted.add(phase);
      void work();
    },
    find(path) {
      if (view === undefined || phaseByPath.has(path)) return;
      const outermost = `/${path.split("/")[1] ?? ""}`;
      const own = view.heads.filter((head) => head.path === outermost);
      // Plain steps in a row share a phase that is named after none of them.
      for (const { phase } of own.length > 0 ? own : view.heads.filter((head) => head.name === "steps"))
        if (!held.has(phase)) wanted.add(phase);
      void work();
    },
    ring() {
      isRung = true;
      void work();
    },
    retry() {
      error = undefined;
      isRung = true;
      void work();
    },
    close: () => closing.abort(),
  };
}

function toHeld(nodes: readonly ScoreNode[], edges: readonly ScoreEdge[]): Held {
  return {
    nodesByPath: new Map(nodes.map((node) => [node.path, node])),
    edgesByOwner: new Map(nodes.map((node) => [node.path, edgesOf(node, edges)])),
    view: undefined,
  };
}

/** A message tells whom it reached; everything else tells where it came from. */
function edgesOf({ path }: ScoreNode, edges: readonly ScoreEdge[]): readonly ScoreEdge[] {
  return edges.filter(({ from, to, kind }) => (kind === "message" ? from : to) === path);
}

function toView({ nodesByPath, edgesByOwner }: Held): PhaseView {
  const nodes = [...nodesByPath.values()].toSorted((left, right) => left.ownSeq - right.ownSeq);
  const edges = [...edgesByOwner.values()].flat().filter(({ from, to }) => nodesByPath.has(from) && nodesByPath.has(to));
  return { nodes, edges, layout: layOutPhase(nodes) };
}

function replaceHeads(heads: readonly PhaseHead[], changed: readonly PhaseHead[]): readonly PhaseHead[] {
  if (changed.length === 0) return heads;
  const next = [...heads];
  for (const head of changed) next[head.phase] = head;
  return next;
}
