import { describeThrown, isTuttiError, TuttiError } from "../../base/errors.ts";
import { toSystemFacts } from "../ledger-errors.ts";

/** SQLite's primary result codes (sqlite.org/rescode.html) that mean something here. */
const resultCodes = { busy: 5, readOnly: 8, inOut: 10, corrupt: 11, full: 13, cantOpen: 14, notADatabase: 26 } as const;

/** SQLite's primary result code of what was thrown, if it was thrown by SQLite. */
function toResultCode(thrown: unknown): number | undefined {
  if (typeof thrown !== "object" || thrown === null || !("errcode" in thrown)) return undefined;
  return typeof thrown.errcode === "number" ? thrown.errcode & 0xff : undefined; // the rest is the extended code
}

export function isBusy(thrown: unknown): boolean {
  return toResultCode(thrown) === resultCodes.busy;
}

export function isCantOpen(thrown: unknown): boolean {
  return toResultCode(thrown) === resultCodes.cantOpen || toResultCode(thrown) === resultCodes.readOnly;
}

/** What a failure while opening or reading a ledger means to the one who asked for it. */
export function toLedgerError(thrown: unknown, path: string): TuttiError {
  if (isTuttiError(thrown)) return thrown;
  const facts = { path, ...toSystemFacts(thrown) };
  const resultCode = toResultCode(thrown);
  if (resultCode === resultCodes.corrupt) {
    return toCorruptError(`${path} is damaged: ${describeThrown(thrown)}`, { facts, cause: thrown });
  }
  const meaning = meanings.find((candidate) => candidate.resultCode === resultCode) ?? cantOpen;
  return new TuttiError(meaning.code, `${path} ${meaning.what}: ${describeThrown(thrown)}`, {
    hint: meaning.hint,
    facts,
    cause: thrown,
  });
}

const meanings = [
  {
    resultCode: resultCodes.notADatabase,
    code: "LEDGER_UNWRITABLE",
    what: "is not a ledger",
    hint: "Choose another file name, or restore the ledger from a backup if this was one.",
  },
  {
    resultCode: resultCodes.busy,
    code: "LEDGER_BUSY",
    what: "is held by another program",
    hint: "Close whatever has the file open for writing, for example a database browser.",
  },
  {
    resultCode: resultCodes.inOut,
    code: "SOURCE_UNREADABLE",
    what: "can't be read",
    hint: "See to the disk; the ledger itself was not changed.",
  },
] as const;

const cantOpen = {
  code: "LEDGER_UNWRITABLE",
  what: "can't be opened",
  hint: "Choose a folder on a local disk that this user may write to and that has space left.",
} as const;

interface CorruptDetails {
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  readonly cause?: unknown;
  readonly hint?: string;
}

export function toCorruptError(message: string, details: CorruptDetails): TuttiError {
  return new TuttiError("LEDGER_CORRUPT", message, {
    hint: "Run `tutti verify` to see how far the ledger is intact, and restore it from a backup.",
    ...details,
  });
}
