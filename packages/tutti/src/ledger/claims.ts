import { toTuttiError, TuttiError } from "../base/errors.ts";
import { inOneGo } from "../base/in-one-go.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import type { RunId } from "../contracts/ids.ts";
import type { RunRecord } from "../contracts/run-record.ts";
import { findBreak, toChainStart, type ChainEnd } from "./chain.ts";
import type { CommitQueue } from "./commit-queue.ts";
import type { Started } from "./commit-row.ts";
import type { RunHead, StoredHead } from "./commit-store.ts";
import type { LedgerReader, StoredRun } from "./ledger-reader.ts";
import type { Claim, ClaimOutcome, Ledger, RunLog } from "./ledger.ts";

/** Hands runs to their drivers: what is in memory of a run and what is stored, put together. */
export interface Claims {
  findRun(run: RunId): Promise<RunRecord | undefined>;
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
  const findTogether = inOneGo<Looking>((asked) => {
    const stored = readRuns(
      queue,
      reader,
      asked.map(({ run }) => run),
    );
    asked.forEach(({ run, resolve, reject }) => {
      try {
        resolve(stored.get(run)?.record ?? findRun(run));
      } catch (error) {
        reject(error);
      }
    });
  });
  return {
    findRun: async (run) =>
      queue.knows(run) ? findRun(run) : new Promise((resolve, reject) => findTogether({ run, resolve, reject })),
    claim: (run) => toClaim(reader, queue.claim(run)),
    claimTogether(runs, isWanted) {
      const store = reading();
      const stored = readRuns(queue, store, runs);
      const found = runs.map((run): ClaimOutcome => {
        const record = stored.get(run)?.record;
        return record === undefined ? look(run) : { kind: "passed", record };
      });
      const wanted = new Set<RunId>();
      for (const each of found) if (each.kind === "passed" && isWanted(each.record)) wanted.add(each.record.id);
      const read = readTogether(queue, store, { wanted, stored });
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

interface Looking {
  readonly run: RunId;
  readonly resolve: (record: RunRecord | undefined) => void;
  readonly reject: (error: unknown) => void;
}

type StoredRuns = ReadonlyMap<RunId, StoredRun>;

/** What is not in memory of several runs. Nothing where one is damaged: then each is read by itself, and whoever asked for it hears of it. */
function readRuns(queue: CommitQueue, reader: LedgerReader, runs: readonly RunId[]): StoredRuns {
  const stored = new Map<RunId, StoredRun>();
  const unknown = runs.filter((run) => !queue.knows(run));
  if (unknown.length < 2) return stored;
  try {
    reader.readRuns(unknown).forEach((run) => stored.set(run.record.id, run));
  } catch {
    stored.clear();
  }
  return stored;
}

/** The entries of several runs, whose heads are in memory from here on; nothing where one is damaged, as above. */
function readTogether(
  queue: CommitQueue,
  reader: LedgerReader,
  { wanted, stored }: { readonly wanted: ReadonlySet<RunId>; readonly stored: StoredRuns },
): ReadonlyMap<RunId, readonly LedgerEntry[]> {
  const read = new Map<RunId, readonly LedgerEntry[]>();
  if (wanted.size < 2) return read;
  try {
    const runs = Array.from(wanted).flatMap((run) => {
      const number = stored.get(run)?.number ?? queue.find(run)?.number;
      return number === undefined ? [] : { run, number };
    });
    const entries = reader.readOfAll(runs);
    runs.forEach(({ run }, index) => {
      const its = entries[index] ?? [];
      const last = its.at(-1);
      const found = stored.get(run);
      if (found !== undefined && last !== undefined) queue.learn(toHead(found, last));
      read.set(run, its);
    });
  } catch {
    read.clear();
  }
  return read;
}

function toHead({ number, record }: StoredRun, { seq, hash }: LedgerEntry): StoredHead {
  const { id, flow, version, startedAt, parent, startKey, epoch, status, wakeAt, endedAt } = record;
  const origin = { flow, version, startedAt, parent, startKey };
  return { number, run: id, origin, epoch, seq, hash, status, wakeAt, endedAt };
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
  const { flow, version, startedAt, parent, startKey } = origin;
  return { id: run, flow, version, startedAt, parent, startKey, status, epoch, endedAt, wakeAt };
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
