import { TuttiError } from "../../base/errors.ts";

export type PlanProblemKind =
  | "form"
  | "id-twice"
  | "id-reserved"
  | "work-unclear"
  | "callable-unknown"
  | "reference-unknown"
  | "circle"
  | "input-misfit"
  | "check-unknown"
  | "limit"
  | "unaffordable";

/** Something because of which a plan can't be run, and what to do about it. */
export interface PlanProblem {
  readonly kind: PlanProblemKind;
  /** The task, with those around it: `chapter/write`. "" for the plan as a whole. */
  readonly task: string;
  readonly what: string;
  readonly hint: string;
}

/** In one line, for people and models. */
export function describeProblem({ task, what, hint }: PlanProblem): string {
  return `${task === "" ? "" : `${task}: `}${what}. ${hint}`;
}

/** More say nothing new to a model or a person. */
const toldMax = 20;

export function describeProblems(problems: readonly PlanProblem[]): string {
  const told = problems.slice(0, toldMax).map((problem) => `- ${describeProblem(problem)}`);
  return [...told, ...(problems.length > toldMax ? [`- and ${problems.length - toldMax} more`] : [])].join("\n");
}

export function toPlanInvalid(name: string, problems: readonly PlanProblem[]): TuttiError {
  const [first] = problems;
  return new TuttiError("PLAN_INVALID", `the plan ${name} can't be run:\n${describeProblems(problems)}`, {
    hint: first?.hint ?? "Ask `checkPlan` what is wrong.",
    facts: { plan: name, problems: problems.map(({ kind, task }) => `${kind} ${task}`.trim()).slice(0, toldMax) },
  });
}
