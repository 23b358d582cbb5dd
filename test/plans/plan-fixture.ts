import { onTestFinished } from "vitest";
import { z } from "zod";

import { systemClock } from "../../packages/tutti/src/base/clock.ts";
import { isTuttiError, type TuttiError } from "../../packages/tutti/src/base/errors.ts";
import type { Tool } from "../../packages/tutti/src/contracts/callable.ts";
import type { LedgerEntry } from "../../packages/tutti/src/contracts/entry.ts";
import type { Callable, Flow } from "../../packages/tutti/src/contracts/run.ts";
import { openTutti } from "../../packages/tutti/src/engine/open-tutti.ts";
import type { RunHandle, Tutti, TuttiOptions } from "../../packages/tutti/src/engine/tutti.ts";
import { flow } from "../../packages/tutti/src/flow/flow.ts";
import type { Ledger } from "../../packages/tutti/src/ledger/ledger.ts";
import { openMemoryLedger } from "../../packages/tutti/src/ledger/memory/memory-ledger.ts";
import type { PlanResult } from "../../packages/tutti/src/teams/plan/outcome.ts";
import { readPlanEvents, type PlanEvent } from "../../packages/tutti/src/teams/plan/plan-events.ts";
import type { PlanOptions } from "../../packages/tutti/src/teams/plan/plan-options.ts";
import { runPlan } from "../../packages/tutti/src/teams/plan/run-plan.ts";
import { tool, type ToolDefinition } from "../../packages/tutti/src/tools/tool.ts";
import { dyingLedger } from "../agents/agent-fixture.ts";

export interface Told {
  readonly text: string;
}

type Change = Partial<ToolDefinition<{ text: string; also?: unknown }, Told>>;

/** A tool that takes a text and gives one: its name with what it was given. */
export function toTeller(name: string, change: Change = {}): Tool<{ text: string; also?: unknown }, Told> {
  return tool({
    name,
    does: `Tells what ${name} knows.`,
    input: z.object({ text: z.string(), also: z.unknown().optional() }),
    output: z.object({ text: z.string() }),
    effect: "read",
    run: ({ text }) => ({ text: `${name}(${text})` }),
    ...change,
  });
}

export interface PlayedPlan {
  readonly outcome: PlanResult | TuttiError;
  readonly entries: readonly LedgerEntry[];
  readonly events: readonly PlanEvent[];
}

/** A flow that does nothing but run a plan. */
export function toPlanning(plan: unknown, options: PlanOptions): Flow<unknown, PlanResult> {
  return flow({
    name: "planning",
    input: z.unknown(),
    output: z.custom<PlanResult>(),
    run: (run) => runPlan(run, plan, options),
  });
}

export async function eventsOf(handle: RunHandle, ledger: Ledger): Promise<readonly PlanEvent[]> {
  const events = await readPlanEvents(await handle.entries(), (hash) => ledger.readBlob(hash));
  return events.map(({ event }) => event);
}

/** Runs a plan in a run of its own. `during` may steer it meanwhile. */
export async function playPlan(
  plan: unknown,
  options: PlanOptions & {
    readonly engine?: Partial<TuttiOptions>;
    readonly during?: (handle: RunHandle<PlanResult>, tutti: Tutti) => Promise<void>;
  },
): Promise<PlayedPlan> {
  const planning = toPlanning(plan, options);
  const ledger = openMemoryLedger({ clock: systemClock });
  const tutti = await openTutti({ flows: [planning, ...flowsOf(options.callables)], ledger, ...options.engine });
  onTestFinished(() => tutti.close());
  const handle = await tutti.start(planning, {}, { id: "run" });
  await options.during?.(handle, tutti);
  const outcome = await handle.result().catch((error: unknown) => {
    if (isTuttiError(error)) return error;
    throw error;
  });
  return { outcome, entries: await handle.entries(), events: await eventsOf(handle, ledger) };
}

function flowsOf(callables: readonly Callable[]): readonly Flow[] {
  return callables.filter((callable) => callable.kind === "flow");
}

export function resultOf({ outcome }: PlayedPlan): PlanResult {
  if (isTuttiError(outcome)) throw outcome;
  return outcome;
}

/**
 * Runs the plan once undisturbed, then dies after each entry and goes on in a new engine: every end that is another is told.
 * `open` makes the callables anew for each life, so that they can count what they do.
 */
export async function surviveEveryPlanCrash(
  plan: unknown,
  open: () => PlanOptions & { readonly models?: TuttiOptions["models"] },
): Promise<{
  readonly outcome: PlayedPlan["outcome"];
  readonly points: number;
  readonly differences: readonly string[];
}> {
  const whole = await playPlan(plan, { ...open(), engine: toEngine(open) });
  const points = whole.entries.length - 1; // the first is written by the start
  const differences: string[] = [];
  for (let appends = 0; appends < points; appends++) {
    const ledger = openMemoryLedger({ clock: systemClock });
    const { ledger: dying, died } = dyingLedger(ledger, appends);
    const first = toPlanning(plan, open());
    const firstLife = await openTutti({ flows: [first], ledger: dying, ...toEngine(open) });
    await firstLife.start(first, {}, { id: "run" });
    await died;
    await ledger.flush();
    const second = toPlanning(plan, open());
    const secondLife = await openTutti({ flows: [second], ledger, ...toEngine(open) });
    const handle = await secondLife.open("run");
    const outcome = await handle.result().catch((error: unknown) => error);
    if (JSON.stringify(outcome) !== JSON.stringify(whole.outcome))
      differences.push(`after ${appends}: ${JSON.stringify(outcome)}`);
    await secondLife.close();
  }
  return { outcome: whole.outcome, points, differences };
}

function toEngine(open: () => { readonly models?: TuttiOptions["models"] }): Partial<TuttiOptions> {
  const { models } = open();
  return models === undefined ? {} : { models };
}
