import { isTuttiError, toStoredError, toTuttiError, TuttiError } from "../../base/errors.ts";
import { addUsage, noUsage, type Confidence, type Usage } from "../../contracts/outcome.ts";
import type { Callable, Run } from "../../contracts/run.ts";
import { findMisfit } from "../../models/schema-fit.ts";
import type { TaskCheck } from "./check-plan.ts";
import { holds, isEmpty } from "./condition.ts";
import type { FailureReason, TaskOutcome } from "./outcome.ts";
import type { PlanTask, SuccessTest } from "./plan.ts";
import { resolveSource, type Values } from "./source.ts";

/** One task to be done, with everything that it may look at. */
export interface Job {
  readonly task: PlanTask;
  /** Who does it, first to last: the chosen one, then the alternative. None for a task with tasks of its own. */
  readonly doers: readonly Doer[];
  readonly checks: Readonly<Record<string, TaskCheck>>;
  readonly values: Values;
}

/** A callable, or a plan inside the plan. */
export interface Doer {
  readonly name: string;
  /** Whether a failure may leave something changed of which nobody knows. */
  readonly mayChange: boolean;
  readonly work: (run: Run, input: unknown) => Promise<Worked>;
}

export interface Worked {
  readonly output: unknown;
  readonly confidence?: Confidence;
  readonly usage?: Usage;
}

export function toDoer(callable: Callable, { budget }: PlanTask): Doer {
  const { kind, name } = callable;
  const options = budget === undefined ? undefined : { budget };
  return {
    name,
    // What an agent or a flow changed, it changed by tools, each with an outcome of its own.
    mayChange: kind === "tool" && callable.effect !== "read" && callable.effect !== "local",
    work: (run, input) => run.result(callable, input, options),
  };
}

/** An output that counts, or why there is none. */
type Tried =
  | { readonly kind: "done"; readonly worked: Worked; readonly by: string }
  | { readonly kind: "failed"; readonly error: TuttiError; readonly reason: FailureReason; readonly inDoubt: boolean };

/**
 * Does a task: repeats it, tries it again, lets another try, and looks at what came out. Every call is a step of the run.
 * @throws only when the run or this branch of it was cancelled
 */
export async function runTask(run: Run, job: Job): Promise<TaskOutcome> {
  const { task } = job;
  const max = task.repeat?.max ?? 1;
  let last: unknown;
  let usage: Usage = noUsage;
  for (let count = 1; ; count++) {
    const values: Values = (root) => (root === "last" ? last : job.values(root));
    const resolved = resolveSource(task.input ?? {}, values);
    if (resolved.kind === "missing") return { kind: "skipped", why: `there is no ${resolved.reference}` };
    const tried = await tryDoers(run, { ...job, values }, resolved.value);
    if (tried.kind === "failed") return toFailed(tried);
    const { output, confidence } = tried.worked;
    usage = addUsage(usage, tried.worked.usage ?? noUsage);
    last = output;
    const isEnough =
      task.repeat === undefined || holds(task.repeat.until, (root) => (root === "output" ? output : job.values(root)));
    if (isEnough || count >= max)
      return { kind: "done", output, by: tried.by, usage, ...(confidence === undefined ? {} : { confidence }) };
  }
}

function toFailed({ error, reason, inDoubt }: Tried & { readonly kind: "failed" }): TaskOutcome {
  return inDoubt
    ? { kind: "in-doubt", error: toStoredError(error) }
    : { kind: "failed", error: toStoredError(error), reason };
}

async function tryDoers(run: Run, job: Job, input: unknown): Promise<Tried> {
  const retries = job.task.onFailure?.retries ?? 0;
  let last: Tried | undefined;
  for (const [place, doer] of job.doers.entries()) {
    const attemptsMax = place === 0 ? 1 + retries : 1;
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      last = await tryOnce(run, job, { doer, input });
      if (last.kind === "done" || last.inDoubt) return last;
      if (!mayBeTriedAgain(last.error)) break;
    }
  }
  return last ?? toNobody(job.task);
}

function toNobody({ id }: PlanTask): Tried {
  const error = new TuttiError("PLAN_INVALID", `nobody does the task ${id}`, {
    hint: "Give it `call`, `need`, `plan` or `planFrom`.",
  });
  return { kind: "failed", error, reason: "failure", inDoubt: false };
}

// The same input would be refused again; a bug or a question to a person does not go away by itself.
function mayBeTriedAgain({ code, disposition }: TuttiError): boolean {
  return code !== "INPUT_INVALID" && disposition !== "bug" && disposition !== "ask-person";
}

interface Try {
  readonly doer: Doer;
  readonly input: unknown;
}

async function tryOnce(run: Run, job: Job, { doer, input }: Try): Promise<Tried> {
  try {
    const worked = await doer.work(run, input);
    const problem = findShortfall(job, worked, input);
    if (problem === undefined) return { kind: "done", worked, by: doer.name };
    const error = new TuttiError(
      "OUTPUT_INVALID",
      `${doer.name} did ${job.task.id}, and it does not count: ${problem.what}`,
    );
    return { kind: "failed", error, reason: problem.reason, inDoubt: false };
  } catch (thrown) {
    if (run.signal.aborted) throw thrown;
    const error = isTuttiError(thrown) ? thrown : toTuttiError(thrown, "STEP_FAILED");
    return { kind: "failed", error, reason: toReason(error), inDoubt: doer.mayChange && error.effect === "unknown" };
  }
}

function toReason({ code }: TuttiError): FailureReason {
  return code === "TOOL_EMPTY" ? "empty-result" : "failure";
}

interface Shortfall {
  readonly reason: FailureReason;
  readonly what: string;
}

function findShortfall(job: Job, { output, confidence }: Worked, input: unknown): Shortfall | undefined {
  const { success } = job.task;
  if (success === undefined) return undefined;
  if (success.notEmpty === true && isEmpty(output)) return { reason: "empty-result", what: "it is empty" };
  const unsure = findDoubt(success, confidence);
  if (unsure !== undefined) return { reason: "low-confidence", what: unsure };
  const misfit = success.schema === undefined ? undefined : findMisfit(success.schema, output, "it");
  if (misfit !== undefined) return { reason: "check-failed", what: misfit };
  const values: Values = (root) => (root === "output" ? output : root === "input" ? input : job.values(root));
  if (success.holds !== undefined && !holds(success.holds, values))
    return { reason: "check-failed", what: "its condition does not hold" };
  return askCheck(job, output, input);
}

function findDoubt({ confidenceMin }: SuccessTest, confidence: Confidence | undefined): string | undefined {
  if (confidenceMin === undefined || (confidence?.value ?? 0) >= confidenceMin) return undefined;
  const known = confidence === undefined ? "nobody said how sure it is" : `it is sure by ${confidence.value}`;
  return `${known}, and ${confidenceMin} is wanted`;
}

function askCheck({ task, checks }: Job, output: unknown, input: unknown): Shortfall | undefined {
  const name = task.success?.check;
  if (name === undefined) return undefined;
  const verdict = checks[name]?.(output, input) ?? `nobody knows the check "${name}"`;
  if (verdict === true) return undefined;
  return { reason: "check-failed", what: verdict === false ? `the check "${name}" says no` : verdict };
}
