import type { DatabaseSync, SQLInputValue, SQLOutputValue } from "node:sqlite";

import { TuttiError } from "../../base/errors.ts";
import { branded, integer, oneOf, ShapeError, text, type Shape } from "../../base/shape.ts";
import { entryVersion, isEntryKind, type LedgerEntry } from "../../contracts/entry.ts";
import { type EffectKey, type RunId, type StepKey, toRunId } from "../../contracts/ids.ts";
import type { EffectRecord, EffectState, RunRecord, RunStatus } from "../../contracts/run-record.ts";
import type { StoredHead } from "../commit-store.ts";
import { toCorruptError } from "./sqlite-errors.ts";

export type Row = Readonly<Record<string, SQLOutputValue>>;

/**
 * A row as the list of its columns. What is read by the thousand takes them by number: `const [a, b] = columns` makes an object for each
 * column until V8 has optimised it.
 */
export type Columns = readonly SQLOutputValue[];

/** A statement whose rows come as lists. */
export interface ListStatement {
  all(...values: SQLInputValue[]): readonly Columns[];
  get(...values: SQLInputValue[]): Columns | undefined;
}

/** For what is read often: an object for each row takes twice as long. */
export function prepareList(database: DatabaseSync, sql: string): ListStatement {
  const statement = database.prepare(sql);
  statement.setReturnArrays(true);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the statement was just told to return
  return statement as unknown as ListStatement;
}

/** The columns of `toEntry`. */
export const entryColumns =
  "entry.lsn, entry.seq, entry.kind, entry.key, entry.at, entry.version, entry.body, lower(hex(entry.hash))";

/** An entry of a run whose name is known. @throws TuttiError LEDGER_CORRUPT or LEDGER_TOO_NEW */
export function toEntry(columns: Columns, run: SQLOutputValue | undefined): LedgerEntry {
  const lsn = columns[0];
  const seq = columns[1];
  const kind = columns[2];
  const key = columns[3];
  const at = columns[4];
  const version = columns[5];
  const body = columns[6];
  const hash = columns[7];
  const isWhole =
    typeof lsn === "number" &&
    typeof seq === "number" &&
    typeof at === "number" &&
    typeof version === "number" &&
    typeof run === "string" &&
    typeof key === "string" &&
    typeof body === "string" &&
    typeof hash === "string";
  if (!isWhole) throw toDamagedEntry(lsn, "a column holds what no entry can hold");
  if (version > entryVersion) {
    throw new TuttiError(
      "LEDGER_TOO_NEW",
      `entry ${lsn} has version ${version}; this Tutti reads up to ${entryVersion}`,
      { hint: "Update Tutti in this process.", facts: { lsn, version } },
    );
  }
  if (!isEntryKind(kind)) throw toDamagedEntry(lsn, "its kind is not known");
  return { lsn, run: toRunId(run), seq, kind, key, at, version, body, hash };
}

function toDamagedEntry(lsn: SQLOutputValue | undefined, why: string): TuttiError {
  return toCorruptError(`entry ${Number(lsn)} is damaged: ${why}`, { facts: { lsn: Number(lsn) } });
}

const runId: Shape<RunId> = branded(text);
const stepKey: Shape<StepKey> = branded(text);
const effectKey: Shape<EffectKey> = branded(text);
const status: Shape<RunStatus> = oneOf(
  "running",
  "waiting",
  "paused",
  "in-doubt",
  "parked",
  "done",
  "failed",
  "cancelled",
);
const effectState: Shape<EffectState> = oneOf("intended", "settled", "failed", "in-doubt", "undone");

/** The columns of `toStoredHead`, where `entry` is the run's last one. */
export const headColumns = `run.id, run.epoch, run.status, entry.seq, lower(hex(entry.hash)),
  run.flow, run.version, run.started_at, run.wake_at, run.ended_at, run.parent, run.start_key`;

/** @throws TuttiError LEDGER_CORRUPT */
export function toStoredHead(columns: Columns, run: RunId): StoredHead {
  return parseRecord("run", run, () => ({
    number: integer(columns[0], "id"),
    run,
    origin: {
      flow: text(columns[5], "flow"),
      version: text(columns[6], "version"),
      startedAt: integer(columns[7], "started_at"),
      parent: unlessNull(runId, columns[10], "parent"),
      startKey: unlessNull(text, columns[11], "start_key"),
    },
    epoch: integer(columns[1], "epoch"),
    seq: integer(columns[3], "seq"),
    hash: text(columns[4], "hash"),
    status: status(columns[2], "status"),
    wakeAt: unlessNull(integer, columns[8], "wake_at"),
    endedAt: unlessNull(integer, columns[9], "ended_at"),
  }));
}

/** The columns of `toRunRecord`. */
export const runColumns = "name, flow, version, status, epoch, started_at, ended_at, wake_at, parent, start_key";

/** @throws TuttiError LEDGER_CORRUPT */
export function toRunRecord(columns: Columns): RunRecord {
  return parseRecord("run", columns[0], () => ({
    id: runId(columns[0], "name"),
    flow: text(columns[1], "flow"),
    version: text(columns[2], "version"),
    status: status(columns[3], "status"),
    epoch: integer(columns[4], "epoch"),
    startedAt: integer(columns[5], "started_at"),
    endedAt: unlessNull(integer, columns[6], "ended_at"),
    wakeAt: unlessNull(integer, columns[7], "wake_at"),
    parent: unlessNull(runId, columns[8], "parent"),
    startKey: unlessNull(text, columns[9], "start_key"),
  }));
}

/** The columns of `toEffectRecord`. */
export const effectColumns =
  "effect.key, run.name, effect.step, effect.tool, effect.class, effect.digest, effect.state, effect.settled_lsn";

const effectClass = oneOf("read", "local", "idempotent", "once");

/** @throws TuttiError LEDGER_CORRUPT */
export function toEffectRecord(columns: Columns): EffectRecord {
  const [key, run, step, tool, kind, digest, state, settledLsn] = columns;
  return parseRecord("effect", key, () => ({
    key: effectKey(key, "key"),
    run: runId(run, "run"),
    step: stepKey(step, "step"),
    tool: text(tool, "tool"),
    class: effectClass(kind, "class"),
    digest: text(digest, "digest"),
    state: effectState(state, "state"),
    settledLsn: unlessNull(integer, settledLsn, "settled_lsn"),
  }));
}

function unlessNull<Value>(shape: Shape<Value>, value: unknown, column: string): Value | undefined {
  return value === null ? undefined : shape(value, column);
}

function parseRecord<Value>(of: "run" | "effect", name: SQLOutputValue | undefined, parse: () => Value): Value {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    const what = `${of} ${String(name)}`;
    throw toCorruptError(`the record of ${what} is damaged: ${error.message}`, { facts: { what }, cause: error });
  }
}
