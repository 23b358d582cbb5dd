import type { ErrorCode } from "../base/error-codes.ts";
import type { StepKey } from "./ids.ts";
import type { Confidence } from "./outcome.ts";

/** One voter's answer, and what it counted for. */
export interface Vote<Output = unknown> {
  readonly voter: string;
  /** The voter's call: its entries hold how the answer came about. */
  readonly step: StepKey;
  readonly answer: Output;
  /** Voters of one family make the same mistakes: the model's, the declared one, or else the callable's own name. */
  readonly family: string;
  /** What the vote counted for, after the discount for its family. */
  readonly weight: number;
  /** True if the answer is the value that was settled on. */
  readonly agrees: boolean;
  /** Why, in the voter's words, at most 1,000 characters. */
  readonly reason?: string;
}

/** A voter that was asked and gave no answer. */
export interface SilentVoter {
  readonly voter: string;
  readonly code: ErrorCode;
}

/** What several answers came to. */
export interface Agreement<Output = unknown> {
  readonly value: Output;
  /** `agreement`: the share of the votes behind the value, never 1: see `toConfidence` in teams/weigh-votes.ts. `judge`: the judge's own. */
  readonly confidence: Confidence;
  readonly votes: readonly Vote<Output>[];
  /** The votes for something else. */
  readonly dissent: readonly Vote<Output>[];
  readonly silent: readonly SilentVoter[];
  /** A judge's reason. */
  readonly reason?: string;
  /** How often everybody was asked. */
  readonly rounds: number;
}

/** Answers that the rule could not bring together. */
export interface Split<Output = unknown> {
  readonly why: string;
  readonly votes: readonly Vote<Output>[];
  readonly silent: readonly SilentVoter[];
}

/** One of the different answers that a judge is shown: without names, and in an order that says nothing about who gave it. */
export interface Candidate<Output = unknown> {
  readonly id: string;
  readonly answer: Output;
  readonly reasons: readonly string[];
}

export interface JudgedQuestion<Input = unknown, Output = unknown> {
  readonly question: Input;
  readonly candidates: readonly Candidate<Output>[];
}

export interface Judgement {
  /** The `id` of the candidate that is best. */
  readonly choice: string;
  readonly reason: string;
}

/** What another voter answered in the round before, in a debate. */
export interface OtherAnswer<Output = unknown> {
  readonly answer: Output;
  readonly reason?: string;
}

/** A field's value as some voters have it, with what they count for together. */
export interface FieldValue {
  readonly value: unknown;
  readonly weight: number;
}

/**
 * How one field of several answers becomes one. `vote`: the value with more than half. `union`: every item of the lists, those with more
 * weight first. `median`: of numbers, by weight. Or a function of the different values, heaviest first: it must be pure.
 */
export type FieldRule = "vote" | "union" | "median" | ((values: readonly FieldValue[]) => unknown);

/** What a reviewer says of a work. */
export interface ReviewVerdict<Point = string> {
  readonly accepted: boolean;
  /** What has to change; with an accepted work, remarks. */
  readonly points: readonly Point[];
}

/** How a review came out. */
export interface Reviewed<Work = unknown, Point = string> {
  /** The work as it was looked at last. */
  readonly work: Work;
  readonly accepted: boolean;
  /** The reviewer's points of each look, in order; the last ones belong to `work`. */
  readonly rounds: readonly (readonly Point[])[];
}
