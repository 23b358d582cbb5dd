import type { DatabaseSync, SQLInputValue, SQLOutputValue } from "node:sqlite";

import { TuttiError } from "../../base/errors.ts";
import { branded, integer, oneOf, ShapeError, text, type Shape } from "../../base/shape.ts";
import { entryVersion, isEntryKind, type LedgerEntry } from "../../contracts/entry.ts";
import { type EffectKey, type RunId, type StepKey, toRunId } from "../../contracts/ids.ts";
import type { EffectRecord, EffectState, RunRecord, RunStatus } from "../../contracts/run-record.ts";
import type { StoredHead } from "../commit-store.ts";
import { toCorruptError } from "./sqlite-errors.ts";

export type Row = Readonly<Record<string, SQLOutputValue>>;

/** A row as the list of its columns. */
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
  const [lsn, seq, kind, key, at, version, body, hash] = columns;
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
  const [id, epoch, state, seq, hash, flow, version, startedAt, wakeAt, endedAt, parent, startKey] = columns;
  return parseRecord("run", run, () => ({
    number: integer(id, "id"),
    run,
    origin: {
      flow: text(flow, "flow"),
      version: text(version, "version"),
      startedAt: integer(startedAt, "started_at"),
      parent: unlessNull(runId, parent, "parent"),
      startKey: unlessNull(text, startKey, "start_key"),
    },
    epoch: integer(epoch, "epoch"),
    seq: integer(seq, "seq"),
    hash: text(hash, "hash"),
    status: status(state, "status"),
    wakeAt: unlessNull(integer, wakeAt, "wake_at"),
    endedAt: unlessNull(integer, endedAt, "ended_at"),
  }));
}

/** The columns of `toRunRecord`. */
export const runColumns = "name, flow, version, status, epoch, started_at, ended_at, wake_at, parent, start_key";

/** @throws TuttiError LEDGER_CORRUPT */
export function toRunRecord(columns: Columns): RunRecord {
  const [name, flow, version, state, epoch, startedAt, endedAt, wakeAt, parent, startKey] = columns;
  return parseRecord("run", name, () => ({
    id: runId(name, "name"),
    flow: text(flow, "flow"),
    version: text(version, "version"),
    status: status(state, "status"),
    epoch: integer(epoch, "epoch"),
    startedAt: integer(startedAt, "started_at"),
    endedAt: unlessNull(integer, endedAt, "ended_at"),
    wakeAt: unlessNull(integer, wakeAt, "wake_at"),
    parent: unlessNull(runId, parent, "parent"),
    startKey: unlessNull(text, startKey, "start_key"),
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
