import type { StoredError } from "../../base/errors.ts";
import { addUsage, noUsage, type Confidence, type Usage } from "../../contracts/outcome.ts";
import type { Plan } from "./plan.ts";

/** How a task ended. Plain data. */
export type TaskOutcome =
  | TaskDone
  | { readonly kind: "failed"; readonly error: StoredError; readonly reason: FailureReason }
  /** It failed, and nobody knows whether what it was to change is changed. */
  | { readonly kind: "in-doubt"; readonly error: StoredError }
  | { readonly kind: "skipped"; readonly why: string }
  /** It was done, and then taken back because the plan failed. */
  | { readonly kind: "undone"; readonly output: unknown };

export interface TaskDone {
  readonly kind: "done";
  readonly output: unknown;
  /** The callable that did it. */
  readonly by: string;
  readonly confidence?: Confidence;
  readonly usage?: Usage;
}

/** Why a task's output is missing or does not count. */
export type FailureReason = "failure" | "empty-result" | "low-confidence" | "check-failed";

/** Why there is another version of a plan. */
export type ReplanReason = FailureReason | "stall" | "news" | "edit";

/** What a re-planner is told. */
export interface Trouble {
  readonly reason: Exclude<ReplanReason, "edit">;
  /** In words. */
  readonly what: string;
  /** The task that failed, if one did. */
  readonly task?: string;
  readonly plan: Plan;
  readonly version: number;
  /** What is over so far, by task. */
  readonly outcomes: Readonly<Record<string, TaskOutcome>>;
}

export interface PlanResult {
  readonly kind: "done" | "failed";
  /** What the plan yields; missing when it failed. */
  readonly output?: unknown;
  /** Why it failed. */
  readonly error?: StoredError;
  /** Every task of the last version, by id. */
  readonly outcomes: Readonly<Record<string, TaskOutcome>>;
  /** How many versions of the plan there were. */
  readonly versions: number;
  /** The least of what is known of its tasks. */
  readonly confidence?: Confidence;
  readonly usage: Usage;
}

/** What is known of a plan's result: what its work spent, that of earlier versions included, and how sure it is. */
export function sumUp(
  last: readonly TaskOutcome[],
  all: readonly TaskOutcome[],
): Pick<PlanResult, "usage" | "confidence"> {
  const confidence = leastOf(last);
  const usage = all.reduce(
    (sum, outcome) => (outcome.kind === "done" ? addUsage(sum, outcome.usage ?? noUsage) : sum),
    noUsage,
  );
  return { usage, ...(confidence === undefined ? {} : { confidence }) };
}

// A plan is as sure as the least sure of its tasks, as far as they say.
function leastOf(outcomes: readonly TaskOutcome[]): Confidence | undefined {
  let least: Confidence | undefined;
  for (const outcome of outcomes) {
    const confidence = outcome.kind === "done" ? outcome.confidence : undefined;
    if (confidence !== undefined && (least === undefined || confidence.value < least.value)) least = confidence;
  }
  return least;
}
