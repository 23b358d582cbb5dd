import type { DatabaseSync } from "node:sqlite";

import { approvalRecordShape, type ApprovalRecord } from "../../contracts/approval.ts";
import type { CommitStore } from "../commit-store.ts";
import type { LedgerReader } from "../ledger-reader.ts";
import type { ApprovalFilter } from "../ledger.ts";
import { parseState } from "./parse-state.ts";
import type { Row } from "./rows.ts";

// Index: approval's primary key.
const findOne = "select record from approval where id = ?";
// Index: approval_live.
const findLive = "select record from approval where state in ('open', 'granted') order by asked_lsn";

export function prepareApprovals(
  database: DatabaseSync,
): Pick<CommitStore, "listLiveApprovals" | "findApproval" | "putApproval"> {
  const listLive = database.prepare(findLive);
  const find = database.prepare(findOne);
  // Index: approval's primary key. Writes approval_by_run and approval_live.
  const put = database.prepare(`
    insert or replace into approval(id, run, step, state, due_at, asked_lsn, lsn, record) values (?, ?, ?, ?, ?, ?, ?, ?)`);
  return {
    listLiveApprovals: () => listLive.all().map(toApproval),
    findApproval: (id) => findIn(find.get(id)),
    putApproval(approval) {
      const { id, run, step, state, dueAt, askedLsn, lsn } = approval;
      put.run(id, run, step, state, dueAt, askedLsn, lsn, JSON.stringify(approval));
    },
  };
}

export function prepareApprovalReads(database: DatabaseSync): Pick<LedgerReader, "findApproval" | "listApprovals"> {
  // A file that was only ever opened by older code has no such table, and may be open for reading only.
  // Index: none, sqlite_schema has two dozen rows.
  const isThere = database.prepare("select name from sqlite_schema where type = 'table' and name = 'approval'").get();
  if (isThere === undefined) return { findApproval: () => undefined, listApprovals: () => [] };
  const find = database.prepare(findOne);
  return {
    findApproval: (id) => findIn(find.get(id)),
    listApprovals(filter) {
      const { where, values } = toConditions(filter);
      // Index: approval_by_run with a run, approval_live for live states, approval's primary key otherwise.
      const statement = database.prepare(`select record from approval ${where} order by asked_lsn limit ?`);
      return statement.all(...values, filter.limit ?? -1).map(toApproval);
    },
  };
}

function toConditions({ run, step, states, askedAfter }: ApprovalFilter): {
  readonly where: string;
  readonly values: readonly (string | number)[];
} {
  const parts: string[] = [];
  if (run !== undefined) parts.push("run = ?");
  if (step !== undefined) parts.push("step = ?");
  // Says it in the words of approval_live, which then holds all that can match.
  if (states?.every((state) => state === "open" || state === "granted") === true)
    parts.push("state in ('open', 'granted')");
  if (states !== undefined) parts.push(`state in (${states.map(() => "?").join(", ")})`);
  if (askedAfter !== undefined) parts.push("asked_lsn > ?");
  const values = [run, step, ...(states ?? []), askedAfter].flatMap((value) => value ?? []);
  return { where: parts.length === 0 ? "" : `where ${parts.join(" and ")}`, values };
}

function findIn(row: Row | undefined): ApprovalRecord | undefined {
  return row === undefined ? undefined : toApproval(row);
}

function toApproval(row: Row): ApprovalRecord {
  return parseState(approvalRecordShape, row["record"], "an approval");
}
