import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, truncateSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";

import { TuttiError } from "../base/errors.ts";
import { fields, integer, listOf, ShapeError, text, type Shape } from "../base/shape.ts";
import { syncFolder } from "../ledger/sqlite/ledger-file.ts";
import { acquireLock } from "../ledger/sqlite/lock.ts";

/** What one look of the sequencer came to: every log that grew, and how far the ledger was read. One line, so all of it or nothing. */
export interface Sequenced {
  /** The newest entry that was taken in. */
  readonly last: { readonly lsn: number; readonly hash: string };
  readonly logs: readonly SequencedLog[];
}

interface SequencedLog {
  readonly tenant: string;
  readonly peaks: readonly string[];
  readonly checkpoint: string;
}

type Line = { readonly key: string } | Sequenced;

/** What was signed so far, beside the ledger. */
export interface AuditRecord {
  /** Notes that announce keys. */
  readonly keys: readonly string[];
  readonly sequenced: readonly Sequenced[];
}

/** `<ledger>-audit`: the signing key and the checkpoints of a ledger. */
export function toAuditFolder(ledgerFile: string): string {
  return `${ledgerFile}-audit`;
}

const fileName = "checkpoints.jsonl";

/** Runs `work` as the only one that signs for this ledger. @throws TuttiError LEDGER_BUSY */
export async function withAuditLock<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
  if (mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined) syncFolder(dirname(folder));
  const lock = acquireLock(join(folder, "signing"));
  try {
    return await work();
  } finally {
    lock.release();
  }
}

/**
 * A line that a crash cut short was never shown to anybody: it counts as not written.
 * @throws TuttiError LEDGER_CORRUPT for a whole line that can't be read
 */
export function readAuditRecord(folder: string): AuditRecord {
  const keys: string[] = [];
  const sequenced: Sequenced[] = [];
  for (const [index, line] of readWholeLines(folder).split("\n").slice(0, -1).entries()) {
    const parsed = parseLine(line, `line ${index + 1} of ${join(folder, fileName)}`);
    if ("key" in parsed) keys.push(parsed.key);
    else sequenced.push(parsed);
  }
  return { keys, sequenced };
}

function readWholeLines(folder: string): string {
  const file = join(folder, fileName);
  if (!existsSync(file)) return "";
  const content = readFileSync(file, "utf8");
  return content.slice(0, content.lastIndexOf("\n") + 1);
}

/** Adds a line; it is on disk when this returns. */
export function appendAuditLine(folder: string, line: Line): void {
  const file = join(folder, fileName);
  const isNew = !existsSync(file);
  if (!isNew) truncateSync(file, Buffer.byteLength(readWholeLines(folder)));
  const descriptor = openSync(file, "a", 0o600);
  try {
    writeSync(descriptor, `${JSON.stringify(line)}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  if (isNew) syncFolder(folder);
}

const keyLine: Shape<{ readonly key: string }> = fields({ key: text });
const sequencedLine: Shape<Sequenced> = fields({
  last: fields({ lsn: integer, hash: text }),
  logs: listOf(fields({ tenant: text, peaks: listOf(text), checkpoint: text })),
});

function parseLine(line: string, where: string): Line {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && "key" in value
      ? keyLine(value, "")
      : sequencedLine(value, "");
  } catch (error) {
    if (!(error instanceof ShapeError) && !(error instanceof SyntaxError)) throw error;
    throw new TuttiError("LEDGER_CORRUPT", `${where} is damaged or was changed by hand`, {
      hint: "Restore the folder from a backup; `tutti audit verify --anchor …` tells what was signed before.",
      facts: { where },
      cause: error,
    });
  }
}
