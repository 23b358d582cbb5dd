import { toToolIndex } from "../tools/registry/tool-index.ts";

/** What is known of one who could take a task. */
export interface Standing {
  /** Calls that came to an end of late, and those of them that failed. */
  readonly done: number;
  readonly failed: number;
  /** Calls that are going on. */
  readonly atWork: number;
}

export interface CandidateFacts {
  readonly name: string;
  readonly does: string;
  readonly tags?: readonly string[] | undefined;
  /** What a call costs at most, as declared. */
  readonly costUsd?: number | undefined;
  /** `false`, or why not, when it can't be asked now. */
  readonly available?: boolean | string | undefined;
  readonly standing: Standing;
}

export interface RankedCandidate {
  readonly name: string;
  /** 0 for who can't take it. */
  readonly score: number;
  /** In words. */
  readonly why: string;
}

export const noStanding: Standing = { done: 0, failed: 0, atWork: 0 };

/** Who failed so often of late, and did nothing else, is out until somebody calls it with success. */
const failuresInARow = 5;

/**
 * Who fits a task best, best first. The score is what it says of itself (BM25 over `does`, name and tags, the best being 1), squared, because
 * nothing else makes up for it; times its share of successes by the rule of succession; divided by one more than what it has at work, and by
 * one more than its cost in units of the dearest, as which counts who does not say. Who does nothing of the kind, is not available, or only
 * fails, has a score of 0. Equal ones stay in their order.
 */
export function rankCandidates(
  task: string,
  candidates: readonly CandidateFacts[],
  fitOf = openFit(candidates),
): readonly RankedCandidate[] {
  const fits = fitOf(task);
  const costMax = Math.max(0, ...candidates.map((candidate) => candidate.costUsd ?? 0));
  return candidates
    .map((candidate) => toRanked(candidate, { fit: fits.get(candidate.name) ?? 0, costMax }))
    .toSorted((left, right) => right.score - left.score);
}

/** How well a task fits what each says of itself, by name: from 0 to 1, the best being 1. */
export type FitOf = (task: string) => ReadonlyMap<string, number>;

export function openFit(candidates: readonly Pick<CandidateFacts, "name" | "does" | "tags">[]): FitOf {
  const index = toToolIndex(candidates);
  return (task) => {
    const found = index.rank(task, candidates.length);
    const best = found[0]?.score ?? 0;
    return new Map(found.map(({ index: at, score }) => [candidates[at]?.name ?? "", score / best]));
  };
}

interface Measure {
  readonly fit: number;
  readonly costMax: number;
}

function toRanked(candidate: CandidateFacts, { fit, costMax }: Measure): RankedCandidate {
  const { name, available = true, standing, costUsd } = candidate;
  const { done, failed, atWork } = standing;
  if (available !== true) return { name, score: 0, why: available === false ? "not available" : available };
  if (fit === 0) return { name, score: 0, why: "does nothing of the kind" };
  if (done === 0 && failed >= failuresInARow) return { name, score: 0, why: `failed ${failed} times of late` };
  const success = (done + 1) / (done + failed + 2);
  const dearness = costMax === 0 ? 0 : (costUsd ?? costMax) / costMax;
  const score = (fit * fit * success) / (1 + atWork) / (1 + dearness);
  const cost = costUsd === undefined ? "cost unknown" : `${costUsd} USD`;
  const why = `fits ${toPercent(fit)}, ${done} of ${done + failed} succeeded, ${atWork} at work, ${cost}`;
  return { name, score, why };
}

function toPercent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
