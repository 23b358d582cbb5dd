import { toCanonicalJson } from "../../base/json.ts";
import { dependenciesOf, orderTasks, usesOf } from "./dependencies.ts";
import { reservedIds, type Plan, type PlanTask } from "./plan.ts";
import { toReference } from "./source.ts";

/**
 * The tasks of a new version that are the same as before, depend on nothing that is not, and are over or at work: they are kept as they are.
 * What only turns out to be unchanged later, because a repeated task gave the same again, is found when its turn comes.
 */
export function findStable(
  plan: Plan,
  before: ReadonlyMap<string, PlanTask>,
  isKnown: (id: string) => boolean,
): ReadonlySet<string> {
  const ordered = orderTasks(plan);
  if (ordered.kind === "circle") return new Set();
  const taskById = new Map(plan.tasks.map((task) => [task.id, task]));
  const stable = new Set<string>();
  for (const id of ordered.ids) {
    const [task, old] = [taskById.get(id), before.get(id)];
    if (task === undefined || old === undefined || !isKnown(id) || !isSameTask(task, old)) continue;
    if (dependenciesOf(task).every((each) => stable.has(each))) stable.add(id);
  }
  return stable;
}

/** Whether two tasks do the same: what they are for, and what happens when they fail, aside. */
export function isSameTask(left: PlanTask, right: PlanTask): boolean {
  return left === right || toCanonicalJson(toWork(left)) === toCanonicalJson(toWork(right));
}

/** Whether the same input means the same result: what else it is judged or made by comes from nowhere else. */
export function isJudgedByItself(task: PlanTask): boolean {
  return usesOf(task).every(
    ({ text, part }) =>
      part === "input" || part === "when" || part === "after" || reservedIds.includes(toReference(text).root),
  );
}

function toWork({ does: _does, onFailure: _onFailure, ...work }: PlanTask): unknown {
  return work;
}
