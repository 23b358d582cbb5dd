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

type Watch = () => void;

/** One run's score, live or as it was after an entry. Whoever shows one step hears only of that step. */
export interface ScoreStore {
  readonly view: () => ScoreView | undefined;
  readonly error: () => ClientError | undefined;
  readonly phase: (phase: number) => PhaseView | undefined;
  readonly node: (path: string) => ScoreNode | undefined;
  /** Hears of heads, and of phases that got other steps. */
  readonly onView: (watch: Watch) => Watch;
  readonly onNode: (path: string, watch: Watch) => Watch;
  /** Loads the steps of a phase, unless they are there. */
  readonly want: (phase: number) => void;
  /** Loads the phases in which a step can be, as soon as they are known. */
  readonly find: (path: string) => void;
  /** Something of this run was written, or may have been: catches up. Asks again after an error too. */
  readonly ring: Watch;
}

interface HeldPhase {
  readonly nodesByPath: Map<string, ScoreNode>;
  /** By the step that they are told with. */
  readonly edgesByOwner: Map<string, readonly ScoreEdge[]>;
  view: PhaseView | undefined;
}

interface Book {
  readonly run: string;
  /** The moment that is shown; nothing for the present one, which is followed. */
  readonly seq: number | undefined;
  readonly held: Map<number, HeldPhase>;
  readonly phaseByPath: Map<string, number>;
  readonly viewers: Set<Watch>;
  readonly watchersByPath: Map<string, Set<Watch>>;
  readonly wanted: Set<number>;
  /** A step that somebody wants to see. */
  sought: string | undefined;
  view: ScoreView | undefined;
  error: ClientError | undefined;
  isRung: boolean;
  isWorking: boolean;
}

/** `seq`: the moment that is shown; without it, the present one, which is followed. */
export function openScoreStore(run: string, seq: number | undefined): ScoreStore {
  const book: Book = {
    run,
    seq,
    held: new Map(),
    phaseByPath: new Map(),
    viewers: new Set(),
    watchersByPath: new Map(),
    wanted: new Set(),
    sought: undefined,
    view: undefined,
    error: undefined,
    isRung: false,
    isWorking: false,
  };
  void work(book);
  return {
    view: () => book.view,
    error: () => book.error,
    phase(number) {
      const phase = book.held.get(number);
      if (phase !== undefined) phase.view ??= toView(phase);
      return phase?.view;
    },
    node: (path) => book.held.get(book.phaseByPath.get(path) ?? -1)?.nodesByPath.get(path),
    onView(watch) {
      book.viewers.add(watch);
      return () => void book.viewers.delete(watch);
    },
    onNode: (path, watch) => watchNode(book, path, watch),
    want: (phase) => want(book, [phase]),
    find(path) {
      book.sought = path;
      seek(book);
    },
    ring() {
      book.isRung = true;
      void work(book);
    },
  };
}

function seek(book: Book): void {
  const { view, sought } = book;
  if (view === undefined || sought === undefined || book.phaseByPath.has(sought)) return;
  const outermost = `/${sought.split("/")[1] ?? ""}`;
  const own = view.heads.filter((head) => head.path === outermost);
  // Plain steps in a row share a phase that is named after none of them.
  const heads = own.length > 0 ? own : view.heads.filter((head) => head.name === "steps");
  want(
    book,
    heads.map(({ phase }) => phase),
  );
}

function watchNode({ watchersByPath }: Book, path: string, watch: Watch): Watch {
  const watchers = watchersByPath.get(path) ?? new Set();
  watchersByPath.set(path, watchers);
  watchers.add(watch);
  return () => {
    watchers.delete(watch);
    if (watchers.size === 0) watchersByPath.delete(path);
  };
}

function want(book: Book, phases: readonly number[]): void {
  const missing = phases.filter((phase) => !book.held.has(phase) && !book.wanted.has(phase));
  for (const phase of missing) book.wanted.add(phase);
  if (missing.length > 0) void work(book);
}

const phasesAtOnce = 4;

/** One question at a time, so that an older answer never covers a newer one. */
async function work(book: Book): Promise<void> {
  if (book.isWorking) return;
  book.isWorking = true;
  try {
    for (let ask = nextQuestion(book); ask !== undefined; ask = nextQuestion(book)) {
      await ask();
      book.error = undefined;
    }
  } catch (thrown) {
    book.error = toError(thrown);
    tellViewers(book);
  } finally {
    book.isWorking = false;
  }
}

function nextQuestion(book: Book): (() => Promise<void>) | undefined {
  const { run, seq, view } = book;
  const params = { run };
  const query = seq === undefined ? {} : { seq };
  const askAll = async (): Promise<void> => takeScore(book, await client.call("showScore", { params, query }));
  if (view === undefined) return askAll;
  if (book.isRung && seq === undefined) {
    book.isRung = false;
    return async () => {
      const changes = await client.call("showChanges", { params, query: { since: view.seq } });
      if (changes.isCut) await askAll();
      else if (changes.seq > view.seq || changes.status !== view.status) takeChanges(book, changes);
    };
  }
  const next = [...book.wanted].slice(0, phasesAtOnce);
  if (next.length === 0) return undefined;
  return async () => {
    const asked = next.map((phase) => client.call("showPhase", { params: { run, phase: String(phase) }, query }));
    for (const phase of await Promise.all(asked)) takePhase(book, phase);
    for (const phase of next) book.wanted.delete(phase);
  };
}

function takeScore(book: Book, { seq, status, lanes, phases, steps }: Score): void {
  book.view = { seq, status, lanes, heads: phases, steps };
  for (const phase of book.held.keys()) book.wanted.add(phase);
  seek(book);
  tellViewers(book);
}

function takePhase(book: Book, { head, nodes, edges }: Phase): void {
  book.held.set(head.phase, toHeld(nodes, edges));
  for (const { path } of nodes) book.phaseByPath.set(path, head.phase);
  if (book.view !== undefined) book.view = { ...book.view, heads: replaceHeads(book.view.heads, [head]) };
  tellWatchers(book, nodes);
}

function takeChanges(book: Book, { seq, status, phases, nodes, edges }: ScoreChanges): void {
  if (book.view === undefined) return;
  const known = book.view.heads.length;
  // Whatever a new phase holds is among the changes.
  for (const { phase } of phases) if (phase >= known) book.held.set(phase, toHeld([], []));
  const heads = replaceHeads(book.view.heads, phases);
  const lanes = new Set([...book.view.lanes, ...phases.flatMap((head) => head.lanes.map(({ lane }) => lane))]);
  book.view = { seq, status, lanes: [...lanes], heads, steps: heads.reduce((sum, head) => sum + head.steps, 0) };
  for (const node of nodes) {
    const phase = book.held.get(node.phase);
    if (phase === undefined) continue;
    phase.nodesByPath.set(node.path, node);
    phase.edgesByOwner.set(node.path, edgesOf(node, edges));
    phase.view = undefined;
    book.phaseByPath.set(node.path, node.phase);
  }
  tellWatchers(book, nodes);
}

function tellWatchers(book: Book, nodes: readonly ScoreNode[]): void {
  for (const { path } of nodes) book.watchersByPath.get(path)?.forEach((watch) => watch());
  tellViewers(book);
}

function tellViewers({ viewers }: Book): void {
  for (const watch of viewers) watch();
}

function toHeld(nodes: readonly ScoreNode[], edges: readonly ScoreEdge[]): HeldPhase {
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

function toView({ nodesByPath, edgesByOwner }: HeldPhase): PhaseView {
  const nodes = [...nodesByPath.values()].toSorted((left, right) => left.ownSeq - right.ownSeq);
  const edges = [...edgesByOwner.values()].flat();
  const inside = edges.filter(({ from, to }) => nodesByPath.has(from) && nodesByPath.has(to));
  return { nodes, edges: inside, layout: layOutPhase(nodes) };
}

function replaceHeads(heads: readonly PhaseHead[], changed: readonly PhaseHead[]): readonly PhaseHead[] {
  const next = [...heads];
  for (const head of changed) next[head.phase] = head;
  return next;
}
