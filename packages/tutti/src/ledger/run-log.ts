import { assert } from "../base/assert.ts";
import { TuttiError } from "../base/errors.ts";
import type { RunId } from "../contracts/ids.ts";
import type { RunStatus } from "../contracts/run-record.ts";
import type { LogState, Row } from "./commit-row.ts";
import type { RunHead } from "./commit-store.ts";
import type { Appended, AppendWaiter, NewEntry, NewRun, Pace, RunLog } from "./ledger.ts";
import { findExposing } from "./refuse-exposing.ts";

interface Waiter {
  /** How many of the log's entries have to be settled. */
  readonly target: number;
  readonly resolve: () => void;
  readonly reject: (error: TuttiError) => void;
}

/** Longer than any entry should be: what is large belongs in a blob. */
const bodyLengthMax = 16 * 1024 * 1024;
/** SQLite takes texts of up to a billion bytes; a character has at most three. */
const blobLengthMax = 256 * 1024 * 1024;
const blobHash = /^[0-9a-f]{64}$/;

/** What a log needs of the queue that writes it. */
export interface LogQueue {
  enqueue(row: Row): void;
  /** Commits what waits now, also what could have waited longer. */
  hurry(): void;
}

export function createRunLog(head: RunHead, queue: LogQueue): RunLog {
  return new QueuedLog(head, queue);
}

class QueuedLog implements RunLog, LogState {
  readonly run: RunId;
  readonly epoch: number;
  head: RunHead;
  private readonly queue: LogQueue;
  private appended = 0;
  private settled = 0;
  private failure: TuttiError | undefined;
  private waiters: Waiter[] | undefined;

  constructor(head: RunHead, queue: LogQueue) {
    this.run = head.run;
    this.epoch = head.epoch;
    this.head = head;
    this.queue = queue;
  }

  append(entry: NewEntry): Promise<Appended> {
    return appendTo(this, entry);
  }

  write(entry: NewEntry, waiter: AppendWaiter, pace: Pace): void {
    const refusal = findUnstorable(entry);
    if (refusal !== undefined) {
      waiter.onRefused(refusal);
      return;
    }
    this.appended += 1;
    this.queue.enqueue({ kind: "append", log: this, entry, waiter, pace, outcome: undefined, refusal: undefined });
  }

  durable(): Promise<void> {
    if (this.failure === undefined && this.settled === this.appended) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { target: this.appended, resolve, reject };
      if (this.isAnswered(waiter)) return;
      (this.waiters ??= []).push(waiter);
      this.queue.hurry();
    });
  }

  mark(status: RunStatus, wakeAt?: number): void {
    this.queue.enqueue({ kind: "mark", log: this, status, wakeAt });
  }

  settle(error: TuttiError | undefined): void {
    this.settled += 1;
    if (error !== undefined) this.failure ??= error;
    if (this.waiters !== undefined) this.waiters = this.waiters.filter((waiter) => !this.isAnswered(waiter));
  }

  private isAnswered(waiter: Waiter): boolean {
    if (this.failure !== undefined) waiter.reject(this.failure);
    else if (this.settled >= waiter.target) waiter.resolve();
    else return false;
    return true;
  }
}

function appendTo(log: Pick<RunLog, "write">, entry: NewEntry): Promise<Appended> {
  return new Promise((resolve, reject) => log.write(entry, { onAppended: resolve, onRefused: reject }, "awaited"));
}

/** A log whose `append` goes the way of its `write`, so that whoever stands in between stands in one place. */
export function toRunLog(core: Omit<RunLog, "append">): RunLog {
  return { ...core, append: (entry) => appendTo(core, entry) };
}

/** The same log, with something standing in between. */
export function wrapLog(log: RunLog, between: Partial<Pick<RunLog, "write" | "mark">>): RunLog {
  return toRunLog({
    run: log.run,
    epoch: log.epoch,
    write: (entry, waiter, pace) => log.write(entry, waiter, pace),
    durable: () => log.durable(),
    mark: (status, wakeAt) => log.mark(status, wakeAt),
    ...between,
  });
}

/** What no store could keep, and what none may: VALUE_NOT_STORABLE, SECRET_EXPOSED. */
export function findUnstorable(entry: NewEntry | NewRun): TuttiError | undefined {
  return findOversize(entry) ?? findExposing(entry);
}

/** What no store could keep is refused before it could fail a whole batch: VALUE_NOT_STORABLE. */
function findOversize({ body, blobs }: Pick<NewEntry, "body" | "blobs">): TuttiError | undefined {
  if (body.length > bodyLengthMax) return toOversize(body.length);
  if (blobs === undefined) return undefined;
  for (const blob of blobs) {
    assert(blobHash.test(blob.hash), "a blob's hash has 64 hexadecimal digits");
    if (blob.content.length > blobLengthMax) return toOversize(blob.content.length);
  }
  return undefined;
}

function toOversize(length: number): TuttiError {
  return new TuttiError("VALUE_NOT_STORABLE", "a value is too large for the ledger", {
    hint: "Store it elsewhere, for example as a file, and pass its address on.",
    facts: { length, bodyLengthMax, blobLengthMax },
    effect: "none",
  });
}
