import type { DatabaseSync } from "node:sqlite";

import { accountShape, reservationShape, type AccountRecord } from "../../contracts/budget.ts";
import { toRunId } from "../../contracts/ids.ts";
import type { CommitStore } from "../commit-store.ts";
import type { LedgerReader } from "../ledger-reader.ts";
import { parseState } from "./parse-state.ts";

type BudgetWrites = Pick<
  CommitStore,
  "listReservations" | "putReservation" | "removeReservation" | "findAccount" | "putAccount" | "putKept"
>;

export function prepareBudgets(database: DatabaseSync): BudgetWrites {
  // Index: none, only what is open is there.
  const listReservations = database.prepare("select run, key, state from reservation");
  // Index: reservation's primary key.
  const putReservation = database.prepare("insert or replace into reservation(run, key, state) values (?, ?, ?)");
  // Index: reservation's primary key.
  const removeReservation = database.prepare("delete from reservation where run = ? and key = ?");
  // Index: account's primary key.
  const findAccount = database.prepare("select name, state from account where name = ?");
  // Index: account's primary key.
  const putAccount = database.prepare("insert or replace into account(name, state) values (?, ?)");
  // Index: kept's primary key.
  const putKept = database.prepare("insert or replace into kept(name, state) values (?, ?)");
  return {
    listReservations: () =>
      listReservations.all().map(({ run, key, state }) => {
        const reservation = parseState(reservationShape, state, `the reservation ${String(key)} of run ${String(run)}`);
        return { run: toRunId(String(run)), key: String(key), ...reservation };
      }),
    putReservation({ run, key, amount, accounts }) {
      putReservation.run(run, key, JSON.stringify({ amount, accounts }));
    },
    removeReservation({ run, key }) {
      removeReservation.run(run, key);
    },
    findAccount(account) {
      const row = findAccount.get(account);
      return row === undefined ? undefined : toAccount(account, row["state"]);
    },
    putAccount({ account, limit, spent, reserved }) {
      putAccount.run(account, JSON.stringify({ limit, spent, reserved }));
    },
    putKept(name, state) {
      putKept.run(name, state);
    },
  };
}

export function prepareBudgetReads(database: DatabaseSync): Pick<LedgerReader, "listAccounts" | "listKept"> {
  // A file that was only ever opened by older code has no such tables, and may be open for reading only.
  // Index: none, sqlite_schema has two dozen rows.
  const isThere = database.prepare("select name from sqlite_schema where type = 'table' and name = 'kept'").get();
  if (isThere === undefined) return { listAccounts: () => [], listKept: () => [] };
  // Index: account's primary key.
  const listAccounts = database.prepare(
    "select name, state from account where name >= ? and substr(name, 1, ?) = ? order by name limit ?",
  );
  // Index: kept's primary key, in its order.
  const listKept = database.prepare("select name, state from kept order by name");
  return {
    listAccounts: ({ under = "", limit = -1 }) =>
      listAccounts.all(under, under.length, under, limit).map((row) => toAccount(String(row["name"]), row["state"])),
    listKept: () => listKept.all().map(({ name, state }) => ({ name: String(name), state: String(state) })),
  };
}

function toAccount(account: string, state: unknown): AccountRecord {
  return { account, ...parseState(accountShape, state, `the account ${account}`) };
}
