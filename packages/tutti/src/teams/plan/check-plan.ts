import { describeThrown } from "../../base/errors.ts";
import { findBudgetProblem } from "../../contracts/budget.ts";
import type { Callable } from "../../contracts/run.ts";
import { findJsonSchema } from "../../contracts/schema.ts";
import type { Schema } from "../../contracts/schema.ts";
import type { Verdict } from "../../contracts/terms.ts";
import { findInputMisfits, type TypeOfRoot } from "./check-input.ts";
import { orderTasks, usesOf } from "./dependencies.ts";
import { planShape } from "./parse-plan.ts";
import type { PlanProblem, PlanProblemKind } from "./plan-problem.ts";
import { planLimits, reservedIds, type Plan, type PlanTask } from "./plan.ts";
import { toRoster, type Roster } from "./roster.ts";
import { referencesIn, toReference } from "./source.ts";
import { toTyped } from "./types-fit.ts";

/** Looks at a task's output; `true`, or why it does not count. Must depend on nothing else: it is asked again on replay. */
export type TaskCheck = (output: unknown, input: unknown) => Verdict;

/** What a plan is checked against. */
export interface PlanTerms {
  /** Who may be given tasks. */
  readonly callables: readonly Callable[];
  readonly checks?: Readonly<Record<string, TaskCheck>>;
  /** What the plan's input looks like. */
  readonly inputSchema?: Schema | undefined;
  /** What all declared costs together, every retry and repetition included, may come to. */
  readonly budgetUsd?: number | undefined;
}

export type CheckedPlan =
  | { readonly kind: "fits"; readonly plan: Plan; readonly costMaxUsd: number }
  | { readonly kind: "unfit"; readonly problems: readonly PlanProblem[] };

/** Finds everything that is wrong with a plan before it runs: its form, its references, who does what, types, cost and limits. */
export function checkPlan(given: unknown, terms: PlanTerms): CheckedPlan {
  return checkPlanWith(given, terms, toRoster(terms.callables));
}

/** The same with a roster that is at hand. */
export function checkPlanWith(given: unknown, terms: PlanTerms, roster: Roster): CheckedPlan {
  const formed = checkPlanForm(given);
  if (formed.kind === "unfit") return formed;
  const parsed = formed.plan;
  const inspection = new Inspection(terms, roster);
  inspection.look(parsed, "", toTyped(terms.inputSchema && findJsonSchema(terms.inputSchema, "output")));
  const costMaxUsd = sumCosts(parsed, roster);
  if (terms.budgetUsd !== undefined && costMaxUsd > terms.budgetUsd)
    inspection.add("unaffordable", "", {
      what: `it may cost up to ${costMaxUsd} US dollars, and ${terms.budgetUsd} are there`,
      hint: "Plan fewer tasks, repetitions and retries, or cheaper callables.",
    });
  return inspection.problems.length === 0
    ? { kind: "fits", plan: parsed, costMaxUsd }
    : { kind: "unfit", problems: inspection.problems };
}

/** Whether something has the form of a plan, whoever may do its tasks. */
export function checkPlanForm(
  given: unknown,
): { readonly kind: "fits"; readonly plan: Plan } | (CheckedPlan & { readonly kind: "unfit" }) {
  const plan = parsePlan(given);
  if (typeof plan !== "string") return { kind: "fits", plan };
  return {
    kind: "unfit",
    problems: [{ kind: "form", task: "", what: plan, hint: "See docs/plans.md for a plan's form." }],
  };
}

function parsePlan(given: unknown): Plan | string {
  try {
    const bytes = JSON.stringify(given)?.length ?? 0;
    if (bytes > planLimits.bytesMax) return `it is ${bytes} characters long; ${planLimits.bytesMax} are allowed`;
    return planShape(given, "");
  } catch (error) {
    return describeThrown(error);
  }
}

interface Said {
  readonly what: string;
  readonly hint: string;
}

class Inspection {
  readonly problems: PlanProblem[] = [];
  private readonly terms: PlanTerms;
  private readonly roster: Roster;
  private tasks = 0;

  constructor(terms: PlanTerms, roster: Roster) {
    this.terms = terms;
    this.roster = roster;
  }

  add(kind: PlanProblemKind, task: string, said: Said): void {
    this.problems.push({ kind, task, ...said });
  }

  look(plan: Plan, path: string, inputType: ReturnType<TypeOfRoot>): void {
    const { tasks } = plan;
    this.tasks += tasks.length;
    if (tasks.length === 0) this.add("form", path, { what: "it has no tasks", hint: "A plan has at least one task." });
    if (this.tasks > planLimits.tasksMax) {
      this.add("limit", path, {
        what: `there are more than ${planLimits.tasksMax} tasks`,
        hint: "Let a flow do what repeats, or plan the rest later.",
      });
      return;
    }
    const taskById = this.findTwins(tasks, path);
    const types = new Map<string, ReturnType<TypeOfRoot>>();
    for (const task of tasks) types.set(task.id, toTyped(findOutput(this.roster, task)));
    for (const task of tasks) this.lookAt(task, toPath(path, task.id), { taskById, types, inputType });
    this.lookAtOrder(plan, path);
    for (const { text } of referencesIn(plan.output)) {
      const { root } = toReference(text);
      if (root !== "input" && !taskById.has(root))
        this.add("reference-unknown", path, toUnknownReference("its output", text, taskById));
    }
  }

  private findTwins(tasks: readonly PlanTask[], path: string): ReadonlyMap<string, PlanTask> {
    const taskById = new Map<string, PlanTask>();
    for (const task of tasks) {
      const at = toPath(path, task.id);
      if (taskById.has(task.id))
        this.add("id-twice", at, { what: "two tasks have this id", hint: "Give one another id." });
      if (reservedIds.includes(task.id))
        this.add("id-reserved", at, {
          what: `"${task.id}" means something else in references`,
          hint: "Give it another id.",
        });
      taskById.set(task.id, task);
    }
    return taskById;
  }

  private lookAt(task: PlanTask, at: string, around: Around): void {
    this.lookAtWork(task, at);
    this.lookAtReferences(task, at, around);
    this.lookAtNumbers(task, at);
    if (task.budget !== undefined) this.lookAtBudget(task, at);
    const { check } = task.success ?? {};
    if (check !== undefined && !Object.hasOwn(this.terms.checks ?? {}, check))
      this.add("check-unknown", at, {
        what: `nobody knows the check "${check}"`,
        hint: `Known are: ${listNames(Object.keys(this.terms.checks ?? {}))}.`,
      });
    const typeOfRoot: TypeOfRoot = (root) =>
      root === "input" ? around.inputType : root === "last" ? around.types.get(task.id) : around.types.get(root);
    const { alternative } = task.onFailure ?? {};
    const doers = [this.roster.choose(task), alternative === undefined ? undefined : this.roster.find(alternative)];
    for (const doer of doers) {
      for (const misfit of doer === undefined
        ? []
        : findInputMisfits(this.roster.inputOf(doer), task.input, typeOfRoot))
        this.add("input-misfit", at, {
          what: `${misfit}, for ${doer?.name}`,
          hint: "Give what the callable's contract asks for.",
        });
    }
    if (task.plan !== undefined) this.look(task.plan, at, undefined);
  }

  private lookAtWork(task: PlanTask, at: string): void {
    const given = (["call", "need", "plan", "planFrom"] as const).filter((part) => task[part] !== undefined);
    const { alternative } = task.onFailure ?? {};
    if (given.length !== 1) {
      const what = given.length === 0 ? "it does not say who does it" : `it says who does it by ${given.join(" and ")}`;
      this.add("work-unclear", at, { what, hint: "Give exactly one of `call`, `need`, `plan` and `planFrom`." });
      return;
    }
    if ((task.call ?? task.need) !== undefined && this.roster.choose(task) === undefined)
      this.add("callable-unknown", at, {
        what: task.call === undefined ? `nobody fits "${task.need}"` : `nobody is called "${task.call}"`,
        hint: this.listCallables(),
      });
    if (alternative !== undefined && this.roster.find(alternative) === undefined)
      this.add("callable-unknown", at, {
        what: `its alternative "${alternative}" is unknown`,
        hint: this.listCallables(),
      });
  }

  private listCallables(): string {
    return `Known are: ${listNames(this.roster.callables.map(({ name }) => name))}.`;
  }

  private lookAtReferences(task: PlanTask, at: string, { taskById }: Around): void {
    for (const { text, part } of usesOf(task)) {
      const { root } = toReference(text);
      const isOwn =
        (part !== "after" && root === "input") ||
        (root === "output" && (part === "success" || part === "repeat")) ||
        (root === "last" && part === "input" && task.repeat !== undefined);
      if (isOwn || (taskById.has(root) && root !== task.id)) continue;
      if (root === task.id) continue; // the circle is told with the order
      this.add("reference-unknown", at, toUnknownReference(`its ${part}`, text, taskById));
    }
  }

  private lookAtNumbers({ repeat, onFailure, success }: PlanTask, at: string): void {
    const { repeatMax, retriesMax } = planLimits;
    if (repeat !== undefined && !(repeat.max >= 1 && repeat.max <= repeatMax))
      this.add("limit", at, {
        what: `it is repeated ${repeat.max} times`,
        hint: `From 1 to ${repeatMax} are allowed.`,
      });
    const retries = onFailure?.retries ?? 0;
    if (!(retries >= 0 && retries <= retriesMax))
      this.add("limit", at, {
        what: `it is tried ${retries} times again`,
        hint: `From 0 to ${retriesMax} are allowed.`,
      });
    const min = success?.confidenceMin ?? 0;
    if (!(min >= 0 && min <= 1))
      this.add("limit", at, { what: `its confidenceMin is ${min}`, hint: "A confidence is from 0 to 1." });
  }

  private lookAtBudget({ budget = {}, ...task }: PlanTask, at: string): void {
    const problem = findBudgetProblem(budget);
    if (problem !== undefined)
      this.add("limit", at, { what: `its budget: ${problem}`, hint: "Leave out what is not limited." });
    if (task.plan !== undefined || task.planFrom !== undefined)
      this.add("limit", at, {
        what: "it has a budget and a plan of its own",
        hint: "Give the tasks inside their budgets.",
      });
    const costUsd = declaredCost(this.roster.choose(task));
    if (budget.usd !== undefined && costUsd > budget.usd)
      this.add("unaffordable", at, {
        what: `one call may cost ${costUsd} US dollars, and its budget is ${budget.usd}`,
        hint: "Raise its budget, or give it to a cheaper callable.",
      });
  }

  private lookAtOrder(plan: Plan, path: string): void {
    const ordered = orderTasks(plan);
    if (ordered.kind === "circle")
      this.add("circle", path, {
        what: `these tasks wait for each other: ${listNames(ordered.ids)}`,
        hint: "Put what repeats into one task with `plan` and `repeat`, which has a maximum.",
      });
    else if (ordered.chain > planLimits.chainMax)
      this.add("limit", path, {
        what: `${ordered.chain} tasks wait for one another in a row`,
        hint: `At most ${planLimits.chainMax} may.`,
      });
  }
}

interface Around {
  readonly taskById: ReadonlyMap<string, PlanTask>;
  readonly types: ReadonlyMap<string, ReturnType<TypeOfRoot>>;
  readonly inputType: ReturnType<TypeOfRoot>;
}

/** What a task yields, where that is known and does not depend on who does it in the end. */
function findOutput(roster: Roster, task: PlanTask): Readonly<Record<string, unknown>> | undefined {
  const chosen = roster.choose(task);
  return chosen === undefined || task.onFailure?.alternative !== undefined ? undefined : roster.outputOf(chosen);
}

function sumCosts(plan: Plan, roster: Roster): number {
  return plan.tasks.reduce((sum, task) => sum + costOf(task, roster), 0);
}

// Every try of every repetition, and the alternative after them: what it costs at most, as far as it is declared.
function costOf(task: PlanTask, roster: Roster): number {
  const { retries = 0, alternative } = task.onFailure ?? {};
  const once = task.plan === undefined ? declaredCost(roster.choose(task)) : sumCosts(task.plan, roster);
  const second = alternative === undefined ? 0 : declaredCost(roster.find(alternative));
  return (once * (1 + retries) + second) * (task.repeat?.max ?? 1);
}

function declaredCost(callable: Callable | undefined): number {
  return callable?.guarantees?.costUsd ?? 0;
}

function toPath(path: string, id: string): string {
  return path === "" ? id : `${path}/${id}`;
}

function toUnknownReference(part: string, text: string, taskById: ReadonlyMap<string, PlanTask>): Said {
  return {
    what: `${part} names "${text}", and there is no such task`,
    hint: `Name input, or a task: ${listNames([...taskById.keys()])}.`,
  };
}

const namesMax = 30;

function listNames(names: readonly string[]): string {
  if (names.length === 0) return "nobody";
  return names.slice(0, namesMax).join(", ") + (names.length > namesMax ? `, and ${names.length - namesMax} more` : "");
}
