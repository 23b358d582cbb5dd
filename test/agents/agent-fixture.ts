import { onTestFinished } from "vitest";
import { z } from "zod";

import type { AgentDefinition } from "../../packages/tutti/src/agents/agent-definition.ts";
import { agent } from "../../packages/tutti/src/agents/agent.ts";
import { systemClock } from "../../packages/tutti/src/base/clock.ts";
import { isTuttiError, type TuttiError } from "../../packages/tutti/src/base/errors.ts";
import type { LedgerEntry } from "../../packages/tutti/src/contracts/entry.ts";
import type { Model, ModelMessage } from "../../packages/tutti/src/contracts/model.ts";
import type { Result } from "../../packages/tutti/src/contracts/outcome.ts";
import type { Agent, Flow } from "../../packages/tutti/src/contracts/run.ts";
import { openTutti } from "../../packages/tutti/src/engine/open-tutti.ts";
import type { Activity, TuttiOptions } from "../../packages/tutti/src/engine/tutti.ts";
import { flow } from "../../packages/tutti/src/flow/flow.ts";
import type { Claim, Ledger, RunLog } from "../../packages/tutti/src/ledger/ledger.ts";
import { openMemoryLedger } from "../../packages/tutti/src/ledger/memory/memory-ledger.ts";
import { wrapLog } from "../../packages/tutti/src/ledger/run-log.ts";
import { changeClaims } from "../ledger/change-claims.ts";

export interface Asked {
  readonly question: string;
}
export interface Answered {
  readonly answer: string;
}
export type ScholarDefinition = AgentDefinition<Asked, Answered>;

/** An agent that answers a question, with a change. */
export function toScholar(change: Partial<ScholarDefinition> = {}): Agent<Asked, Answered> {
  return agent({
    name: "scholar",
    does: "Answers.",
    model: "fast",
    input: z.object({ question: z.string() }),
    output: z.object({ answer: z.string() }),
    instructions: "Look words up.",
    ...change,
  });
}

/** A flow that calls one agent and returns the whole result, what is known about it included. */
export function toAsking(callee: Agent<Asked, Answered>): Flow<Asked, Result<Answered>> {
  return flow({
    name: "ask",
    input: z.object({ question: z.string() }),
    output: z.custom<Result<Answered>>(),
    run: (run, input) => run.result(callee, input),
  });
}

export interface Played {
  readonly outcome: Result<Answered> | TuttiError;
  readonly entries: readonly LedgerEntry[];
  readonly activities: readonly Activity[];
  readonly ledger: Ledger;
}

/** Calls an agent once, in a run of its own, watched unless said otherwise. */
export async function play(
  model: Model,
  callee: Agent<Asked, Answered>,
  { isWatched = true, ...options }: Partial<TuttiOptions> & { readonly isWatched?: boolean } = {},
): Promise<Played> {
  const ask = toAsking(callee);
  const activities: Activity[] = [];
  const ledger = openMemoryLedger({ clock: options.clock ?? systemClock });
  const tutti = await openTutti({
    flows: [ask],
    models: { fast: model },
    ledger,
    ...(isWatched ? { onActivity: (activity: Activity) => activities.push(activity) } : {}),
    ...options,
  });
  onTestFinished(() => tutti.close());
  const handle = await tutti.start(ask, { question: "What does it mean?" }, { id: "run" });
  const outcome = await handle.result().catch((error: unknown) => {
    if (isTuttiError(error)) return error;
    throw error;
  });
  return { outcome, entries: await handle.entries(), activities, ledger };
}

export interface ToolResult {
  readonly id: string;
  readonly result: unknown;
  readonly isError: boolean;
}

/** What tools came back with so far in a conversation. */
export function toolResults(messages: readonly ModelMessage[]): readonly ToolResult[] {
  return messages.flatMap((message) =>
    message.role === "tool" ? [{ id: message.callId, result: message.result, isError: message.isError }] : [],
  );
}

/** The keys of the steps that were done, in the ledger's order. */
export function doneKeys(entries: readonly LedgerEntry[]): readonly string[] {
  return entries.filter((entry) => entry.kind === "step-done").map((entry) => entry.key);
}

/** A ledger whose process dies after so many appends: what comes later is neither written nor answered. */
export function dyingLedger(
  ledger: Ledger,
  appendsMax: number,
): { readonly ledger: Ledger; readonly died: Promise<void> } {
  let appends = 0;
  const { promise: died, resolve: die } = Promise.withResolvers<void>();
  const toMortal = (claim: Claim): Claim => {
    const write: RunLog["write"] = (...request) => {
      appends += 1;
      if (appends <= appendsMax) claim.log.write(...request);
      else die();
    };
    const mark: RunLog["mark"] = (...state) => (appends > appendsMax ? undefined : claim.log.mark(...state));
    return { ...claim, log: wrapLog(claim.log, { write, mark }) };
  };
  const dying: Ledger = { ...ledger, ...changeClaims(ledger, toMortal), close: () => Promise.resolve() };
  return { ledger: dying, died };
}

/**
 * Runs the agent once undisturbed, then dies after each entry and goes on in a new engine: the end has to be the same, and no answer of a
 * model may be paid twice.
 */
export async function surviveEveryCrash(
  callee: Agent<Asked, Answered>,
  openModel: () => Model & { readonly requests: readonly unknown[] },
): Promise<{ readonly points: number; readonly differences: readonly string[] }> {
  const whole = await play(openModel(), callee);
  const paidInAll = modelSteps(whole.entries);
  const differences: string[] = [];
  const points = whole.entries.length - 1; // the first is written by the start
  for (let appends = 0; appends < points; appends++) {
    const ask = toAsking(callee);
    const ledger = openMemoryLedger({ clock: systemClock });
    const { ledger: dying, died } = dyingLedger(ledger, appends);
    const first = await openTutti({ flows: [ask], models: { fast: openModel() }, ledger: dying });
    const started = await first.start(ask, { question: "What does it mean?" }, { id: "run" });
    await died;
    await ledger.flush();
    const paid = modelSteps(await ledger.read(started.id));
    const model = openModel();
    const second = await openTutti({ flows: [ask], models: { fast: model }, ledger });
    const handle = await second.open("run");
    const outcome = await handle.result().catch((error: unknown) => error);
    if (JSON.stringify(outcome) !== JSON.stringify(whole.outcome))
      differences.push(`after ${appends}: ${JSON.stringify(outcome)}`);
    if (model.requests.length !== paidInAll - paid)
      differences.push(`after ${appends}: ${model.requests.length} paid, ${paidInAll - paid} were left`);
    await second.close();
  }
  return { points, differences };
}

function modelSteps(entries: readonly LedgerEntry[]): number {
  return doneKeys(entries).filter((key) => /\/(model|summary)(#\d+)?$/.test(key)).length;
}
