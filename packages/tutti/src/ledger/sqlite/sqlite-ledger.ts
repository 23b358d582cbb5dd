import { closeSync, existsSync, fdatasyncSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";

import type { Clock } from "../../base/clock.ts";
import { TuttiError } from "../../base/errors.ts";
import type { LedgerEntry } from "../../contracts/entry.ts";
import { type CommitQueue, type DiskFault, openCommitQueue } from "../commit-queue.ts";
import type { Durability, Ledger } from "../ledger.ts";
import { createQueuedLedger } from "../queued-ledger.ts";
import { createReadOnlyLedger } from "../read-only-ledger.ts";
import { besides, ensureFile, findFile, prepareFolder, syncFolder } from "./ledger-file.ts";
import { acquireLock, type FileLock, readOwner, removeOwner, writeOwner } from "./lock.ts";
import { addLaterTables, checkSchema } from "./schema.ts";
import { isCantOpen, toCorruptError, toLedgerError } from "./sqlite-errors.ts";
import { createSqliteReader } from "./sqlite-reader.ts";
import { createSqliteStore } from "./sqlite-store.ts";
import { type Checkpoints, createCheckpoints, openWalSync, usualLimits, type WalLimits, type WalSync } from "./wal.ts";

export interface SqliteLedgerOptions {
  readonly clock: Clock;
  /** `power` by default. */
  readonly durability?: Durability;
  /** Called for every entry after its commit. Must not throw. */
  readonly onEntry?: (entry: LedgerEntry) => void;
  /** Reads beside the process that writes; everything that would write is refused. */
  readonly readOnly?: boolean;
  readonly walLimits?: WalLimits;
  /** For tests: fails a commit or a sync, or holds a sync up. */
  readonly fault?: DiskFault;
}

/**
 * Opens a ledger in a SQLite file, and makes it if there is none.
 * @throws TuttiError LEDGER_BUSY, LEDGER_UNWRITABLE, LEDGER_CORRUPT, LEDGER_TOO_NEW or NODE_TOO_OLD
 */
export async function openSqliteLedger(path: string, options: SqliteLedgerOptions): Promise<Ledger> {
  try {
    checkSqlite();
    if (options.readOnly === true) return openReadOnly(findFile(path));
    const file = prepareFolder(path);
    const lock = acquireLock(file);
    try {
      return await openLocked(file, lock, options);
    } catch (error) {
      lock.release();
      throw error;
    }
  } catch (error) {
    throw toLedgerError(error, path);
  }
}

/** Another program, such as a database browser, may hold the file for a moment. The event loop waits with it. */
const busyTimeoutMs = 2_000;

interface OpenFile {
  readonly file: string;
  readonly database: DatabaseSync;
  readonly checkpoints: Checkpoints;
  readonly walSync: WalSync | undefined;
  readonly lock: FileLock;
}

async function openLocked(file: string, lock: FileLock, options: SqliteLedgerOptions): Promise<Ledger> {
  const { clock, durability, onEntry, fault, walLimits = usualLimits } = options;
  ensureFile(file);
  const hadWal = existsSync(file + besides.wal);
  const database = new DatabaseSync(file, { timeout: busyTimeoutMs });
  try {
    checkSchema(database, file); // before anything is set, which would change another program's file
    // Checkpoints and syncs are ours: see wal.ts. 16 MB hold the index pages of the runs that are being written.
    database.exec(
      "pragma journal_mode = wal; pragma synchronous = normal; pragma wal_autocheckpoint = 0; pragma cache_size = -16000",
    );
    if (!hadWal) refuseLostWal(file, database);
    syncFolder(dirname(file)); // SQLite has just made the -wal file anew
    const owned = trackOwner(file, database);
    const checkpoints = createCheckpoints(database, { clock, limits: walLimits, onComplete: owned.noteComplete });
    const walSync = durability === "process" ? undefined : openWalSync(file, walLimits);
    addLaterTables(database);
    const store = createSqliteStore(database, {
      path: file,
      ...(walSync === undefined ? {} : { sync: walSync.sync }),
      beforeBegin: checkpoints.beforeBegin,
      afterBegin: walSync?.grow,
      afterCommit(bytes) {
        owned.noteCommit();
        checkpoints.afterCommit(bytes);
      },
    });
    const queue = openCommitQueue(store, { clock, onEntry, fault, isUnsynced: hadWal });
    const close = (): Promise<void> => closeLocked({ file, database, checkpoints, walSync, lock }, queue);
    // Nobody may act on entries of a dead process that a power cut could still take back.
    if (hadWal) await queue.flush();
    return createQueuedLedger(queue, createSqliteReader(database, file), close);
  } catch (error) {
    database.close();
    throw error;
  }
}

async function closeLocked(open: OpenFile, queue: CommitQueue): Promise<void> {
  const { file, database, checkpoints, walSync, lock } = open;
  try {
    checkpoints.cancel();
    await walSync?.close();
    if (queue.stopped === undefined) {
      // The note goes before SQLite removes the -wal file: beside a missing file it would look like a loss.
      if (checkpoints.finish()) {
        removeOwner(file);
        syncFolder(dirname(file));
      }
      database.close();
    } else closeUntouched(file, database);
  } catch (error) {
    throw toLedgerError(error, file);
  } finally {
    if (database.isOpen) closeUntouched(file, database);
    lock.release();
  }
}

/**
 * Closes without the checkpoint that SQLite makes when the last connection closes: after a failed sync the -wal file may hold
 * less than the system says, and must stay as evidence. A second, reading connection makes this one not the last.
 */
function closeUntouched(file: string, database: DatabaseSync): void {
  const guard = openGuard(file);
  database.close();
  guard?.close();
}

function openGuard(file: string): DatabaseSync | undefined {
  try {
    const guard = new DatabaseSync(file, { readOnly: true });
    guard.prepare("select value from meta where name = 'format'").get(); // index: meta's primary key
    return guard;
  } catch {
    return undefined; // the file is out of reach, so the closing connection can't change it either
  }
}

function openReadOnly(file: string): Ledger {
  const database = openReader(file);
  try {
    checkSchema(database, file);
    return createReadOnlyLedger(createSqliteReader(database, file), {
      flush: async () => syncCommitted(file),
      close: async () => database.close(),
    });
  } catch (error) {
    database.close();
    throw error;
  }
}

/** The writer may have committed what only the system's memory holds. A page that left the -wal file meanwhile is in the main file. */
function syncCommitted(file: string): void {
  for (const part of [file + besides.wal, file]) {
    if (!existsSync(part)) continue;
    const descriptor = openSync(part, "r");
    try {
      fdatasyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }
}

function openReader(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    database.prepare("select count(*) from sqlite_schema").get(); // index: none, a dozen rows
    return database;
  } catch (error) {
    database.close();
    // In a folder that can't be written SQLite can't make the files it shares with a writer; without a writer it needs none.
    if (!isCantOpen(error) || existsSync(file + besides.wal)) throw error;
    const url = pathToFileURL(file);
    url.searchParams.set("immutable", "1");
    return new DatabaseSync(url, { readOnly: true });
  }
}

interface OwnerNotes {
  readonly noteCommit: () => void;
  readonly noteComplete: () => void;
}

/** Keeps the owner's note true with one small write after each checkpoint, not one per commit. */
function trackOwner(file: string, database: DatabaseSync): OwnerNotes {
  let lsn = findLastLsn(database);
  let isAhead = false;
  const write = (): void => writeOwner(file, { pid: process.pid, lsn, isAhead });
  write();
  return {
    noteCommit() {
      if (isAhead || findLastLsn(database) === lsn) return;
      isAhead = true;
      write();
    },
    noteComplete() {
      lsn = findLastLsn(database);
      isAhead = false;
      write();
    },
  };
}

function refuseLostWal(file: string, database: DatabaseSync): void {
  const owner = readOwner(file);
  if (owner === undefined || !owner.isAhead || findLastLsn(database) > owner.lsn) return;
  throw toCorruptError(`${file}${besides.wal} is missing, and with it every entry after ${owner.lsn}`, {
    hint: `Put the file back. To go on without those entries, remove ${file}${besides.owner}.`,
    facts: { path: file, lsn: owner.lsn },
  });
}

function findLastLsn(database: DatabaseSync): number {
  // Index: entry's primary key backwards.
  return Number(database.prepare("select max(lsn) as lsn from entry").get()?.["lsn"] ?? 0);
}

// Older ones can damage a file that two connections use (sqlite.org/wal.html, "the WAL-reset bug").
const oldestSqlite = [3, 51, 3] as const;

function checkSqlite(): void {
  const version = process.versions["sqlite"] ?? "0";
  const parts = version.split(".").map(Number);
  for (const [index, wanted] of oldestSqlite.entries()) {
    const part = parts[index] ?? 0;
    if (part > wanted) return;
    if (part < wanted) {
      throw new TuttiError(
        "NODE_TOO_OLD",
        `this Node brings SQLite ${version}; the ledger needs ${oldestSqlite.join(".")}`,
        { hint: "Use Node 24.15 or newer.", facts: { sqlite: version } },
      );
    }
  }
}
