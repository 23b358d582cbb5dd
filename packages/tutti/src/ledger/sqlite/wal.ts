import { close, fdatasync, fdatasyncSync, openSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";

import type { Clock } from "../../base/clock.ts";
import { TuttiError } from "../../base/errors.ts";
import type { CommitStore } from "../commit-store.ts";
import { besides } from "./ledger-file.ts";
import { openWalGrowth } from "./wal-growth.ts";

/** What a page takes in the -wal file, with its header. */
const pageBytes = 4_096 + 24;

/** How large the -wal file may grow, in pages of 4 KiB, before its pages are moved into the main file. */
export interface WalLimits {
  /** From here on when nothing was committed for a moment. */
  readonly idlePages: number;
  /** From here on in any case; the event loop stands still meanwhile. */
  readonly forcedPages: number;
}

/** 4 MiB and 8 MiB: a file that is written over again syncs faster than one that grows. */
export const usualLimits: WalLimits = { idlePages: 1_000, forcedPages: 2_000 };
/** Nothing was committed for this long: idle. */
const idleMs = 100;
/** Asking SQLite for the size takes locks, so it is asked once in so many commits, or bytes. */
const commitsPerLook = 32;
const bytesPerLook = 256 * 1024;

/** Makes the -wal file durable on a descriptor of our own. */
export interface WalSync {
  readonly sync: NonNullable<CommitStore["sync"]>;
  /** Makes room in the file, so that syncs are quick. */
  readonly grow: () => void;
  /** Waits for a sync that is under way. */
  close(): Promise<void>;
}

/** A sync that takes longer than this on the event loop is one that should not have been made there. */
const quickSyncMs = 2;
/** After such a one, so many are made on another thread before it is tried again. */
const syncsAfterSlow = 64;

/**
 * Waking another thread, and being woken by it, takes as long as a quick disk takes for a sync. So a sync that one row alone waits for
 * is made on the spot, as long as the disk is quick; all others on another thread, so that the event loop goes on.
 */
export function openWalSync(file: string, limits: WalLimits, now: () => number = () => performance.now()): WalSync {
  const descriptor = openSync(file + besides.wal, "r+");
  let running: Promise<void> = Promise.resolve();
  let leftElsewhere = 0;

  function syncElsewhere(done: (error?: unknown) => void): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    running = promise;
    fdatasync(descriptor, (error) => {
      resolve();
      done(error);
    });
  }

  function syncHere(done: (error?: unknown) => void): void {
    const from = now();
    let failure: unknown;
    try {
      fdatasyncSync(descriptor);
    } catch (error) {
      failure = error;
    }
    if (now() - from > quickSyncMs) leftElsewhere = syncsAfterSlow;
    done(failure);
  }

  return {
    sync(done, waiting) {
      if (waiting === 1 && leftElsewhere === 0) syncHere(done);
      else {
        leftElsewhere = Math.max(0, leftElsewhere - 1);
        syncElsewhere(done);
      }
    },
    grow: openWalGrowth(descriptor, limits.forcedPages * pageBytes),
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
  /** `bytes`: about how much the commit wrote. */
  afterCommit(bytes: number): void;
  /** Moves everything, as the last thing before the ledger is closed. False when a reader stands in the way. */
  finish(): boolean;
  cancel(): void;
}

export interface CheckpointOptions {
  readonly clock: Clock;
  readonly limits: WalLimits;
  /** Called when everything committed so far is in the main file, and synced there. */
  readonly onComplete: () => void;
}

export function createCheckpoints(database: DatabaseSync, options: CheckpointOptions): Checkpoints {
  const look = database.prepare("pragma wal_checkpoint(noop)");
  const passive = database.prepare("pragma wal_checkpoint(passive)");
  const { limits } = options;
  let commits = 0;
  let commitsAtArming = 0;
  let bytesUnseen = 0;
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
    afterCommit(bytes) {
      commits += 1;
      bytesUnseen += bytes;
      if (commits % commitsPerLook !== 0 && bytesUnseen < bytesPerLook) return;
      bytesUnseen = 0;
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
