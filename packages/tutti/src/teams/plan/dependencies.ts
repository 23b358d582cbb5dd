import { referencesInCondition } from "./condition.ts";
import { reservedIds, type Plan, type PlanTask } from "./plan.ts";
import { referencesIn, toReference } from "./source.ts";

/** A place in a plan that names a value, and the part of the task in which it stands. */
export interface Use {
  readonly text: string;
  readonly part: "input" | "planFrom" | "when" | "success" | "repeat" | "after";
}

/** Every value and task that a task names, those of the plans inside it aside: they name each other. */
export function usesOf(task: PlanTask): readonly Use[] {
  const { input, planFrom, when, success, repeat, after = [] } = task;
  const inCondition = (part: Use["part"], condition: PlanTask["when"]): readonly Use[] =>
    condition === undefined ? [] : referencesInCondition(condition).map((text) => ({ text, part }));
  return [
    ...referencesIn(input).map(({ text }): Use => ({ text, part: "input" })),
    ...(planFrom === undefined ? [] : [{ text: planFrom, part: "planFrom" } as const]),
    ...inCondition("when", when),
    ...inCondition("success", success?.holds),
    ...inCondition("repeat", repeat?.until),
    ...after.map((text): Use => ({ text, part: "after" })),
  ];
}

/** The ids of the tasks that must be over before this one begins. */
export function dependenciesOf(task: PlanTask): readonly string[] {
  const roots = usesOf(task).map(({ text }) => toReference(text).root);
  return [...new Set(roots)].filter((root) => !reservedIds.includes(root));
}

/** The tasks in an order in which each comes after what it waits for; or the ids of tasks that wait for each other in a circle. */
export type Ordered =
  | { readonly kind: "ordered"; readonly ids: readonly string[]; readonly chain: number }
  | { readonly kind: "circle"; readonly ids: readonly string[] };

/** Tasks that do not exist are passed over. Looks at every task and every dependency once. */
export function orderTasks({ tasks }: Pick<Plan, "tasks">): Ordered {
  const known = new Set(tasks.map(({ id }) => id));
  const waiting = new Map<string, number>();
  const followers = new Map<string, string[]>();
  for (const task of tasks) {
    const before = dependenciesOf(task).filter((id) => known.has(id));
    waiting.set(task.id, before.length);
    for (const id of before) {
      const after = followers.get(id);
      if (after === undefined) followers.set(id, [task.id]);
      else after.push(task.id);
    }
  }
  const ids = tasks.map(({ id }) => id).filter((id) => waiting.get(id) === 0);
  const depth = new Map(ids.map((id) => [id, 1]));
  for (const id of ids) {
    for (const follower of followers.get(id) ?? []) {
      const left = (waiting.get(follower) ?? 0) - 1;
      waiting.set(follower, left);
      depth.set(follower, Math.max(depth.get(follower) ?? 1, (depth.get(id) ?? 1) + 1));
      if (left === 0) ids.push(follower);
    }
  }
  if (ids.length < tasks.length) {
    const ordered = new Set(ids);
    return { kind: "circle", ids: tasks.map(({ id }) => id).filter((id) => !ordered.has(id)) };
  }
  return { kind: "ordered", ids, chain: [...depth.values()].reduce((most, each) => Math.max(most, each), 0) };
}
