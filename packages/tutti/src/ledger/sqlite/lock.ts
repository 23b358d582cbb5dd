import { closeSync, constants, openSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

import { TuttiError } from "../../base/errors.ts";
import { fields, flag, integer, type Shape } from "../../base/shape.ts";
import { besides } from "./ledger-file.ts";
import { isBusy } from "./sqlite-errors.ts";

/** The right to write to a ledger's file. The operating system takes it back when the process dies, however it dies. */
export interface FileLock {
  release(): void;
}

/**
 * Holds an exclusive transaction on a database of its own beside the ledger.
 * @throws TuttiError LEDGER_BUSY, with the holder's process id
 */
export function acquireLock(file: string): FileLock {
  const database = new DatabaseSync(file + besides.lock);
  try {
    // Nothing is ever written: the file stays empty and needs no journal.
    database.exec("pragma journal_mode = off; begin exclusive");
  } catch (error) {
    database.close();
    if (!isBusy(error)) throw error;
    const owner = readOwner(file);
    throw new TuttiError(
      "LEDGER_BUSY",
      `${file} is held by ${owner === undefined ? "another process" : `process ${owner.pid}`}`,
      {
        hint: "Stop that process, talk to it with `tutti`, or open the ledger read-only.",
        facts: { path: file, ...(owner === undefined ? {} : { pid: owner.pid }) },
        cause: error,
      },
    );
  }
  return { release: () => database.close() };
}

/**
 * Who holds the ledger, for people; and how far the main file reaches, to notice a lost -wal file.
 * Removed when the ledger is closed in good order.
 */
export interface Owner {
  readonly pid: number;
  /** Entries up to here are in the main file. */
  readonly lsn: number;
  /** Newer entries exist, in the -wal file only. */
  readonly isAhead: boolean;
}

const ownerShape: Shape<Owner> = fields({ pid: integer, lsn: integer, isAhead: flag });

/** `undefined` if there is none, or if it was torn by a power cut: then it can't tell anything. */
export function readOwner(file: string): Owner | undefined {
  try {
    return ownerShape(JSON.parse(readFileSync(file + besides.owner, "utf8")), "");
  } catch {
    return undefined;
  }
}

const justNowMs = 1_000;

/** Whether a process that is alive wrote its note within the last second: it has taken the ledger just now, or written to it for long. */
export function isJustOpened(file: string): boolean {
  try {
    const owner = readOwner(file);
    if (owner === undefined) return false;
    const ageMs = Date.now() - statSync(file + besides.owner).mtimeMs; // less than nothing if the clock went back
    if (Math.abs(ageMs) > justNowMs) return false;
    process.kill(owner.pid, 0); // sends nothing: throws when there is no such process
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM"; // another user's
  }
}

/** More than the text of any owner takes. */
const ownerLength = 96;

/** In place: file systems write a file that was cut and written anew to the disk when it is closed, which takes eight times as long. */
export function writeOwner(file: string, owner: Owner): void {
  const descriptor = openSync(file + besides.owner, constants.O_WRONLY | constants.O_CREAT);
  try {
    writeSync(descriptor, `${JSON.stringify(owner).padEnd(ownerLength)}\n`, 0);
  } finally {
    closeSync(descriptor);
  }
}

export function removeOwner(file: string): void {
  rmSync(file + besides.owner, { force: true });
}
