import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { TuttiError } from "../../base/errors.ts";
import { createSchema } from "./schema.ts";
import { toCorruptError } from "./sqlite-errors.ts";

/** What stands beside a ledger's file, by the ending of its name. SQLite chooses the first. */
export const besides = {
  wal: "-wal",
  lock: "-lock",
  owner: "-owner",
  subjects: "-subjects",
  unfinished: "-new",
} as const;

/** The file's one true path, so that two names of one file share one lock. Makes missing folders. */
export function prepareFolder(path: string): string {
  const absolute = resolve(path);
  const folder = dirname(absolute);
  const firstMade = mkdirSync(folder, { recursive: true });
  if (firstMade !== undefined) {
    for (let made = folder; made.length >= firstMade.length; made = dirname(made)) syncFolder(dirname(made));
  }
  return findFile(absolute);
}

/** @throws TuttiError LEDGER_UNWRITABLE if it is a folder */
export function findFile(path: string): string {
  const absolute = resolve(path);
  const file = existsSync(absolute)
    ? realpathSync(absolute)
    : join(realpathSync(dirname(absolute)), basename(absolute));
  if (existsSync(file) && statSync(file).isDirectory()) {
    throw new TuttiError("LEDGER_UNWRITABLE", `${file} is a folder`, {
      hint: `Name a file in it, for example ${join(file, "ledger.db")}.`,
      facts: { path: file },
    });
  }
  return file;
}

/**
 * Makes the file if there is none: under another name first, so that a crash leaves a whole ledger or nothing.
 * @throws TuttiError LEDGER_CORRUPT for what such a creation can't leave behind.
 */
export function ensureFile(file: string): void {
  if (existsSync(file)) {
    if (statSync(file).size > 0) return;
    throw toCorruptError(`${file} is empty: everything in it was cut off`, { facts: { path: file } });
  }
  const wal = file + besides.wal;
  if (existsSync(wal) && statSync(wal).size > 0) {
    throw toCorruptError(`${file} is missing, but the newest entries of a ledger are in ${wal}`, {
      facts: { path: file },
    });
  }
  const unfinished = file + besides.unfinished;
  for (const ending of ["", "-wal", "-shm", "-journal"]) rmSync(unfinished + ending, { force: true });
  const database = new DatabaseSync(unfinished);
  try {
    createSchema(database);
    database.exec("pragma journal_mode = wal");
  } finally {
    database.close();
  }
  renameSync(unfinished, file); // SQLite has synced its content; its name is, once the ledger is open
}

/** Makes new, renamed and removed names in a folder survive a power cut. Windows can't and needn't open a folder for that. */
export function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
