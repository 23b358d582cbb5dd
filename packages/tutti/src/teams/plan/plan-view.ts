import { toShownState, type RunTree, type StepNode } from "../../insight/run-tree.ts";
import type { RecordedPlanEvent } from "./plan-events.ts";
import type { Plan, PlanTask } from "./plan.ts";

/** A plan as it stands in a run, for people. */
export interface PlanView {
  readonly name: string;
  /** Where the plan stands in the run. */
  readonly path: string;
  readonly state: "running" | "done" | "failed";
  readonly versions: readonly { readonly version: number; readonly reason: string }[];
  /** The newest version. */
  readonly plan: Plan;
  readonly tasks: readonly TaskView[];
  /** What was not taken in, and why. */
  readonly refused: readonly string[];
}

export interface TaskView {
  readonly id: string;
  readonly who: string;
  readonly state: TaskState;
  /** Why it is in this state, or what it waits for. */
  readonly why: string | undefined;
}

export type TaskState =
  | "waiting"
  | "running"
  | "in-doubt"
  | "done"
  | "kept"
  | "failed"
  | "skipped"
  | "stopped"
  | "undone"
  | "cancelled";

/** Every plan of a run, in the order in which they were made. */
export function viewPlans(events: readonly RecordedPlanEvent[], tree: RunTree): readonly PlanView[] {
  const byPlace = new Map<string, RecordedPlanEvent[]>();
  for (const event of events) {
    const place = JSON.stringify([event.path, event.plan]);
    const known = event.event.kind === "task-undone" ? findUndone(byPlace, event) : byPlace.get(place);
    if (known === undefined) byPlace.set(place, [event]);
    else known.push(event);
  }
  return [...byPlace.values()].flatMap((its) => {
    const view = viewPlan(its, tree);
    return view === undefined ? [] : [view];
  });
}

/** What is taken back is told outside the plan that failed. */
function findUndone(
  byPlace: ReadonlyMap<string, RecordedPlanEvent[]>,
  { plan, path }: RecordedPlanEvent,
): RecordedPlanEvent[] | undefined {
  return [...byPlace.values()].findLast(([first]) => first?.plan === plan && first.path.startsWith(path));
}

function viewPlan(events: readonly RecordedPlanEvent[], tree: RunTree): PlanView | undefined {
  const versions: { version: number; reason: string }[] = [];
  const refused: string[] = [];
  let [document, at]: [Plan | undefined, string] = [undefined, ""];
  let state: PlanView["state"] = "running";
  let told = new Map<string, Told>();
  for (const { event } of events) {
    if (event.kind === "plan-made") {
      versions.push({ version: event.version, reason: event.reason });
      [document, at] = [event.document, event.at];
      told = new Map();
    } else if (event.kind === "plan-refused") refused.push(`${event.reason}: ${event.problems.join("; ")}`);
    else if (event.kind === "plan-ended") state = event.outcome;
    else told.set(event.task, toTold(event));
  }
  const [first] = events;
  if (document === undefined || first === undefined) return undefined;
  const nodes = nodesBelow(tree, at);
  const tasks = document.tasks.map((task) => viewTask(task, told.get(task.id), nodes.get(task.id)));
  return { name: first.plan, path: first.path, state, versions, plan: document, tasks, refused };
}

interface Told {
  readonly state: TaskState | "held";
  readonly why: string | undefined;
}

type TaskEvent = Extract<RecordedPlanEvent["event"], { readonly task: string }>;

function toTold(event: TaskEvent): Told {
  switch (event.kind) {
    case "task-held":
      return { state: "held", why: `waits for ${event.by}: ${event.resource}, ${event.why}` };
    case "task-kept":
      return { state: "kept", why: "nothing that it depends on changed" };
    case "task-skipped":
      return { state: "skipped", why: event.why };
    case "task-failed":
      return { state: "failed", why: event.why };
    case "task-in-doubt":
      return { state: "in-doubt", why: event.why };
    case "task-stopped":
      return { state: "stopped", why: event.why };
    case "task-undone":
      return { state: "undone", why: undefined };
  }
}

/** The newest step of each task: another version of the plan may have begun it anew. */
function nodesBelow(tree: RunTree, path: string): ReadonlyMap<string, StepNode> {
  const nodes = new Map<string, StepNode>();
  let below: readonly StepNode[] = tree.root.children;
  for (
    let found = below.find((node) => leadsTo(node, path));
    found !== undefined;
    found = below.find((node) => leadsTo(node, path))
  )
    below = found.children;
  for (const node of below) nodes.set(node.name.replace(/#\d+$/u, ""), node);
  return nodes;
}

function leadsTo(node: StepNode, path: string): boolean {
  return path === node.path || path.startsWith(`${node.path}/`);
}

function viewTask(task: PlanTask, told: Told | undefined, node: StepNode | undefined): TaskView {
  const who = task.call ?? task.need ?? task.plan?.name ?? task.planFrom ?? "";
  const shown = node === undefined ? undefined : toShownState(node).kind;
  if (told !== undefined && told.state !== "held") return { id: task.id, who, state: told.state, why: told.why };
  if (shown === undefined) return { id: task.id, who, state: "waiting", why: told?.why };
  return { id: task.id, who, state: shown, why: undefined };
}
