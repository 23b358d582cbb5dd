import type { DatabaseSync, SQLInputValue } from "node:sqlite";

import type { LedgerEntry } from "../../contracts/entry.ts";
import { openStatuses } from "../../contracts/run-record.ts";
import type { LedgerReader } from "../ledger-reader.ts";
import type { EffectFilter, RunFilter } from "../ledger.ts";
import { effectColumns, entryColumns, prepareList, runColumns, toEffectRecord, toEntry, toRunRecord } from "./rows.ts";
import { prepareApprovalReads } from "./sqlite-approvals.ts";
import { prepareBudgetReads } from "./sqlite-budgets.ts";
import { prepareDocumentReads } from "./sqlite-documents.ts";
import { toLedgerError } from "./sqlite-errors.ts";

export function createSqliteReader(database: DatabaseSync, path: string): LedgerReader {
  const guarded =
    <Arguments extends readonly unknown[], Value>(read: (...args: Arguments) => Value) =>
    (...args: Arguments): Value => {
      try {
        return read(...args);
      } catch (error) {
        throw toLedgerError(error, path);
      }
    };
  const entries = prepareEntryReads(database);
  const records = prepareRecordReads(database);
  const budgets = prepareBudgetReads(database);
  const documents = prepareDocumentReads(database);
  const approvals = prepareApprovalReads(database);
  return {
    read: guarded(entries.read),
    readOf: guarded(entries.readOf),
    readOfAll: guarded(entries.readOfAll),
    scan: guarded(entries.scan),
    readBlob: guarded(entries.readBlob),
    findRun: guarded(records.findRun),
    readRuns: guarded(records.readRuns),
    listRuns: guarded(records.listRuns),
    findEffect: guarded(records.findEffect),
    listEffects: guarded(records.listEffects),
    listAccounts: guarded(budgets.listAccounts),
    listKept: guarded(budgets.listKept),
    findDocument: guarded(documents.findDocument),
    listDocuments: guarded(documents.listDocuments),
    listVersions: guarded(documents.listVersions),
    findApproval: guarded(approvals.findApproval),
    listApprovals: guarded(approvals.listApprovals),
  };
}

/** SQLite's word for all. */
const noLimit = -1;

type EntryReads = Pick<LedgerReader, "read" | "readOf" | "readOfAll" | "scan" | "readBlob">;

function prepareEntryReads(database: DatabaseSync): EntryReads {
  // Index: run.name.
  const findNumber = database.prepare("select id from run where name = ?");
  // Index: entry_by_run.
  const read = prepareList(
    database,
    `select ${entryColumns} from entry where entry.run = ? and entry.seq >= ? order by entry.seq limit ?`,
  );
  // Index: entry_by_run.
  const readAll = prepareList(
    database,
    `select ${entryColumns}, entry.run from entry
    where entry.run in (select value from json_each(?)) order by entry.run, entry.seq`,
  );
  // Index: entry's primary key, then run's. An entry whose run is gone is damage to report, so it is not joined away.
  const scan = prepareList(
    database,
    `select ${entryColumns}, run.name from entry left join run on run.id = entry.run
    where entry.lsn > ? order by entry.lsn limit ?`,
  );
  // Index: blob's primary key.
  const readBlob = database.prepare("select content from blob where hash = ?");
  return {
    read(run, fromSeq, limit = noLimit) {
      const id = findNumber.get(run)?.["id"];
      return id === undefined ? [] : read.all(id, fromSeq, limit).map((row) => toEntry(row, run));
    },
    readOf: ({ number, run }) => read.all(number, 1, noLimit).map((row) => toEntry(row, run)),
    readOfAll(heads) {
      const found = heads.map(({ number, run }) => ({ number, run, entries: [] as LedgerEntry[] }));
      const byNumber = new Map(found.map((each) => [each.number, each]));
      const numbers = JSON.stringify(found.map(({ number }) => number));
      readAll.all(numbers).forEach((row) => {
        const each = byNumber.get(Number(row.at(-1)));
        if (each !== undefined) each.entries.push(toEntry(row, each.run));
      });
      return found.map(({ entries }) => entries);
    },
    scan: (afterLsn, limit) => scan.all(afterLsn, Math.max(limit, 0)).map((row) => toEntry(row, row.at(-1))),
    readBlob(hash) {
      const content = readBlob.get(Buffer.from(hash, "hex"))?.["content"];
      return content === undefined ? undefined : String(content);
    },
  };
}

type RecordReads = Pick<LedgerReader, "findRun" | "readRuns" | "listRuns" | "findEffect" | "listEffects">;

function prepareRecordReads(database: DatabaseSync): RecordReads {
  // Index: run.name.
  const findRun = prepareList(database, `select ${runColumns} from run where name = ?`);
  // Index: run.name.
  const readRuns = prepareList(
    database,
    `select ${runColumns}, id from run where name in (select value from json_each(?))`,
  );
  // Index: effect's primary key, then run's.
  const findEffect = prepareList(
    database,
    `select ${effectColumns} from effect join run on run.id = effect.run where effect.key = ?`,
  );
  return {
    findRun(run) {
      const row = findRun.get(run);
      return row === undefined ? undefined : toRunRecord(row);
    },
    readRuns: (runs) =>
      readRuns.all(JSON.stringify(runs)).map((row) => ({ number: Number(row.at(-1)), record: toRunRecord(row) })),
    listRuns(filter) {
      const { where, values } = toRunConditions(filter);
      // Index: run_by_parent, run_due or run_open, whichever the conditions name; run's primary key backwards otherwise.
      const statement = prepareList(database, `select ${runColumns} from run ${where} order by id desc limit ?`);
      return statement.all(...values, filter.limit ?? -1).map(toRunRecord);
    },
    findEffect(key) {
      const row = findEffect.get(key);
      return row === undefined ? undefined : toEffectRecord(row);
    },
    listEffects(filter) {
      const { where, values } = toEffectConditions(filter);
      // Index: effect_by_run with a run, effect_unsettled for unsettled states, effect's primary key otherwise.
      const statement = prepareList(
        database,
        `select ${effectColumns} from effect join run on run.id = effect.run ${where} order by effect.key`,
      );
      return statement.all(...values).map(toEffectRecord);
    },
  };
}

interface Conditions {
  readonly where: string;
  readonly values: readonly SQLInputValue[];
}

function toRunConditions(filter: RunFilter): Conditions {
  const parts: string[] = [];
  const values: SQLInputValue[] = [];
  if (filter.parent !== undefined) {
    parts.push("parent = ?");
    values.push(filter.parent);
  }
  if (filter.dueBy !== undefined) {
    parts.push("wake_at <= ?", "ended_at is null");
    values.push(filter.dueBy);
  }
  if (filter.statuses !== undefined) {
    // Says it in the words of run_open, which then holds all runs that can match.
    if (filter.statuses.every((status) => openStatuses.includes(status))) parts.push("ended_at is null");
    parts.push(`status in (${filter.statuses.map(() => "?").join(", ")})`);
    values.push(...filter.statuses);
  }
  if (filter.flow !== undefined) {
    parts.push("flow = ?");
    values.push(filter.flow);
  }
  return toConditions(parts, values);
}

function toEffectConditions(filter: EffectFilter): Conditions {
  const parts: string[] = [];
  const values: SQLInputValue[] = [];
  if (filter.run !== undefined) {
    parts.push("run.name = ?");
    values.push(filter.run);
  }
  if (filter.states !== undefined) {
    if (filter.states.every((state) => state === "intended" || state === "in-doubt")) {
      parts.push("effect.state in ('intended', 'in-doubt')");
    }
    parts.push(`effect.state in (${filter.states.map(() => "?").join(", ")})`);
    values.push(...filter.states);
  }
  if (filter.step !== undefined) {
    parts.push("effect.step = ?");
    values.push(filter.step);
  }
  return toConditions(parts, values);
}

function toConditions(parts: readonly string[], values: readonly SQLInputValue[]): Conditions {
  return { where: parts.length === 0 ? "" : `where ${parts.join(" and ")}`, values };
}
