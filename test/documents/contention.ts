import { z } from "zod";

import type { Clock } from "../../packages/tutti/src/base/clock.ts";
import type { DocumentHandle, DocumentType } from "../../packages/tutti/src/contracts/document.ts";
import type { LedgerEntry } from "../../packages/tutti/src/contracts/entry.ts";
import type { Transaction } from "../../packages/tutti/src/contracts/run.ts";
import { openTutti } from "../../packages/tutti/src/engine/open-tutti.ts";
import { document } from "../../packages/tutti/src/flow/document.ts";
import { flow } from "../../packages/tutti/src/flow/flow.ts";
import { openMemoryLedger } from "../../packages/tutti/src/ledger/memory/memory-ledger.ts";
import { openManualClock } from "../../packages/tutti/src/testing/manual-clock.ts";
import { openChance } from "../crash/tick-clock.ts";
import { anything } from "../engine/engine-fixture.ts";
import { findAnomalies } from "./serial.ts";

/** Agents that fight for documents: each step reads four of twenty, thinks for 2 to 20 seconds, and writes one of the four. */
export interface Contention {
  readonly agents: number;
  readonly steps: number;
  /** The share of readings that go to three of the twenty. */
  readonly hot: number;
  readonly seed: number;
  /** Whether work on what is stale is stopped at once, or only refused in the end. */
  readonly invalidation: "push" | "commit";
}

export interface Contended {
  /** Seconds of thinking, the useless included. */
  readonly workS: number;
  /** Seconds of thinking that led to a commit. */
  readonly usefulS: number;
  readonly makespanS: number;
  readonly commits: number;
  readonly lostUpdates: number;
  readonly staleCommits: number;
  readonly anomalies: readonly string[];
}

const documentsMax = 20;
const hotMax = 3;
const readsPerStep = 4;

const value = z.number();
const page = document({ name: "page", value, initial: 0, onConflict: { triesMax: 1_000, leaseAfter: 1_000 } });
const tally = document({
  name: "tally",
  value,
  initial: 0,
  onConflict: { triesMax: 1_000, leaseAfter: 1_000, merge: (base, mine, theirs) => theirs + (mine - base) },
});

/** Every second document has a merge function. */
function openNumbered(tx: Transaction, number: number): DocumentHandle<number> {
  const type: DocumentType<number> = number % 2 === 0 ? tally : page;
  return tx.document(type, String(number));
}

interface Step {
  readonly reads: readonly number[];
}

function drawSteps({ steps, hot, seed }: Contention): readonly Step[] {
  const chance = openChance(seed);
  const pick = (): number =>
    chance() < hot ? Math.floor(chance() * hotMax) : hotMax + Math.floor(chance() * (documentsMax - hotMax));
  return Array.from({ length: steps }, () => {
    const reads = new Set<number>();
    while (reads.size < readsPerStep) reads.add(pick());
    return { reads: [...reads] };
  });
}

/** Runs all steps on a clock that is moved by hand, so that work is counted and not timed. */
export async function contend(contention: Contention): Promise<Contended> {
  const { agents, seed, invalidation } = contention;
  const clock = openManualClock(0);
  const entries: LedgerEntry[] = [];
  const ledger = openMemoryLedger({ clock, durability: "process", onEntry: (entry) => entries.push(entry) });
  const steps = drawSteps(contention).values();
  const chance = openChance(seed + 1);
  const counts = { workMs: 0, usefulMs: 0 };
  const work = async (tx: Transaction, { reads }: Step): Promise<number> => {
    const [first] = reads;
    for (const number of reads) await openNumbered(tx, number).read({ onlyRead: number !== first });
    const durationMs = Math.floor(2_000 + chance() * 18_000);
    await tx.step("think", async ({ signal }) => {
      const workMs = await think(clock, durationMs, signal);
      counts.workMs += workMs;
    });
    if (first !== undefined) await openNumbered(tx, first).change((present) => present + 1);
    return durationMs;
  };
  const agent = flow({
    name: "agent",
    input: anything,
    output: anything,
    async run(run) {
      for (let step = steps.next(); step.done !== true; step = steps.next()) {
        const { value: drawn } = step;
        const usefulMs = await run.transact((tx) => work(tx, drawn));
        counts.usefulMs += usefulMs;
      }
    },
  });
  const tutti = await openTutti(
    { flows: [agent], ledger, clock, chance },
    { invalidation, evictAfterMs: 1e9, stallMs: 1e9 },
  );
  const results = Array.from({ length: agents }, (_, index) => tutti.run(agent, index, { id: `agent-${index}` }));
  const over = new AbortController();
  const all = Promise.all(results).finally(() => over.abort());
  while (!over.signal.aborted) await clock.advance(1_000);
  await all;
  const makespanS = Math.round((entries.at(-1)?.at ?? 0) / 1_000);
  await tutti.close();
  const anomalies = findAnomalies(entries);
  return {
    workS: Math.round(counts.workMs / 1_000),
    usefulS: Math.round(counts.usefulMs / 1_000),
    makespanS,
    commits: entries.filter((entry) => entry.kind === "document-committed").length,
    lostUpdates: anomalies.filter((wrong) => wrong.startsWith("lost update")).length,
    staleCommits: anomalies.filter((wrong) => wrong.startsWith("stale")).length,
    anomalies,
  };
}

/** Thinks for so long, or until it is told to stop; says how long it did. */
function think(clock: Clock, durationMs: number, signal: AbortSignal): Promise<number> {
  const began = clock.now();
  return new Promise((resolve) => {
    const stop = (): void => {
      forget();
      signal.removeEventListener("abort", stop);
      resolve(clock.now() - began);
    };
    const forget = clock.after(durationMs, stop);
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
  });
}
