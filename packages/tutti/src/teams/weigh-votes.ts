import { toCanonicalJson } from "../base/json.ts";
import type { Vote } from "../contracts/agreement.ts";

/** A vote before anything is known of the others. */
export interface Ballot extends Omit<Vote, "weight" | "agrees"> {
  /** What it is to count for beside other ballots. */
  readonly declared: number;
}

export interface WeighedBallot extends Ballot {
  readonly weight: number;
  /** The answer as canonical JSON. */
  readonly text: string;
}

/** Ballots whose answers are the same. */
export interface AnswerGroup {
  /** As most of its ballots have it. */
  readonly answer: unknown;
  readonly weight: number;
  readonly ballots: readonly WeighedBallot[];
}

export type Same = (left: unknown, right: unknown) => boolean;

/**
 * How much of one voter's error another of its family shares. Two wrong models of any make give the same wrong answer in about 60 % of
 * cases (Kim et al., "Correlated Errors in Large Language Models", ICML 2025); of one make, at least that is to be expected.
 */
const familyCorrelation = 0.6;

/**
 * What each ballot counts for: its declared weight, in units of the mean, divided by the design effect of its family (Kish, 1965):
 * `1 + (size - 1) × familyCorrelation`. So a family of equal voters counts as 1, 1.25, 1.36 … independent ones and, however large,
 * never as two. The order of the result does not depend on the order of the ballots.
 */
export function weighBallots(ballots: readonly Ballot[]): WeighedBallot[] {
  const sorted = ballots.map((ballot) => ({ ...ballot, text: toCanonicalJson(ballot.answer) })).toSorted(byContent);
  const mean = sum(sorted.map((ballot) => ballot.declared)) / Math.max(1, sorted.length);
  const sizes = new Map<string, number>();
  for (const { family } of sorted) sizes.set(family, (sizes.get(family) ?? 0) + 1);
  return sorted.map((ballot) => {
    const designEffect = 1 + ((sizes.get(ballot.family) ?? 1) - 1) * familyCorrelation;
    return { ...ballot, weight: ballot.declared / mean / designEffect };
  });
}

/** The different answers, heaviest first. */
export function groupAnswers(ballots: readonly WeighedBallot[], same: Same | undefined): AnswerGroup[] {
  const groups: WeighedBallot[][] = [];
  for (const ballot of ballots) {
    const group = groups.find(([first]) => first !== undefined && isSame(first, ballot, same));
    if (group === undefined) groups.push([ballot]);
    else group.push(ballot);
  }
  return groups.map(toGroup).toSorted((left, right) => right.weight - left.weight);
}

/** The heaviest answer, if it has more than this share of all the weight and no other weighs the same. */
export function findWinner(groups: readonly AnswerGroup[], moreThan: number): AnswerGroup | undefined {
  const [first, second] = groups;
  if (first === undefined) return undefined;
  const whole = sum(groups.map((group) => group.weight));
  const isAhead = second === undefined || isHeavier(first.weight, second.weight);
  return isAhead && isHeavier(first.weight, moreThan * whole) ? first : undefined;
}

/**
 * How sure an agreement is: the share of the weight behind it by the rule of succession, (agreeing + 1) / (all + 2). A few voters never make
 * certain, and of one family not even many do.
 */
export function toConfidence(agreeing: number, all: number): number {
  return (agreeing + 1) / (all + 2);
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

// Sums of the same weights in another order differ in their last digits; that must not break a tie.
const tolerance = 1e-9;

function isHeavier(left: number, right: number): boolean {
  return left > right * (1 + tolerance) + tolerance * tolerance;
}

function isSame(left: WeighedBallot, right: WeighedBallot, same: Same | undefined): boolean {
  return left.text === right.text || (same?.(left.answer, right.answer) ?? false);
}

function toGroup(ballots: readonly WeighedBallot[]): AnswerGroup {
  const weightByText = new Map<string, number>();
  for (const { text, weight } of ballots) weightByText.set(text, (weightByText.get(text) ?? 0) + weight);
  let best = ballots[0];
  for (const ballot of ballots) {
    const isBetter = isHeavier(weightByText.get(ballot.text) ?? 0, weightByText.get(best?.text ?? "") ?? 0);
    if (isBetter) best = ballot;
  }
  return { answer: best?.answer, weight: sum(ballots.map((ballot) => ballot.weight)), ballots };
}

function byContent(left: Ballot & { readonly text: string }, right: Ballot & { readonly text: string }): number {
  return (
    compare(left.text, right.text) ||
    left.declared - right.declared ||
    compare(left.family, right.family) ||
    compare(left.voter, right.voter)
  );
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
