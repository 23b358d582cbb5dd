import { close, fdatasync, openSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";

import type { Clock } from "../../base/clock.ts";
import { TuttiError } from "../../base/errors.ts";
import { besides } from "./ledger-file.ts";

/** How large the -wal file may grow, in pages of 4 KiB, before its pages are moved into the main file. */
export interface WalLimits {
  /** From here on when nothing was committed for a moment. */
  readonly idlePages: number;
  /** From here on in any case; the event loop stands still meanwhile. */
  readonly forcedPages: number;
}

/** 4 MiB and 8 MiB: a file that is written over again syncs faster than one that grows. */
const usualLimits: WalLimits = { idlePages: 1_000, forcedPages: 2_000 };
/** Nothing was committed for this long: idle. */
const idleMs = 100;
/** Asking SQLite for the size costs a microsecond or two, so it is asked once in so many commits. */
const commitsPerLook = 4;

/** Makes the -wal file durable on a descriptor of our own, so that the event loop does not wait for the disk. */
export interface WalSync {
  readonly sync: (done: (error?: unknown) => void) => void;
  /** Waits for a sync that is under way. */
  close(): Promise<void>;
}

export function openWalSync(file: string): WalSync {
  const descriptor = openSync(file + besides.wal, "r+");
  let running: Promise<void> = Promise.resolve();
  return {
    sync(done) {
      const { promise, resolve } = Promise.withResolvers<void>();
      running = promise;
      fdatasync(descriptor, (error) => {
        resolve();
        done(error);
      });
    },
    async close() {
      await running;
      await new Promise<void>((resolve, reject) => {
        close(descriptor, (error) => (error === null || error === undefined ? resolve() : reject(error)));
      });
    },
  };
}

/** Moves pages from the -wal file into the main file when that disturbs least. */
export interface Checkpoints {
  /** @throws what a checkpoint at idle failed with: a disk that can't keep pages must not be trusted with more. */
  readonly beforeBegin: () => void;
  afterCommit(): void;
  /** Moves everything, as the last thing before the ledger is closed. False when a reader stands in the way. */
  finish(): boolean;
  cancel(): void;
}

export interface CheckpointOptions {
  readonly clock: Clock;
  readonly limits?: WalLimits | undefined;
  /** Called when everything committed so far is in the main file, and synced there. */
  readonly onComplete: () => void;
}

export function createCheckpoints(database: DatabaseSync, options: CheckpointOptions): Checkpoints {
  const look = database.prepare("pragma wal_checkpoint(noop)");
  const passive = database.prepare("pragma wal_checkpoint(passive)");
  const limits = options.limits ?? usualLimits;
  let commits = 0;
  let commitsAtArming = 0;
  let cancelTimer: (() => void) | undefined;
  let failure: Error | undefined;
  /** A reader of another process may keep pages in the file; then it is tried again only after so many more. */
  let nextForcedPages = limits.forcedPages;

  function checkpoint(): void {
    const { log, checkpointed } = toProgress(passive.get());
    const isComplete = log === checkpointed;
    nextForcedPages = isComplete ? limits.forcedPages : log + limits.forcedPages;
    if (isComplete) options.onComplete();
  }

  function arm(): void {
    commitsAtArming = commits;
    cancelTimer = options.clock.after(idleMs, () => {
      cancelTimer = undefined;
      if (commits !== commitsAtArming) {
        arm();
        return;
      }
      try {
        checkpoint();
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error));
      }
    });
  }

  return {
    beforeBegin() {
      if (failure !== undefined) throw failure;
    },
    afterCommit() {
      commits += 1;
      if (commits % commitsPerLook !== 0) return;
      const { log, checkpointed } = toProgress(look.get());
      const pages = log === checkpointed ? 0 : log; // a file that is wholly checkpointed is written from its start again
      if (pages >= nextForcedPages) checkpoint();
      else if (pages >= limits.idlePages && cancelTimer === undefined) arm();
    },
    finish() {
      database.exec("pragma busy_timeout = 0"); // a reader that stays is no reason to wait
      const { busy } = toProgress(database.prepare("pragma wal_checkpoint(truncate)").get());
      if (busy === 0) options.onComplete();
      return busy === 0;
    },
    cancel() {
      cancelTimer?.();
    },
  };
}

interface Progress {
  readonly busy: number;
  /** Pages in the file. */
  readonly log: number;
  /** Pages of them that are in the main file. */
  readonly checkpointed: number;
}

function toProgress(row: Readonly<Record<string, unknown>> | undefined): Progress {
  const { busy, log, checkpointed } = row ?? {};
  if (typeof busy === "number" && typeof log === "number" && typeof checkpointed === "number")
    return { busy, log, checkpointed };
  throw new TuttiError("BUG", "SQLite did not say how large the -wal file is", {
    hint: "This is a bug in Tutti; please report it.",
  });
}
