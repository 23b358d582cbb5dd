import { assert } from "../base/assert.ts";
import { TuttiError } from "../base/errors.ts";
import type { LogState, Row } from "./commit-row.ts";
import type { RunHead } from "./commit-store.ts";
import type { NewEntry, NewRun, RunLog } from "./ledger.ts";
import { refuseExposing } from "./refuse-exposing.ts";

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

export function createRunLog(head: RunHead, enqueue: (row: Row) => void): RunLog {
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

  return {
    run: head.run,
    epoch: head.epoch,
    append(entry) {
      return new Promise((resolve, reject) => {
        refuseUnstorable(entry);
        appended += 1;
        enqueue({ kind: "append", log: state, entry, resolve, reject, outcome: undefined, refusal: undefined });
      });
    },
    durable() {
      if (failure === undefined && settled === appended) return Promise.resolve();
      return new Promise((resolve, reject) => {
        const waiter: Waiter = { target: appended, resolve, reject };
        if (!isAnswered(waiter)) waiters.push(waiter);
      });
    },
    mark(status, wakeAt) {
      enqueue({ kind: "mark", log: state, status, wakeAt });
    },
  };
}

/**
 * Refuses what no store could keep, before it could fail a whole batch, and what no store may keep.
 * @throws TuttiError VALUE_NOT_STORABLE, SECRET_EXPOSED
 */
export function refuseUnstorable(entry: NewEntry | NewRun): void {
  refuseOversize(entry);
  refuseExposing(entry);
}

function refuseOversize(value: Pick<NewEntry, "body" | "blobs">): void {
  const blobs = value.blobs ?? [];
  for (const blob of blobs) assert(blobHash.test(blob.hash), "a blob's hash has 64 hexadecimal digits");
  const length = Math.max(value.body.length, ...blobs.map((blob) => blob.content.length));
  if (value.body.length <= bodyLengthMax && length <= blobLengthMax) return;
  throw new TuttiError("VALUE_NOT_STORABLE", "a value is too large for the ledger", {
    hint: "Store it elsewhere, for example as a file, and pass its address on.",
    facts: { length, bodyLengthMax, blobLengthMax },
    effect: "none",
  });
}
