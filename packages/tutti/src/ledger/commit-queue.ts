import type { Clock } from "../base/clock.ts";
import type { TuttiError } from "../base/errors.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import type { RunId } from "../contracts/ids.ts";
import { findCut, writeEntry, writeInGroup, type OpenGroups } from "./commit-group.ts";
import type { LogState, Row, Started } from "./commit-row.ts";
import type { CommitStore, RunHead, StoredHead } from "./commit-store.ts";
import { createEntryWriter, type EntryWriter } from "./entry-writer.ts";
import { toClosedError, toStoppedError, toUnknownRunError } from "./ledger-errors.ts";
import type { NewRun, RunLog } from "./ledger.ts";
import { openRunHeads, type RunHeads } from "./run-heads.ts";
import { createRunLog, findUnstorable, type LogQueue } from "./run-log.ts";

/**
 * Called before each commit and each sync, with how many there were. Throwing makes that commit or sync fail;
 * a sync begins only after the returned promise.
 */
export type DiskFault = (point: "commit" | "sync", count: number) => void | Promise<void>;

export interface CommitQueueOptions {
  readonly clock: Clock;
  /** Called for every stored entry, after its commit. Must not throw. */
  readonly onEntry?: ((entry: LedgerEntry) => void) | undefined;
  readonly fault?: DiskFault | undefined;
  /** The store may hold what an earlier process committed and never synced: the first acknowledgement waits for it too. */
  readonly isUnsynced?: boolean;
}

/**
 * Group commit: rows collect, and one transaction per turn of the event loop writes them all. While a sync is under way
 * rows go on collecting, so the disk itself sets the pace; what was committed is acknowledged when its sync returns.
 */
export interface CommitQueue {
  start(run: NewRun): Promise<Started>;
  /** Raises the run's epoch, after committing what its earlier driver wrote. @throws TuttiError RUN_UNKNOWN */
  claim(run: RunId): { readonly head: RunHead; readonly log: RunLog };
  /** What is known of a run, as it was committed; nothing if there is no such run, or the ledger has stopped. */
  find(run: RunId): Readonly<RunHead> | undefined;
  /** Whether the run is in memory, so that finding it reads nothing. */
  knows(run: RunId): boolean;
  /** Takes in what was read of a run together with others, if nothing is known of it yet. */
  learn(head: StoredHead): void;
  /** Stores a small state with the next commit; the last one of a name counts. */
  keep(name: string, state: string): void;
  flush(): Promise<void>;
  /** Makes everything durable that was asked for, and refuses what comes later. */
  close(): Promise<void>;
  readonly stopped: TuttiError | undefined;
}

/** A batch this long takes some 10 ms; the rest waits for the next one, so that the event loop is not held up. */
const batchRowsMax = 2_000;
/** Lazy rows are written after this long, or when so many wait, whichever comes first. */
const lazyMs = 10;
const lazyRowsMax = 200;

interface QueueState {
  readonly store: CommitStore;
  readonly clock: Clock;
  readonly onEntry: ((entry: LedgerEntry) => void) | undefined;
  readonly fault: DiskFault | undefined;
  readonly heads: RunHeads;
  readonly writer: EntryWriter;
  /** What the batch that is being written holds of each group so far. */
  readonly groups: OpenGroups;
  /** Entries of the last commits, for the listener. */
  readonly stored: LedgerEntry[];
  pending: Row[];
  /** Committed, not yet handed to a sync. */
  committed: Row[];
  /** Committed, and the sync that makes them durable is under way. */
  syncing: Row[] | undefined;
  /** Something was written since the last sync began. */
  isUnsynced: boolean;
  isScheduled: boolean;
  /** A timer runs for lazy rows. */
  isLazyTimed: boolean;
  readonly logs: LogQueue;
  isClosed: boolean;
  stopped: TuttiError | undefined;
  commits: number;
  syncs: number;
}

export function openCommitQueue(store: CommitStore, options: CommitQueueOptions): CommitQueue {
  const { clock, onEntry, fault, isUnsynced } = options;
  const heads = openRunHeads(store);
  const stored: LedgerEntry[] = [];
  const onStored = onEntry === undefined ? undefined : (entry: LedgerEntry): void => void stored.push(entry);
  const queue: QueueState = {
    store,
    clock,
    onEntry,
    fault,
    heads,
    writer: createEntryWriter(store, heads, onStored),
    groups: new Map(),
    stored,
    pending: [],
    committed: [],
    syncing: undefined,
    isUnsynced: isUnsynced ?? false,
    isScheduled: false,
    isLazyTimed: false,
    logs: { enqueue: (row) => enqueue(queue, row), hurry: () => schedule(queue) },
    isClosed: false,
    stopped: undefined,
    commits: 0,
    syncs: 0,
  };
  return {
    start: (run) =>
      new Promise((resolve, reject) => {
        const refusal = findUnstorable(run);
        if (refusal === undefined) enqueue(queue, { kind: "start", run, resolve, reject, outcome: undefined });
        else reject(refusal);
      }),
    claim: (run) => claim(queue, run),
    find: (run) => find(queue, run),
    knows: (run) => heads.knows(run),
    learn: (head) => heads.learn(head),
    keep: (name, state) => enqueue(queue, { kind: "keep", name, state }),
    flush: () => flush(queue),
    async close() {
      const drained = flush(queue);
      queue.isClosed = true;
      await drained.catch(() => undefined); // a ledger that stopped has told everybody who waited
    },
    get stopped() {
      return queue.stopped;
    },
  };
}

function find({ heads, stopped }: QueueState, run: RunId): RunHead | undefined {
  if (stopped !== undefined) return undefined; // what is in memory may have been taken back
  const head = heads.find(run);
  heads.trim();
  return head;
}

function flush(queue: QueueState): Promise<void> {
  return new Promise((resolve, reject) => enqueue(queue, { kind: "flush", resolve, reject }));
}

function claim(queue: QueueState, run: RunId): { readonly head: RunHead; readonly log: RunLog } {
  refuseIfOver(queue);
  let head = queue.heads.find(run);
  // Its start, or entries of its earlier driver, may still wait.
  if (queue.pending.length > 0 && (head === undefined || head.pending > 0)) {
    while (queue.pending.length > 0) commitPending(queue);
    refuseIfOver(queue);
    schedule(queue);
    head = queue.heads.find(run);
  }
  if (head === undefined) throw toUnknownRunError(run);
  head.epoch += 1;
  queue.heads.markDirty(head);
  return { head, log: openLog(queue, head) };
}

function openLog(queue: QueueState, head: RunHead): RunLog {
  return createRunLog(head, queue.logs);
}

function refuseIfOver(queue: QueueState): void {
  if (queue.stopped !== undefined) throw queue.stopped;
  if (queue.isClosed) throw toClosedError();
}

function enqueue(queue: QueueState, row: Row): void {
  const refusal = queue.stopped ?? (queue.isClosed ? toClosedError() : undefined);
  if (refusal !== undefined) {
    rejectRow(row, refusal);
    return;
  }
  if (row.kind === "append" || row.kind === "mark") headOf(queue, row.log).pending += 1;
  queue.pending.push(row);
  const canWait = row.kind === "keep" || (row.kind === "append" && row.pace === "lazy");
  if (canWait && queue.pending.length < lazyRowsMax) scheduleLater(queue);
  else schedule(queue);
}

/** The head may have been dropped from memory since the log last wrote; while rows wait it is kept. */
function headOf(queue: QueueState, log: LogState): RunHead {
  if (!log.head.isDetached) return log.head;
  const head = queue.heads.find(log.run);
  if (head === undefined) throw toUnknownRunError(log.run);
  log.head = head;
  return head;
}

function schedule(queue: QueueState): void {
  if (queue.isScheduled || queue.syncing !== undefined) return;
  queue.isScheduled = true;
  setImmediate(turn, queue);
}

// Losing what is lazy only means doing it again, so it need not cost a commit and a sync of its own.
function scheduleLater(queue: QueueState): void {
  if (queue.isLazyTimed || queue.isScheduled) return;
  queue.isLazyTimed = true;
  queue.clock.after(lazyMs, () => {
    queue.isLazyTimed = false;
    if (queue.pending.length > 0) schedule(queue);
  });
}

function turn(queue: QueueState): void {
  queue.isScheduled = false;
  if (queue.syncing !== undefined) return;
  commitPending(queue);
  syncCommitted(queue);
  if (queue.onEntry !== undefined) for (const entry of queue.stored.splice(0)) queue.onEntry(entry);
}

/** Writes what waits in one transaction. A row that may not be written is refused alone; a failure stops everything. */
function commitPending(queue: QueueState): void {
  const { store, heads, pending } = queue;
  if (pending.length === 0 && !heads.hasDirty()) return;
  const cut = pending.length <= batchRowsMax ? pending.length : findCut(pending, batchRowsMax);
  const rows = cut === pending.length ? pending : pending.slice(0, cut);
  queue.pending = cut === pending.length ? [] : pending.slice(cut);
  let hasWritten = false;
  try {
    store.begin();
    queue.writer.setTime(queue.clock.now());
    // Not a loop over an iterator: before V8 has optimised it, that makes an object for every row.
    rows.forEach((row) => {
      if (writeRow(queue, row)) hasWritten = true;
    });
    queue.groups.clear();
    if (heads.hasDirty()) {
      heads.writeDirty();
      hasWritten = true;
    }
    if (hasWritten) {
      queue.commits += 1;
      void queue.fault?.("commit", queue.commits);
    }
    store.commit();
  } catch (error) {
    stop(queue, "commit", { cause: error, rows });
    return;
  }
  if (hasWritten) queue.isUnsynced = true;
  rows.forEach((row) => keepCommitted(queue, row));
  heads.trim();
}

/** Whether the row stored anything. A changed head is dirty, and counted there. */
function writeRow(queue: QueueState, row: Row): boolean {
  switch (row.kind) {
    case "append":
      return row.entry.group === undefined ? writeEntry(queue.writer, row) : writeInGroup(queue, row, row.entry.group);
    case "start": {
      const started = queue.writer.start(row.run, 1);
      // The log is made here, so that it is older than that of anyone who claims the run before its start is acknowledged.
      row.outcome =
        typeof started === "string"
          ? { kind: "exists", run: started }
          : { kind: "started", ...started, log: openLog(queue, started.head) };
      return row.outcome.kind === "started";
    }
    case "mark":
      if (row.log.head.epoch === row.log.epoch) queue.writer.setStatus(row.log.head, row.status, row.wakeAt);
      return false;
    case "keep":
      queue.store.putKept(row.name, row.state);
      return true;
    case "flush":
      return false;
  }
}

function keepCommitted(queue: QueueState, row: Row): void {
  if (row.kind === "append" || row.kind === "mark") row.log.head.pending -= 1;
  if (row.kind === "append" && row.refusal !== undefined) rejectRow(row, row.refusal);
  else if (row.kind !== "mark" && row.kind !== "keep") queue.committed.push(row);
}

function syncCommitted(queue: QueueState): void {
  const { store, fault } = queue;
  if (queue.stopped !== undefined) return;
  const rows = queue.committed;
  queue.committed = [];
  if (store.sync === undefined || !queue.isUnsynced) {
    acknowledge(rows);
    if (queue.pending.length > 0) schedule(queue);
    return;
  }
  queue.syncing = rows;
  queue.isUnsynced = false;
  queue.syncs += 1;
  if (fault === undefined) store.sync((error) => endSync(queue, error), countWaiting(rows));
  else void syncAfter(fault, queue);
}

async function syncAfter(fault: DiskFault, queue: QueueState): Promise<void> {
  try {
    await fault("sync", queue.syncs);
  } catch (error) {
    endSync(queue, error);
    return;
  }
  queue.store.sync?.((error) => endSync(queue, error), countWaiting(queue.syncing ?? []));
}

function countWaiting(rows: readonly Row[]): number {
  let waiting = 0;
  rows.forEach((row) => {
    if (row.kind !== "append" || row.pace === "awaited") waiting++;
  });
  return waiting;
}

function endSync(queue: QueueState, error: unknown): void {
  if (queue.stopped !== undefined) return;
  const rows = queue.syncing ?? [];
  queue.syncing = undefined;
  if (error !== undefined && error !== null) {
    stop(queue, "sync", { cause: error, rows });
    return;
  }
  acknowledge(rows);
  if (queue.pending.length > 0 || queue.committed.length > 0 || queue.isUnsynced) schedule(queue);
}

function acknowledge(rows: readonly Row[]): void {
  rows.forEach((row) => {
    if (row.kind === "append" && row.outcome !== undefined) {
      row.waiter.onAppended(row.outcome);
      row.log.settle(undefined);
    } else if (row.kind === "start" && row.outcome !== undefined) row.resolve(row.outcome);
    else if (row.kind === "flush") row.resolve();
  });
}

/** The disk refused something, so nothing that was asked of it since can be trusted: all of it is rejected, and all that comes. */
function stop(
  queue: QueueState,
  point: "commit" | "sync",
  failed: { readonly cause: unknown; readonly rows: readonly Row[] },
): void {
  let cause = failed.cause;
  try {
    if (point === "commit") queue.store.rollback();
  } catch (rollbackError) {
    cause = new AggregateError([cause, rollbackError], "the commit failed, and so did taking it back");
  }
  const error = toStoppedError(point, cause);
  const rows = [...(queue.syncing ?? []), ...queue.committed, ...failed.rows, ...queue.pending];
  queue.stopped = error;
  queue.syncing = undefined;
  queue.committed = [];
  queue.pending = [];
  queue.stored.length = 0;
  for (const row of rows) rejectRow(row, error);
}

function rejectRow(row: Row, error: TuttiError): void {
  if (row.kind === "mark" || row.kind === "keep") return;
  if (row.kind === "append") {
    row.waiter.onRefused(error);
    row.log.settle(error);
  } else row.reject(error);
}
