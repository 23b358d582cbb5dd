import { TuttiError } from "../base/errors.ts";
import type { StepKey } from "../contracts/ids.ts";
import type { Outcome } from "../contracts/outcome.ts";
import type { Need, Siblings } from "../contracts/run.ts";
import { toStepError } from "./attempts.ts";
import type { Driver } from "./driver.ts";
import { rollback } from "./rollback.ts";
import { isUnder, toSegment, type Scope } from "./scope.ts";

export interface Group {
  readonly key: StepKey;
  readonly scope: Scope;
  readonly need: Need;
  readonly siblings: Siblings;
  readonly concurrency: number;
  readonly branches: readonly Branch[];
}

export interface Branch {
  readonly label: string;
  readonly start: (scope: Scope) => Promise<unknown>;
}

interface Progress {
  readonly outcomes: (Outcome<unknown> | undefined)[];
  readonly scopes: (Scope | undefined)[];
  next: number;
  running: number;
  done: number;
  failed: number;
  /** Known as soon as the rest can't change it. */
  fate: "open" | "won" | "lost";
  firstError: TuttiError | undefined;
}

/**
 * Runs the branches and returns every outcome, in the branches' order. All decisions follow from the order in which branches settle, and
 * that is the ledger's, so a replay decides the same.
 * @throws the first branch's error when all are needed; otherwise BRANCHES_FAILED when the need can't be met
 */
export async function fanOut(driver: Driver, group: Group): Promise<readonly Outcome<unknown>[]> {
  const count = group.branches.length;
  const progress: Progress = {
    outcomes: [],
    scopes: [],
    next: 0,
    running: 0,
    done: 0,
    failed: 0,
    fate: "open",
    firstError: undefined,
  };
  await new Promise<void>((resolve) => {
    const advance = (): void => {
      decideFate(group, progress);
      const stopped = progress.fate !== "open" && group.siblings !== "keep";
      if (stopped) cancelRunning(progress);
      else startMore(group, progress, advance);
      if (progress.running === 0 && (stopped || progress.next === count)) resolve();
    };
    advance();
  });
  const outcomes = group.branches.map(
    (_, index): Outcome<unknown> => progress.outcomes[index] ?? { kind: "cancelled" },
  );
  if (progress.fate !== "lost") return outcomes;
  const isUndone = group.siblings === "undo" ? await takeBack(driver, group, progress.scopes) : () => false;
  throw toGroupError(group, progress, toEnds(group, outcomes, isUndone));
}

function startMore(group: Group, progress: Progress, advance: () => void): void {
  while (progress.next < group.branches.length && progress.running < group.concurrency)
    startBranch(group, progress, advance);
}

function startBranch(group: Group, progress: Progress, advance: () => void): void {
  const index = progress.next++;
  const branch = group.branches[index];
  if (branch === undefined) return;
  const scope = group.scope.open(`${group.key}/${toSegment(branch.label)}`);
  progress.scopes[index] = scope;
  progress.running++;
  const settle = (outcome: Outcome<unknown>): void => {
    progress.outcomes[index] = outcome;
    progress.running--;
    scope.close();
    if (outcome.kind === "done") progress.done++;
    if (outcome.kind === "failed") {
      progress.failed++;
      progress.firstError ??= outcome.error;
    }
    advance();
  };
  startSafely(branch, scope).then(
    (value) => settle({ kind: "done", value }),
    (error: unknown) =>
      settle(
        scope.cancelled !== undefined && group.scope.cancelled === undefined
          ? { kind: "cancelled" }
          : { kind: "failed", error: toStepError(group.key, error) },
      ),
  );
}

async function startSafely(branch: Branch, scope: Scope): Promise<unknown> {
  return branch.start(scope);
}

function decideFate(group: Group, progress: Progress): void {
  if (progress.fate !== "open") return;
  const needed = toNeeded(group.need, group.branches.length);
  const possible = group.branches.length - progress.failed;
  if (possible < needed) progress.fate = "lost";
  else if (group.need === "any" && progress.done > 0) progress.fate = "won";
}

function toNeeded(need: Need, count: number): number {
  switch (need) {
    case "all":
      return count;
    case "any":
      return 1;
    case "bestEffort":
      return 0;
    default:
      return need.atLeast;
  }
}

function cancelRunning(progress: Progress): void {
  const error = new TuttiError("RUN_CANCELLED", "another branch decided the group");
  progress.scopes.forEach((scope, index) => {
    if (progress.outcomes[index] === undefined) scope?.cancel(error);
  });
}

/** The branches of which something was taken back. Where the code around it has ended meanwhile, nothing is: its run winds up by itself. */
async function takeBack(driver: Driver, { key, scope }: Group, scopes: Progress["scopes"]): Promise<Undone> {
  const undo = driver.enter(scope, "undo", `the undo of ${key}`);
  if (undo === undefined) return new Promise<never>(() => {});
  const { output } = await rollback(driver, { key: undo, path: key });
  return (index) => {
    const path = scopes[index]?.path;
    return path !== undefined && output.undone.some((step) => isUnder(step, path));
  };
}

type Undone = (index: number) => boolean;

const endsToldMax = 20;

/** How each branch ended, in a line: `supplier done, undone`, `carrier failed TOOL_FAILED`. */
function toEnds(group: Group, outcomes: readonly Outcome<unknown>[], isUndone: Undone): readonly string[] {
  const lines = outcomes.slice(0, endsToldMax).map((outcome, index) => {
    const why = outcome.kind === "failed" ? ` ${outcome.error.code}` : "";
    return `${group.branches[index]?.label} ${outcome.kind}${why}${isUndone(index) ? ", undone" : ""}`;
  });
  return outcomes.length <= endsToldMax ? lines : [...lines, `and ${outcomes.length - endsToldMax} more`];
}

function toGroupError(group: Group, progress: Progress, branches: readonly string[]): TuttiError {
  const needed = toNeeded(group.need, group.branches.length);
  const { firstError } = progress;
  if (group.need === "all" && firstError !== undefined) return firstError;
  return new TuttiError(
    "BRANCHES_FAILED",
    `${group.key}: ${progress.done} of ${group.branches.length} branches succeeded, ${needed} were needed`,
    {
      facts: { done: progress.done, failed: progress.failed, needed, branches },
      ...(firstError === undefined ? {} : { cause: firstError }),
    },
  );
}

// One for all: making an error takes longer than the rest of a short race, and nobody looks at its stack.
const lostRace = new TuttiError("RUN_CANCELLED", "another branch won the race");

/** The first branch that settles wins; the others are cancelled. Does not wait for them to leave. */
export function raceOf(
  group: Pick<Group, "key" | "scope" | "branches">,
): Promise<{ readonly name: string; readonly value: unknown }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ readonly name: string; readonly value: unknown }>();
  const scopes: Scope[] = [];
  const win = (winner: Scope, settle: () => void): void => {
    if (scopes.some((scope) => scope.closed)) return;
    winner.close();
    settle();
    for (const scope of scopes) if (scope !== winner) scope.cancel(lostRace);
  };
  for (const branch of group.branches) {
    const scope = group.scope.open(`${group.key}/${toSegment(branch.label)}`);
    scopes.push(scope);
    startSafely(branch, scope).then(
      (value) => win(scope, () => resolve({ name: branch.label, value })),
      (error: unknown) => win(scope, () => reject(toStepError(group.key, error))),
    );
  }
  return promise;
}
