import type { Budget } from "../../contracts/budget.ts";
import type { Condition } from "./condition.ts";
import type { Source } from "./source.ts";

/** Who does what in which order, as data: it can be stored as JSON, checked, drawn, edited and run without code. */
export interface Plan {
  /** Letters, digits and `_ . -`: what it is called in the ledger and in the signals that edit it. */
  readonly name: string;
  /** What it is for, in one sentence. */
  readonly goal?: string;
  readonly tasks: readonly PlanTask[];
  /** What the plan yields. Without it: the output of every task that no other uses, by id. */
  readonly output?: Source;
}

/** One piece of work. Exactly one of `call`, `need`, `plan` and `planFrom` says who does it. */
export interface PlanTask {
  /** Letters, digits and `_ -`: references name it. Not `input`, `output` or `last`. */
  readonly id: string;
  /** What it is for, in words. */
  readonly does?: string;
  /** The name of a tool, an agent or a flow. */
  readonly call?: string;
  /** What is wanted, in words: the callable that fits best is taken. */
  readonly need?: string;
  /** Tasks of its own. References in them name each other and, as `input`, what this task is given. */
  readonly plan?: Plan;
  /** The same with a plan that another task makes: it is checked when its turn comes. */
  readonly planFrom?: string;
  readonly input?: Source;
  /** Tasks that must be over before, although nothing of theirs is used. */
  readonly after?: readonly string[];
  /** Only then it is done; else it is skipped. */
  readonly when?: Condition;
  /** When its output counts. Otherwise it failed. */
  readonly success?: SuccessTest;
  readonly onFailure?: OnFailure;
  /** Does it again until the condition holds, or so often. `last` is the output before this one. */
  readonly repeat?: Repeat;
  /** What each call of it may spend, with everything that it starts. Tasks with a plan of their own have none: the tasks inside do. */
  readonly budget?: Budget;
}

/** All parts that are given must hold. */
export interface SuccessTest {
  /** The name of a check that is handed to `runPlan`. */
  readonly check?: string;
  /** JSON Schema (draft 2020-12). What the schema says in words of its own, like patterns and formats, is not looked at. */
  readonly schema?: Readonly<Record<string, unknown>>;
  /** Of `output`, `input` and other tasks. */
  readonly holds?: Condition;
  /** An output with less confidence, or with none that is known, does not count. From 0 to 1. */
  readonly confidenceMin?: number;
  /** Neither null, nor empty text, list or object; nor an object of which every field, or every list, is empty. */
  readonly notEmpty?: boolean;
}

/** First it is tried again, then an alternative is, then `otherwise` is what happens. */
export interface OnFailure {
  /** How often the same call is made again; 0 by default. What may have happened already is not repeated. */
  readonly retries?: number;
  /** Another callable, by name, with the same input. */
  readonly alternative?: string;
  /** `fail` (the default): the plan fails. `skip`: it goes on without. `replan`: who planned is asked for another plan. */
  readonly otherwise?: "fail" | "skip" | "replan";
}

export interface Repeat {
  readonly until: Condition;
  /** All times together. When they are used up and the condition does not hold, the last output counts. */
  readonly max: number;
}

/** What a plan may not exceed. */
export const planLimits = {
  tasksMax: 2_000,
  /** Plans within plans. */
  nestingMax: 5,
  /** The longest chain of tasks that wait for each other. */
  chainMax: 500,
  repeatMax: 100,
  retriesMax: 10,
  /** Plans made for one goal, edits included. */
  versionsMax: 20,
  bytesMax: 4_000_000,
} as const;

/** Names that references use for something else. */
export const reservedIds: readonly string[] = ["input", "output", "last"];
