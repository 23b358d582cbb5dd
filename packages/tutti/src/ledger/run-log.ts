import { assert } from "../base/assert.ts";
import { TuttiError } from "../base/errors.ts";
import type { LogState, Row } from "./commit-row.ts";
import type { RunHead } from "./commit-store.ts";
import type { AppendWaiter, NewEntry, NewRun, RunLog } from "./ledger.ts";
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
  let appended = 0;
  let settled = 0;
  let failure: TuttiError | undefined;
  let waiters: Waiter[] = [];
  const state: LogState = {
    run: head.run,
    epoch: head.epoch,
    head,
    settle(error) {
      settled += 1;
      if (error !== undefined) failure ??= error;
      if (waiters.length > 0) waiters = waiters.filter((waiter) => !isAnswered(waiter));
    },
  };

  function isAnswered(waiter: Waiter): boolean {
    if (failure !== undefined) waiter.reject(failure);
    else if (settled >= waiter.target) waiter.resolve();
    else return false;
    return true;
  }

  function write(entry: NewEntry, waiter: AppendWaiter, ahead: boolean): void {
    const refusal = findUnstorable(entry);
    if (refusal !== undefined) {
      waiter.onRefused(refusal);
      return;
    }
    appended += 1;
    queue.enqueue({ kind: "append", log: state, entry, waiter, ahead, outcome: undefined, refusal: undefined });
  }

  return toRunLog({
    run: head.run,
    epoch: head.epoch,
    write,
    durable() {
      if (failure === undefined && settled === appended) return Promise.resolve();
      return new Promise((resolve, reject) => {
        const waiter: Waiter = { target: appended, resolve, reject };
        if (isAnswered(waiter)) return;
        waiters.push(waiter);
        queue.hurry();
      });
    },
    mark(status, wakeAt) {
      queue.enqueue({ kind: "mark", log: state, status, wakeAt });
    },
  });
}

/** A log whose `append` goes the way of its `write`, so that whoever stands in between stands in one place. */
export function toRunLog(core: Omit<RunLog, "append">): RunLog {
  return {
    ...core,
    append: (entry) =>
      new Promise((resolve, reject) => core.write(entry, { onAppended: resolve, onRefused: reject }, false)),
  };
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
