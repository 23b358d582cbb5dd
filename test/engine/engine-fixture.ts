import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { onTestFinished } from "vitest";

import { isTuttiError, type TuttiError } from "../../packages/tutti/src/base/errors.ts";
import { bodyOf, type BodyOf, type EntryKind, type LedgerEntry } from "../../packages/tutti/src/contracts/entry.ts";
import { toPolicyDecisions, type PolicyDecision } from "../../packages/tutti/src/contracts/policy-decision.ts";
import type { Flow, Run } from "../../packages/tutti/src/contracts/run.ts";
import type { Schema } from "../../packages/tutti/src/contracts/schema.ts";
import { type InnerOptions, openTutti } from "../../packages/tutti/src/engine/open-tutti.ts";
import type { Tutti, TuttiOptions } from "../../packages/tutti/src/engine/tutti.ts";
import { flow, type FlowDefinition } from "../../packages/tutti/src/flow/flow.ts";
import type { DiskFault } from "../../packages/tutti/src/ledger/commit-queue.ts";
import type { Ledger } from "../../packages/tutti/src/ledger/ledger.ts";
import { openMemoryLedger } from "../../packages/tutti/src/ledger/memory/memory-ledger.ts";
import { type ManualClock, openManualClock, takeTurns } from "../../packages/tutti/src/testing/manual-clock.ts";

/** One ledger and one clock, under as many engines as a test opens one after the other. */
export interface Stage {
  readonly clock: ManualClock;
  readonly ledger: Ledger;
  /** What was stored, in the ledger's order. */
  readonly entries: readonly LedgerEntry[];
  /** An engine over the ledger, which outlives it. It takes the runs of an earlier one over, as after a crash. */
  open(flows: readonly Flow[], options?: Partial<TuttiOptions> & InnerOptions): Promise<Tutti>;
}

export function openStage(fault?: DiskFault): Stage {
  const clock = openManualClock();
  const entries: LedgerEntry[] = [];
  const ledger = openMemoryLedger({
    clock,
    onEntry: (entry) => entries.push(entry),
    ...(fault === undefined ? {} : { fault }),
  });
  return {
    clock,
    ledger,
    entries,
    open(flows, { evictAfterMs, stallMs, ...options } = {}) {
      const inner = {
        ...(evictAfterMs === undefined ? {} : { evictAfterMs }),
        ...(stallMs === undefined ? {} : { stallMs }),
      };
      return openTutti({ flows, ledger: { ...ledger, close: async () => {} }, clock, ...options }, inner);
    },
  };
}

/** A file for a ledger in a folder of its own, removed after the test. */
export async function makeLedgerFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tutti-engine-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "ledger.db");
}

/** Takes any JSON, for flows whose types are not what a test is about. */
export const anything: Schema = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } };

/** A flow without an input, whose output is not what a test is about. */
export function plainFlow(
  name: string,
  run: (run: Run) => Promise<unknown>,
  options: Partial<Pick<FlowDefinition<unknown, unknown>, "version" | "onFailure">> = {},
): Flow {
  return flow({ name, input: anything, output: anything, run, ...options });
}

/** A door that somebody opens later. */
export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

export function makeGate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

/** Turns the event loop until something is so. */
export async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; !isSo(); turn++) {
    if (turn > 20_000) throw new Error(`this never became so: ${isSo.toString()}`);
    await takeTurns(1);
  }
}

/** The TuttiError that a promise rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<TuttiError> {
  const outcome = await promise.then(
    () => "it resolved",
    (error: unknown) => error,
  );
  if (isTuttiError(outcome)) return outcome;
  throw new Error(`expected a TuttiError, got ${String(outcome)}`);
}

/** The bodies of all entries of one kind, in their order. */
export function bodiesOf<Kind extends EntryKind>(entries: readonly LedgerEntry[], kind: Kind): readonly BodyOf<Kind>[] {
  return entries.filter((entry) => entry.kind === kind).map((entry) => bodyOf(entry, kind));
}

/** Everything that a policy said, wherever it stands. */
export function decisionsOf(entries: readonly LedgerEntry[]): readonly PolicyDecision[] {
  return entries.flatMap(toPolicyDecisions);
}

/** `kind key` of each entry, in their order. */
export function linesOf(entries: readonly LedgerEntry[]): readonly string[] {
  return entries.map(({ kind, key }) => (key === "" ? kind : `${kind} ${key}`));
}
