import { toTuttiError, TuttiError } from "../base/errors.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import type { RunId } from "../contracts/ids.ts";
import type { RunRecord } from "../contracts/run-record.ts";
import { findBreak, toChainStart, type ChainEnd } from "./chain.ts";
import type { CommitQueue } from "./commit-queue.ts";
import type { Started } from "./commit-row.ts";
import type { RunHead } from "./commit-store.ts";
import type { LedgerReader } from "./ledger-reader.ts";
import type { Claim, ClaimOutcome, Ledger, RunLog } from "./ledger.ts";

/** Hands runs to their drivers: what is in memory of a run and what is stored, put together. */
export interface Claims {
  findRun(run: RunId): RunRecord | undefined;
  /** @throws TuttiError RUN_UNKNOWN, LEDGER_CORRUPT, LEDGER_STOPPED, LEDGER_CLOSED */
  claim(run: RunId): Claim;
  claimTogether(...wish: Parameters<Ledger["claimTogether"]>): readonly ClaimOutcome[];
  /** Of a run that has just been started. */
  toFirstClaim(started: Extract<Started, { readonly kind: "started" }>, isCopied: boolean): Claim;
}

/** `reading` throws when the ledger is closed. */
export function openClaims(queue: CommitQueue, reader: LedgerReader, reading: () => LedgerReader): Claims {
  const findRun = (run: RunId): RunRecord | undefined => {
    const store = reading();
    const head = queue.find(run); // whoever looks at a run before it is driven loads what the claim needs then
    return head === undefined ? store.findRun(run) : toRecord(head, head.epoch);
  };
  const look = (run: RunId): ClaimOutcome => {
    try {
      const record = findRun(run);
      return record === undefined ? { kind: "unknown" } : { kind: "passed", record };
    } catch (error) {
      return toRefused(error);
    }
  };
  const claim = (run: RunId, read: readonly LedgerEntry[] | undefined): ClaimOutcome => {
    try {
      return { kind: "claimed", claim: toClaim(reader, queue.claim(run), read) };
    } catch (error) {
      return toRefused(error);
    }
  };
  return {
    findRun,
    claim: (run) => toClaim(reader, queue.claim(run)),
    claimTogether(runs, isWanted) {
      const store = reading();
      learnHeads(queue, store, runs);
      const found = runs.map(look);
      const wanted = new Set<RunId>();
      for (const each of found) if (each.kind === "passed" && isWanted(each.record)) wanted.add(each.record.id);
      const read = readTogether(queue, store, wanted);
      return found.map((each) =>
        each.kind === "passed" && wanted.has(each.record.id) ? claim(each.record.id, read.get(each.record.id)) : each,
      );
    },
    // A new run has nothing but its start that would have to be read back.
    toFirstClaim: (started, isCopied) =>
      isCopied
        ? toClaim(reader, started)
        : { record: toRecord(started.head, started.log.epoch), entries: [started.first], log: started.log },
  };
}

function toRefused(error: unknown): ClaimOutcome {
  return { kind: "refused", error: toTuttiError(error, "BUG") };
}

/** Reads what is not known yet of several runs. Of none where one is damaged: then each is read by itself, and whoever asked for it hears of it. */
function learnHeads(queue: CommitQueue, reader: LedgerReader, runs: readonly RunId[]): void {
  const unknown = runs.filter((run) => !queue.knows(run));
  if (unknown.length < 2) return;
  try {
    queue.learn(reader.readHeads(unknown));
  } catch {
    // as said
  }
}

/** The entries of several runs; of none where one is damaged, as above. */
function readTogether(
  queue: CommitQueue,
  reader: LedgerReader,
  runs: ReadonlySet<RunId>,
): ReadonlyMap<RunId, readonly LedgerEntry[]> {
  const read = new Map<RunId, readonly LedgerEntry[]>();
  if (runs.size < 2) return read;
  try {
    const heads = Array.from(runs).flatMap((run) => queue.find(run) ?? []);
    reader.readOfAll(heads).forEach((entries, index) => {
      const run = heads[index]?.run;
      if (run !== undefined) read.set(run, entries);
    });
  } catch {
    read.clear();
  }
  return read;
}

/** `read`: what was read of the run a moment ago. It counts as long as nothing was written since. */
function toClaim(
  reader: LedgerReader,
  { head, log }: { readonly head: RunHead; readonly log: RunLog },
  read?: readonly LedgerEntry[],
): Claim {
  const { run, seq } = head;
  // Also while closing: a start that was stored is told so.
  const entries = read?.at(-1)?.seq === seq ? read : reader.readOf(head);
  if (!head.isVerified) verifyRun(run, entries);
  head.isVerified = true;
  return { record: toRecord(head, log.epoch), entries, log };
}

function toRecord({ run, origin, status, endedAt, wakeAt }: RunHead, epoch: number): RunRecord {
  return { id: run, ...origin, status, epoch, endedAt, wakeAt };
}

// A run that this process did not write is not driven on before its past was checked.
function verifyRun(run: RunId, entries: readonly LedgerEntry[]): void {
  let end: ChainEnd = toChainStart(run);
  for (const entry of entries) {
    const why = findBreak(end, entry);
    if (why !== undefined) {
      throw new TuttiError(
        "LEDGER_CORRUPT",
        `entry ${entry.lsn} of run ${run} was damaged or changed by hand: ${why}`,
        {
          hint: "Run `tutti verify` to see how far the ledger is intact, and restore it from a backup.",
          facts: { run, lsn: entry.lsn, seq: entry.seq },
        },
      );
    }
    end = entry;
  }
}
