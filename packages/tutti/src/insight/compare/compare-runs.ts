import { TuttiError } from "../../base/errors.ts";
import type {
  ComparedRun,
  ComparedSide,
  ComparedStep,
  Comparison,
  Difference,
} from "../../contracts/api/comparison.ts";
import type { ScoreNode, ShownStatus } from "../../contracts/api/runs.ts";
import { bodyOf, type BodyOf, type LedgerEntry } from "../../contracts/entry.ts";
import { totalsOf } from "../run-tree.ts";
import type { ScoreState } from "../score/score-state.ts";
import { viewPhase, viewScore } from "../score/score-view.ts";
import { alignSteps, type AlignedStep } from "./align-steps.ts";
import { toResults, type RecordedResult } from "./recorded-results.ts";

/** One of two runs: its entries, and the score that was made of them. */
export interface RunToCompare {
  readonly entries: readonly LedgerEntry[];
  readonly score: ScoreState;
  readonly status: ShownStatus;
}

/** Of more steps than these, those that are alike are left out. */
const stepsMax = 2_000;

/**
 * What two runs of one flow have in common and where they went different ways. The sides change places with the runs, and nothing else changes.
 * @throws TuttiError INPUT_INVALID for runs of two flows, RUN_UNKNOWN for a run without entries, LEDGER_CORRUPT
 */
export function compareRuns(left: RunToCompare, right: RunToCompare): Comparison {
  const one = openSide(left);
  const other = openSide(right);
  if (one.started.flow !== other.started.flow)
    throw new TuttiError(
      "INPUT_INVALID",
      `${one.run} is a run of ${one.started.flow}, and ${other.run} one of ${other.started.flow}`,
      { hint: "Compare runs of the same flow." },
    );
  const taken = toTaken(one, other);
  const rows = alignSteps(one.nodes, other.nodes).map((row) => toRow(row, { one, other, taken }));
  const differing = rows.filter(({ differs }) => differs.length > 0);
  const shared = rows.filter(({ isShared }) => isShared);
  const isCut = rows.length > stepsMax;
  return {
    left: toComparedRun(left, one),
    right: toComparedRun(right, other),
    steps: (isCut ? differing : rows).slice(0, stepsMax),
    alike: rows.length - differing.length,
    differing: differing.length,
    sharedSteps: shared.length,
    sharedEntries: taken.entries,
    isCut,
    divergesAt: findDivergence(differing),
    output: compareOutputs(one, other),
  };
}

interface Side {
  readonly run: string;
  readonly started: BodyOf<"run-started">;
  readonly nodes: readonly ScoreNode[];
  readonly results: ReadonlyMap<string, RecordedResult>;
}

function openSide({ entries, score }: RunToCompare): Side {
  const [first] = entries;
  if (first === undefined) throw new TuttiError("RUN_UNKNOWN", "a run without entries can't be compared");
  const nodes = score.phases
    .flatMap(({ number }) => viewPhase(score, number)?.nodes ?? [])
    .toSorted((before, after) => before.ownSeq - after.ownSeq);
  return { run: first.run, started: bodyOf(first, "run-started"), nodes, results: toResults(entries) };
}

/** Which records are one and the same, because a fork took them over. */
interface Taken {
  readonly entries: number;
  has(left: RecordedResult, right: RecordedResult): boolean;
}

/** Of runs that are related in another way it is not known who took what from whom. */
function toTaken(one: Side, other: Side): Taken {
  const left = one.started.forkedFrom;
  const right = other.started.forkedFrom;
  const countOf = (fork: typeof left): number => fork?.copied ?? 0;
  const isTaken = ({ seq }: RecordedResult, fork: typeof left): boolean => seq <= countOf(fork) + 1;
  if (left?.run === other.run) return { entries: countOf(left), has: (own) => isTaken(own, left) };
  if (right?.run === one.run) return { entries: countOf(right), has: (_, own) => isTaken(own, right) };
  if (left !== undefined && left.run === right?.run)
    return {
      entries: Math.min(countOf(left), countOf(right)),
      has: (own, others) => isTaken(own, left) && isTaken(others, right),
    };
  return { entries: 0, has: () => false };
}

interface Both {
  readonly one: Side;
  readonly other: Side;
  readonly taken: Taken;
}

function toRow({ path, left, right }: AlignedStep<ScoreNode>, { one, other, taken }: Both): ComparedStep {
  const ownResult = one.results.get(path);
  const otherResult = other.results.get(path);
  const differs = findDifferences({ left, right, isOutputAlike: ownResult?.digest === otherResult?.digest });
  const isSame = ownResult !== undefined && otherResult !== undefined && taken.has(ownResult, otherResult);
  const { name, kind } = left ?? right ?? { name: "", kind: "" };
  return {
    path,
    name,
    kind,
    // A step that another agent does in each run belongs to the first of the two by name.
    lane: [left?.lane, right?.lane].filter((lane) => lane !== undefined).toSorted()[0] ?? "",
    isShared: differs.length === 0 && isSame,
    differs,
    left: left && toSide(left),
    right: right && toSide(right),
  };
}

interface StepPair {
  readonly left: ScoreNode | undefined;
  readonly right: ScoreNode | undefined;
  readonly isOutputAlike: boolean;
}

function findDifferences({ left, right, isOutputAlike }: StepPair): readonly Difference[] {
  if (left === undefined || right === undefined) return ["presence"];
  const isSameError = left.error?.code === right.error?.code && left.error?.message === right.error?.message;
  const differences: readonly (readonly [Difference, boolean])[] = [
    ["state", left.state !== right.state],
    ["callable", left.callable !== right.callable || left.agentVersion !== right.agentVersion],
    ["output", !isOutputAlike],
    ["error", !isSameError],
    ["confidence", left.confidence !== right.confidence],
    ["cost", left.spent?.costUsd !== right.spent?.costUsd],
  ];
  return differences.flatMap(([name, isThere]) => (isThere ? [name] : []));
}

function toSide(node: ScoreNode): ComparedSide {
  const { state, ownSeq, attempt, callable, agentVersion, output, error, spent, confidence, edited } = node;
  const tookMs = node.startedAt === undefined || node.endedAt === undefined ? undefined : node.endedAt - node.startedAt;
  return {
    state,
    seq: ownSeq,
    attempt,
    callable,
    agentVersion,
    output,
    error,
    costUsd: spent?.costUsd,
    tookMs,
    confidence,
    edited,
  };
}

function toComparedRun({ score, status }: RunToCompare, { run, started, nodes }: Side): ComparedRun {
  const { tree } = score;
  const { failed, retries } = totalsOf(tree);
  const confidences = nodes.flatMap(({ confidence }) => confidence ?? []);
  const { phase } = tree;
  return {
    run,
    version: started.version,
    status,
    seq: tree.seq,
    steps: nodes.length,
    failed,
    retries,
    spent: viewScore(score, status).spent,
    tookMs: tree.endedAt === undefined ? undefined : tree.endedAt - tree.startedAt,
    confidenceLowest: confidences.length === 0 ? undefined : Math.min(...confidences),
    output: tree.output,
    error:
      phase.kind === "failed" || phase.kind === "parked"
        ? { code: phase.error.code, message: phase.error.message, hint: phase.error.hint }
        : undefined,
  };
}

function compareOutputs(one: Side, other: Side): Comparison["output"] {
  const left = one.results.get("");
  const right = other.results.get("");
  if (left === undefined || right === undefined) return left === right ? undefined : "differs";
  return left.digest === right.digest ? "alike" : "differs";
}

const figures: ReadonlySet<Difference> = new Set(["confidence", "cost"]);

/** A part differs because something in it does; the first of that is where the ways part. */
function findDivergence(differing: readonly ComparedStep[]): string | undefined {
  const parting = differing.filter(({ differs }) => differs.some((each) => !figures.has(each)));
  let found = parting[0];
  // Below each other: paths only get longer, and end.
  for (let inner = found; inner !== undefined;) {
    const { path } = inner;
    found = inner;
    inner = parting.find((row) => row.path.startsWith(`${path}/`));
  }
  return found?.path;
}
