/** Plans as data, and who makes them: a plan is checked, run, made again, edited and drawn. */
export { checkPlan, type CheckedPlan, type PlanTerms, type TaskCheck } from "./teams/plan/check-plan.ts";
export type { Comparator, Comparison, Condition } from "./teams/plan/condition.ts";
export type { FailureReason, PlanResult, ReplanReason, TaskDone, TaskOutcome, Trouble } from "./teams/plan/outcome.ts";
export { toEditSignal, toNewsSignal } from "./teams/plan/edits.ts";
export { planSchema } from "./teams/plan/parse-plan.ts";
export { readPlanEvents, type PlanEvent, type RecordedPlanEvent } from "./teams/plan/plan-events.ts";
export type { PlanOptions } from "./teams/plan/plan-options.ts";
export {
  planLimits,
  type OnFailure,
  type Plan,
  type PlanTask,
  type Repeat,
  type SuccessTest,
} from "./teams/plan/plan.ts";
export type { PlanProblem, PlanProblemKind } from "./teams/plan/plan-problem.ts";
export { planner, type PlannerDefinition, type PlanRequest } from "./teams/plan/planner.ts";
export { supervisor, type SupervisorDefinition } from "./teams/plan/supervisor.ts";
export { runPlan } from "./teams/plan/run-plan.ts";
export type { Source } from "./teams/plan/source.ts";
