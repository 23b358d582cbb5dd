import { must } from "../../base/assert.ts";
import { isTuttiError, TuttiError } from "../../base/errors.ts";
import type { Run } from "../../contracts/run.ts";
import { checkPlanWith } from "./check-plan.ts";
import { openCourse, type Course } from "./course.ts";
import { listenForEdits } from "./edits.ts";
import type { PlanResult, TaskOutcome } from "./outcome.ts";
import { toNoteData } from "./plan-events.ts";
import type { PlanOptions } from "./plan-options.ts";
import { toPlanInvalid } from "./plan-problem.ts";
import { planLimits, type Plan, type PlanTask } from "./plan.ts";
import { toRoster, workersOf, type Roster } from "./roster.ts";

const concurrencyDefault = 64;
const versionsDefault = 3;

/**
 * Runs a plan with all the parallelism that its dependencies and the declared reads and writes of its callables allow. While it runs, a
 * signal `plan-edit.<name>` brings another version, and `plan-news.<name>` asks for one.
 * The result says how every task ended; a plan that fails is a result too.
 * @throws TuttiError PLAN_INVALID before anything is done, when `checkPlan` finds a problem
 */
export async function runPlan(run: Run, plan: unknown, options: PlanOptions): Promise<PlanResult> {
  return runPlanWith(run, plan, { options, roster: toRoster(options.callables), depth: 0 });
}

interface PlanWork {
  readonly options: PlanOptions;
  readonly roster: Roster;
  /** How many plans are around it. Only the outermost one is edited: those inside are parts of it. */
  readonly depth: number;
}

async function runPlanWith(run: Run, given: unknown, work: PlanWork): Promise<PlanResult> {
  const { options, roster } = work;
  const checked = checkPlanWith(given, options, roster);
  if (work.depth >= planLimits.nestingMax)
    throw new TuttiError("PLAN_INVALID", `the plan ${nameOf(given)} stands in ${work.depth} others`, {
      hint: `At most ${planLimits.nestingMax} plans may stand in each other.`,
    });
  for (const [name, limit] of Object.entries({
    concurrency: options.concurrency ?? concurrencyDefault,
    versionsMax: options.versionsMax ?? versionsDefault,
  }))
    if (!(limit >= 1))
      throw new TuttiError("INPUT_INVALID", `the plan ${nameOf(given)}: its ${name} is ${limit}`, {
        hint: "Give a number from 1 up: with less nothing would ever start.",
      });
  if (checked.kind === "unfit") throw toPlanInvalid(nameOf(given), checked.problems);
  const { plan } = checked;
  if (options.onFailure !== "undo") return (await follow(run, plan, work)).result;
  const ended: { course?: Ended } = {};
  try {
    await run.all(
      {
        plan: async (inner) => {
          ended.course = await follow(inner, plan, work);
          if (ended.course.error !== undefined) throw ended.course.error;
        },
      },
      { name: plan.name, siblings: "undo" },
    );
  } catch (error) {
    if (ended.course?.error === undefined || !isTuttiError(error)) throw error;
    return toUndone(run, ended.course, roster);
  }
  return must(ended.course, "a group that was done has run its branch").result;
}

/** How a plan ended, and with which error; the same error undoes it. */
interface Ended {
  readonly result: PlanResult;
  readonly plan: Plan;
  readonly error: Error | undefined;
}

async function follow(run: Run, plan: Plan, { options, roster, depth }: PlanWork): Promise<Ended> {
  const opened = (inner: Run): Course =>
    openCourse(inner, plan, {
      terms: options,
      roster,
      notes: run,
      concurrency: options.concurrency ?? concurrencyDefault,
      runInner: async (within, part, its) => runPlanWith(within, part, { options: its, roster, depth: depth + 1 }),
      versionsMax: Math.min(options.versionsMax ?? versionsDefault, planLimits.versionsMax),
    });
  if (depth > 0) return toEnded(await opened(run).result());
  const { promise: course, resolve } = Promise.withResolvers<Course>();
  const winner = await run.race(
    {
      tasks: async (inner) => {
        const begun = opened(inner);
        resolve(begun);
        return begun.result();
      },
      signals: async (inner) => listenForEdits(inner, plan.name, await course),
    },
    { name: options.onFailure === "undo" ? "tasks" : plan.name },
  );
  return toEnded(winner.value);
}

function toEnded({ result, plan, error }: Awaited<ReturnType<Course["result"]>>): Ended {
  return { result, plan, error };
}

/** What was done and could be taken back is taken back now. */
function toUndone(run: Run, { result, plan }: Ended, roster: Roster): PlanResult {
  const taskById = new Map(plan.tasks.map((task) => [task.id, task]));
  const outcomes: Record<string, TaskOutcome> = {};
  for (const [id, outcome] of Object.entries(result.outcomes)) {
    const task = taskById.get(id);
    const isUndone = outcome.kind === "done" && task !== undefined && canBeUndone(task, roster);
    outcomes[id] = isUndone ? { kind: "undone", output: outcome.output } : outcome;
    if (isUndone) run.note(`${id} was taken back`, toNoteData(plan.name, { kind: "task-undone", task: id }));
  }
  return { ...result, outcomes };
}

// What a child run did is its own: only what was done in steps of this run is taken back.
function canBeUndone(task: PlanTask, roster: Roster): boolean {
  return workersOf(task, roster).some((worker) => {
    if (worker.kind === "tool") return worker.undo !== undefined;
    return worker.kind === "agent" && worker.tools.some((tool) => tool.undo !== undefined);
  });
}

function nameOf(given: unknown): string {
  const name = typeof given === "object" && given !== null && "name" in given ? given.name : undefined;
  return typeof name === "string" ? name.slice(0, 64) : "without a name";
}
