import { TuttiError } from "../../base/errors.ts";
import type { Callable } from "../../contracts/run.ts";
import { findJsonSchema } from "../../contracts/schema.ts";
import { toToolIndex, type ToolIndex } from "../../tools/registry/tool-index.ts";
import type { PlanTask } from "./plan.ts";

/** Who can be given a task. */
export interface Roster {
  readonly callables: readonly Callable[];
  find(name: string): Callable | undefined;
  /** Who does a task: by its name, or, where the task says a need in words, who fits best. `undefined` when nobody does. */
  choose(task: Pick<PlanTask, "call" | "need">): Callable | undefined;
  /** What a callable takes and gives, as far as its schemas can be said in JSON Schema. */
  inputOf(callable: Callable): JsonSchema | undefined;
  outputOf(callable: Callable): JsonSchema | undefined;
  accessOf(callable: Callable): Access;
}

type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The callables of a plan by name and by what they do.
 * @throws TuttiError DEFINITION_INVALID when two have one name.
 */
export function toRoster(callables: readonly Callable[]): Roster {
  const byName = new Map<string, Callable>();
  for (const callable of callables) {
    if (byName.has(callable.name))
      throw new TuttiError("DEFINITION_INVALID", `a plan's callables have two named ${callable.name}`, {
        hint: "Give one another name: tasks name who does them.",
      });
    byName.set(callable.name, callable);
  }
  let index: ToolIndex | undefined;
  const chosenByNeed = new Map<string, Callable | undefined>();
  const chooseBest = (need: string): Callable | undefined => {
    if (chosenByNeed.has(need)) return chosenByNeed.get(need);
    index ??= toToolIndex(callables);
    const [best] = index.rank(need, 1);
    const chosen = best === undefined ? undefined : callables[best.index];
    chosenByNeed.set(need, chosen);
    return chosen;
  };
  return {
    callables,
    inputOf: toRemembering((callable) => findJsonSchema(callable.input, "input")),
    accessOf: toRemembering(accessOf),
    outputOf: toRemembering((callable) => findJsonSchema(callable.output, "output")),
    find: (name) => byName.get(name),
    choose: ({ call, need }) =>
      call === undefined ? (need === undefined ? undefined : chooseBest(need)) : byName.get(call),
  };
}

// A schema library takes longer to say a schema than all the rest of a check.
function toRemembering<Found>(find: (callable: Callable) => Found): (callable: Callable) => Found {
  const known = new Map<Callable, { readonly found: Found }>();
  return (callable) => {
    let entry = known.get(callable);
    if (entry === undefined) {
      entry = { found: find(callable) };
      known.set(callable, entry);
    }
    return entry.found;
  };
}

/** What somebody looks at and changes while he works: what he declares, and what his tools declare. */
export interface Access {
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}

export function accessOf(callable: Callable): Access {
  const declaring = callable.kind === "agent" ? [callable, ...callable.tools] : [callable];
  return joinAccess(declaring.map(({ reads = [], writes = [] }) => ({ reads, writes })));
}

export function joinAccess(parts: readonly Access[]): Access {
  const writes = [...new Set(parts.flatMap((part) => part.writes))];
  const written = new Set(writes);
  return { reads: [...new Set(parts.flatMap((part) => part.reads))].filter((name) => !written.has(name)), writes };
}

/** Everybody who may work on a task, its alternative and the plans inside it included. */
export function workersOf(task: PlanTask, roster: Roster): readonly Callable[] {
  if (task.planFrom !== undefined) return roster.callables; // who it will be is not known yet
  const chosen = roster.choose(task);
  const { alternative } = task.onFailure ?? {};
  const second = alternative === undefined ? undefined : roster.find(alternative);
  return [
    ...(chosen === undefined ? [] : [chosen]),
    ...(second === undefined ? [] : [second]),
    ...(task.plan?.tasks.flatMap((inner) => workersOf(inner, roster)) ?? []),
  ];
}

/** What a task may look at and change, whoever does it in the end. */
export function accessOfTask(task: PlanTask, roster: Roster): Access {
  const workers = workersOf(task, roster);
  const [only] = workers;
  return workers.length === 1 && only !== undefined
    ? roster.accessOf(only)
    : joinAccess(workers.map((worker) => roster.accessOf(worker)));
}
