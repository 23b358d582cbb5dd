import { decimal, fields, flag, integer, listOf, oneOf, text, type ValueOf } from "./described.ts";
import { runStatus, spent, stepState, toldError } from "./runs.ts";

/* Two runs of one flow beside each other. Steps are matched by their paths; nothing is said of time but how long things took. */

/** One of the two. `seq`: up to which entry it was read. `tookMs`: of a fork, since it was forked. */
export const comparedRun = fields(
  {
    run: text,
    version: text,
    status: runStatus,
    seq: integer,
    steps: integer,
    failed: integer,
    retries: integer,
    spent,
  },
  { tookMs: integer, confidenceLowest: decimal, output: text, error: toldError },
);
export type ComparedRun = ValueOf<typeof comparedRun>;

/** A step as one of the runs has it. `costUsd`: of an agent, all its questions. */
export const comparedSide = fields(
  { state: stepState, seq: integer, attempt: integer },
  {
    callable: text,
    agentVersion: text,
    output: text,
    error: toldError,
    costUsd: decimal,
    tookMs: integer,
    confidence: decimal,
    edited: flag,
  },
);
export type ComparedSide = ValueOf<typeof comparedSide>;

/** What a step differs in; `presence`: only one of the runs has it. */
export const difference = oneOf("presence", "state", "callable", "output", "error", "confidence", "cost");
export type Difference = ValueOf<typeof difference>;

/** `isShared`: the fork took it over, and it is one and the same record. Without a side: that run has no such step. */
export const comparedStep = fields(
  { path: text, name: text, kind: text, lane: text, isShared: flag, differs: listOf(difference) },
  { left: comparedSide, right: comparedSide },
);
export type ComparedStep = ValueOf<typeof comparedStep>;

/**
 * Steps in the order in which the runs made them. Of more than fit, those that are alike are left out first. `divergesAt`: the innermost step
 * with which the runs went different ways; differences in cost and confidence alone are none.
 */
export const comparison = fields(
  {
    left: comparedRun,
    right: comparedRun,
    steps: listOf(comparedStep),
    alike: integer,
    differing: integer,
    /** Steps and entries that a fork took over from the other, or both from the same run. */
    sharedSteps: integer,
    sharedEntries: integer,
    isCut: flag,
  },
  { divergesAt: text, output: oneOf("alike", "differs") },
);
export type Comparison = ValueOf<typeof comparison>;
export const comparisonQuery = fields({ with: text });
