import type { DatabaseSync } from "node:sqlite";

import { assert } from "../../base/assert.ts";
import { entryVersion } from "../../contracts/entry.ts";
import { toRunId } from "../../contracts/ids.ts";
import { firstStatus, type CommitStore } from "../commit-store.ts";
import { effectColumns, headColumns, prepareList, toEffectRecord, toStoredHead } from "./rows.ts";
import { prepareApprovals } from "./sqlite-approvals.ts";
import { prepareBudgets } from "./sqlite-budgets.ts";
import { prepareDocuments } from "./sqlite-documents.ts";
import { toLedgerError } from "./sqlite-errors.ts";

export interface SqliteStoreOptions {
  readonly path: string;
  readonly sync?: NonNullable<CommitStore["sync"]>;
  /** Called in front of every transaction; may throw to refuse it. */
  readonly beforeBegin: () => void;
  /** Called when a transaction has begun. */
  readonly afterBegin?: (() => void) | undefined;
  /** `bytes`: about how much the transaction wrote. */
  readonly afterCommit: (bytes: number) => void;
}

/** The commit queue's store on one SQLite connection. Every statement is prepared once. */
export function createSqliteStore(database: DatabaseSync, options: SqliteStoreOptions): CommitStore {
  const begin = database.prepare("begin immediate");
  const commit = database.prepare("commit");
  const rollback = database.prepare("rollback");
  const written: Written = { bytes: 0 };
  return {
    ...(options.sync === undefined ? {} : { sync: options.sync }),
    begin() {
      options.beforeBegin();
      written.bytes = 0;
      begin.run();
      options.afterBegin?.();
    },
    commit() {
      commit.run();
      options.afterCommit(written.bytes);
    },
    rollback() {
      if (database.isTransaction) rollback.run();
    },
    ...prepareRuns(database, options.path),
    ...prepareEntries(database, written),
    ...prepareEffects(database),
    ...prepareBudgets(database),
    ...prepareDocuments(database),
    ...prepareApprovals(database),
  };
}

/** What the transaction has written so far. */
interface Written {
  bytes: number;
}

function prepareRuns(
  database: DatabaseSync,
  path: string,
): Pick<CommitStore, "findHead" | "insertRun" | "updateRun" | "findStartKey" | "putStartKey"> {
  // Index: run.name (unique), then entry_by_run backwards.
  const findHead = prepareList(
    database,
    `select ${headColumns} from run join entry on entry.run = run.id
    where run.name = ? order by entry.seq desc limit 1`,
  );
  // Writes run, run.name, run_open and, for a child, run_by_parent.
  const insertRun = database.prepare(`
    insert into run(name, flow, version, status, epoch, started_at, parent, start_key) values (?, ?, ?, ?, ?, ?, ?, ?)`);
  // Index: run's primary key. Writes run_open and run_due when they change.
  const updateRun = database.prepare("update run set epoch = ?, status = ?, wake_at = ?, ended_at = ? where id = ?");
  // Index: start_key's primary key.
  const findStartKey = database.prepare("select run, at from start_key where key = ?");
  // Index: start_key's primary key.
  const putStartKey = database.prepare(`
    insert into start_key(key, run, at) values (?, ?, ?)
    on conflict(key) do update set run = excluded.run, at = excluded.at`);
  return {
    findHead(run) {
      try {
        const row = findHead.get(run);
        return row === undefined ? undefined : toStoredHead(row, run);
      } catch (error) {
        throw toLedgerError(error, path); // a claim asks for it outside of any transaction
      }
    },
    insertRun({ id, flow, version, parent, startKey }, { startedAt, epoch }) {
      const { lastInsertRowid } = insertRun.run(
        id,
        flow,
        version,
        firstStatus,
        epoch,
        startedAt,
        parent ?? null,
        startKey ?? null,
      );
      return Number(lastInsertRowid);
    },
    updateRun({ number, epoch, status, wakeAt, endedAt }) {
      updateRun.run(epoch, status, wakeAt ?? null, endedAt ?? null, number);
    },
    findStartKey(key) {
      const row = findStartKey.get(key);
      return row === undefined ? undefined : { run: toRunId(String(row["run"])), at: Number(row["at"]) };
    },
    putStartKey(key, { run, at }) {
      putStartKey.run(key, run, at);
    },
  };
}

// What an entry takes beside its key and body: hash, numbers, and its line in the index.
const entryBytes = 150;

function prepareEntries(
  database: DatabaseSync,
  written: Written,
): Pick<CommitStore, "findTail" | "insertEntry" | "insertBlob"> {
  // Index: entry's primary key backwards.
  const findTail = database.prepare("select lsn, at from entry order by lsn desc limit 1");
  // Writes entry and entry_by_run.
  const insertEntry = database.prepare(`
    insert into entry(lsn, run, seq, kind, key, at, version, body, hash) values (?, ?, ?, ?, ?, ?, ?, ?, unhex(?))`);
  // Index: blob's primary key.
  const insertBlob = database.prepare("insert into blob(hash, content) values (?, ?) on conflict(hash) do nothing");
  return {
    findTail() {
      const row = findTail.get();
      return { lsn: Number(row?.["lsn"] ?? 0), at: Number(row?.["at"] ?? 0) };
    },
    insertEntry(head, { kind, key, body }, { lsn, at }) {
      written.bytes += entryBytes + key.length + body.length;
      // Not `run`: it would make an object for each entry, to say what nobody asks.
      insertEntry.get(lsn, head.number, head.seq, kind, key, at, entryVersion, body, head.hash);
    },
    insertBlob({ hash, content }) {
      written.bytes += content.length;
      insertBlob.run(toHashBytes(hash), content);
    },
  };
}

function prepareEffects(database: DatabaseSync): Pick<CommitStore, "findEffect" | "putEffect"> {
  // Index: effect's primary key, then run's.
  const findEffect = prepareList(
    database,
    `select ${effectColumns} from effect join run on run.id = effect.run where effect.key = ?`,
  );
  // Index: run.name to find the number, then effect's primary key. Writes effect_by_run and effect_unsettled.
  const putEffect = database.prepare(`
    insert into effect(key, run, step, tool, class, digest, state, settled_lsn)
    values (?, (select id from run where name = ?), ?, ?, ?, ?, ?, ?)
    on conflict(key) do update set run = excluded.run, step = excluded.step, tool = excluded.tool, class = excluded.class,
      digest = excluded.digest, state = excluded.state, settled_lsn = excluded.settled_lsn`);
  return {
    findEffect(key) {
      const row = findEffect.get(key);
      return row === undefined ? undefined : toEffectRecord(row);
    },
    putEffect({ key, run, step, tool, class: effectClass, digest, state, settledLsn }) {
      putEffect.run(key, run, step, tool, effectClass, digest, state, settledLsn ?? null);
    },
  };
}

function toHashBytes(hash: string): Buffer {
  const bytes = Buffer.from(hash, "hex");
  assert(bytes.length === 32, "a hash has 64 hexadecimal digits");
  return bytes;
}
