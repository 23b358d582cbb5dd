import { fromStoredError } from "../../base/errors.ts";
import type { Run } from "../../contracts/run.ts";
import type { PlanResult } from "./outcome.ts";
import type { PlanOptions } from "./plan-options.ts";
import type { PlanTask } from "./plan.ts";
import type { Roster } from "./roster.ts";
import { toDoer, type Doer } from "./run-task.ts";
import { toReference, valueAt, type Values } from "./source.ts";

export interface CourseTerms {
  readonly terms: PlanOptions;
  readonly roster: Roster;
  /** Where notes are written. */
  readonly notes: Run;
  readonly concurrency: number;
  readonly versionsMax: number;
  /** Runs a plan inside this one. */
  readonly runInner: (run: Run, plan: unknown, options: PlanOptions) => Promise<PlanResult>;
}

/** Who does a task: the chosen one, then the alternative; or the plan inside it. */
export function toDoers(task: PlanTask, given: CourseTerms & { readonly values: Values }): readonly Doer[] {
  const { roster } = given;
  if (task.plan !== undefined) return [toInnerPlan(task.plan.name, task.plan, given)];
  if (task.planFrom !== undefined)
    return [toInnerPlan("plan", valueAt(toReference(task.planFrom), given.values), given)];
  const chosen = roster.choose(task);
  const { alternative } = task.onFailure ?? {};
  const second = alternative === undefined ? undefined : roster.find(alternative);
  return [chosen, second].flatMap((callable) => (callable === undefined ? [] : [toDoer(callable, task)]));
}

function toInnerPlan(name: string, plan: unknown, { terms, concurrency, runInner }: CourseTerms): Doer {
  const { callables, checks } = terms;
  return {
    name,
    mayChange: true, // a failed plan's error says whether it left something in doubt
    work: async (run, input) => {
      const options: PlanOptions = { callables, input, concurrency, ...(checks === undefined ? {} : { checks }) };
      const result = await run.scope(name, (inner) => runInner(inner, plan, options));
      if (result.error !== undefined) throw fromStoredError(result.error);
      const { output, usage, confidence } = result;
      return { output, usage, ...(confidence === undefined ? {} : { confidence }) };
    },
  };
}
