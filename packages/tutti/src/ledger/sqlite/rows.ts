import type { DatabaseSync, SQLInputValue, SQLOutputValue } from "node:sqlite";

import { TuttiError } from "../../base/errors.ts";
import { branded, fields, integer, oneOf, ShapeError, text, type Shape } from "../../base/shape.ts";
import { entryVersion, isEntryKind, type LedgerEntry } from "../../contracts/entry.ts";
import { type EffectKey, type RunId, type StepKey, toRunId } from "../../contracts/ids.ts";
import type { EffectRecord, EffectState, RunRecord, RunStatus } from "../../contracts/run-record.ts";
import type { StoredHead } from "../commit-store.ts";
import { toCorruptError } from "./sqlite-errors.ts";

export type Row = Readonly<Record<string, SQLOutputValue>>;

/** The columns of `toEntry`, in its order. */
export const entryColumns =
  "entry.lsn, entry.seq, entry.kind, entry.key, entry.at, entry.version, entry.body, lower(hex(entry.hash))";

/** Reads entries as lists of their columns: an object for each row would take twice as long. */
export function prepareEntryList(
  database: DatabaseSync,
  sql: string,
): (...values: SQLInputValue[]) => readonly Columns[] {
  const statement = database.prepare(sql);
  statement.setReturnArrays(true);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the statement was just told to return
  return (...values) => statement.all(...values) as unknown as readonly Columns[];
}

export type Columns = readonly SQLOutputValue[];

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

const headShape = fields(
  { id: integer, epoch: integer, status, seq: integer, hash: text, flow: text, version: text, started_at: integer },
  { wake_at: integer, ended_at: integer, parent: runId, start_key: text },
);

export function toStoredHead(row: Row, run: RunId): StoredHead {
  const head = parseRow(headShape, row, `run ${run}`);
  const { id, epoch, seq, hash, flow, version, parent } = head;
  const origin = { flow, version, startedAt: head.started_at, parent, startKey: head.start_key };
  const state = { status: head.status, wakeAt: head.wake_at, endedAt: head.ended_at };
  return { number: id, run, origin, epoch, seq, hash, ...state };
}

const runShape = fields(
  { name: runId, flow: text, version: text, status, epoch: integer, started_at: integer },
  { ended_at: integer, wake_at: integer, parent: runId, start_key: text },
);

export function toRunRecord(row: Row): RunRecord {
  const run = parseRow(runShape, row, `run ${String(row["name"])}`);
  const times = { startedAt: run.started_at, endedAt: run.ended_at, wakeAt: run.wake_at };
  const origin = { parent: run.parent, startKey: run.start_key };
  return {
    id: run.name,
    flow: run.flow,
    version: run.version,
    status: run.status,
    epoch: run.epoch,
    ...times,
    ...origin,
  };
}

const effectShape = fields(
  {
    key: effectKey,
    run: runId,
    step: stepKey,
    tool: text,
    class: oneOf("read", "local", "idempotent", "once"),
    digest: text,
    state: effectState,
  },
  { settled_lsn: integer },
);

export function toEffectRecord(row: Row): EffectRecord {
  const effect = parseRow(effectShape, row, `effect ${String(row["key"])}`);
  const { key, run, step, tool, digest, state } = effect;
  return { key, run, step, tool, class: effect.class, digest, state, settledLsn: effect.settled_lsn };
}

/** A column that is null counts as missing. */
function parseRow<Value>(shape: Shape<Value>, row: Row, what: string): Value {
  try {
    const present: Record<string, SQLOutputValue> = {};
    for (const name in row) {
      const value = row[name];
      if (value !== null && value !== undefined) present[name] = value;
    }
    return shape(present, "");
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw toCorruptError(`the record of ${what} is damaged: ${error.message}`, { facts: { what }, cause: error });
  }
}
