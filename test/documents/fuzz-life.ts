import { bodyOf, type LedgerEntry } from "../../packages/tutti/src/contracts/entry.ts";
import { isOver } from "../../packages/tutti/src/contracts/run-record.ts";
import { openTutti } from "../../packages/tutti/src/engine/open-tutti.ts";
import type { Tutti } from "../../packages/tutti/src/engine/tutti.ts";
import type { Ledger } from "../../packages/tutti/src/ledger/ledger.ts";
import { pause } from "../crash/interpret.ts";
import { restoreLedger } from "../crash/restore.ts";
import { openChance, openTickClock } from "../crash/tick-clock.ts";
import { toAgent } from "./fuzz-agent.ts";
import type { FuzzCase } from "./fuzz-program.ts";

/** What one life of a process left behind. */
export interface FuzzLife {
  readonly entries: readonly LedgerEntry[];
  readonly wrongs: readonly string[];
}

const ticksMax = 6_000;

/** Lives a case from the given past until every run is over; a run that is parked is resumed by a person. */
export async function live(
  fuzzCase: FuzzCase,
  past: { readonly entries: readonly LedgerEntry[]; readonly seed: number },
  sabotage: (ledger: Ledger) => Ledger = (ledger) => ledger,
): Promise<FuzzLife> {
  const clock = openTickClock((past.entries.at(-1)?.at ?? 1_000) + 5);
  const entries: LedgerEntry[] = [];
  const executed: string[] = [];
  const chance = openChance(past.seed);
  const ledger = sabotage(await restoreLedger(past.entries, { clock, onEntry: (entry) => entries.push(entry) }));
  const agent = toAgent({ fuzzCase, executed, chance });
  const tutti = await openTutti(
    { flows: [agent.flow], tools: [agent.act], ledger, clock, chance },
    { evictAfterMs: 20, stallMs: 2_000 },
  );
  for (const [index] of fuzzCase.runs.entries()) await tutti.start(agent.flow, index, { id: `run-${index}` });
  const wrongs = await untilOver(tutti);
  await pause(20);
  clock.stop();
  const recorded = new Set(
    past.entries.filter((entry) => entry.kind === "step-done").map((entry) => `${entry.run}${entry.key}`),
  );
  for (const step of executed) if (recorded.has(step)) wrongs.push(`${step} was recorded and executed again`);
  return { entries, wrongs: [...wrongs, ...findFalseResults(entries)] };
}

async function untilOver(tutti: Tutti): Promise<string[]> {
  for (let tick = 0; tick < ticksMax; tick++) {
    const runs = await tutti.runs();
    if (runs.every((run) => isOver(run.status))) return [];
    for (const run of runs) {
      if (run.status !== "parked") continue;
      const handle = await tutti.open(run.id);
      const state = await handle.state();
      if (state.kind === "parked" && state.error.code !== "DOCUMENT_CONFLICT")
        return [`${run.id} is parked: ${state.error.code} ${state.error.message}`];
      await handle.resume().catch(() => {});
    }
    await pause(1);
  }
  return [`hangs: ${(await tutti.runs()).map((run) => `${run.id} ${run.status}`).join(", ")}`];
}

/** Whatever writes adds 1, so a value is its version; and what the code saw is what its entry says was read. */
function findFalseResults(entries: readonly LedgerEntry[]): readonly string[] {
  const wrongs: string[] = [];
  for (const entry of entries) {
    if (entry.kind === "run-failed") wrongs.push(`${entry.run} failed: ${entry.body}`);
    if (entry.kind !== "document-committed") continue;
    const { writes, reads, out } = bodyOf(entry, entry.kind);
    for (const { document, version, value } of writes)
      if (value !== version) wrongs.push(`${entry.run}${entry.key} wrote ${String(value)} as ${document}@${version}`);
    if (typeof out !== "object" || out === null || !("seen" in out)) continue;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- returned by the transaction above
    for (const [document, version] of Object.entries(out.seen as Record<string, number>)) {
      const mergedFrom = writes.find((write) => write.document === document)?.mergedFrom;
      if (version !== (mergedFrom ?? reads[document])) wrongs.push(`${entry.key} saw ${document}@${version}`);
    }
  }
  return wrongs;
}
