import type { DatabaseSync } from "node:sqlite";

import { TuttiError } from "../../base/errors.ts";

/** The format that this code writes. A change that older code would misread raises it. */
const formatVersion = 1;

/**
 * What came after the first files of this format; older code neither reads nor writes it. `account` and `reservation`: the JSON of
 * contracts/budget.ts. `kept`: small states, of limits for instance. `document`: which entry holds which version; the newest has the
 * highest number. `approval`: the JSON of contracts/approval.ts, with what is looked for beside it.
 */
const laterTables = `
create table if not exists document(
  name text not null,
  version integer not null,
  lsn integer not null,
  primary key(name, version)
) without rowid;

create table if not exists approval(
  id text primary key,
  run text not null,
  step text not null,
  state text not null,
  due_at integer not null,
  asked_lsn integer not null,
  lsn integer not null,
  record text not null
) without rowid;
create index if not exists approval_by_run on approval(run);
create index if not exists approval_live on approval(state) where state in ('open', 'granted');

create table if not exists account(
  name text primary key,
  state text not null
) without rowid;

create table if not exists reservation(
  run text not null,
  key text not null,
  state text not null,
  primary key(run, key)
) without rowid;

create table if not exists kept(
  name text primary key,
  state text not null
) without rowid;
`;

/**
 * Integers name runs inside the file, so that the index of entries stays small. `entry.hash` and `blob.hash` are the 32 bytes.
 * `entry.digest` is the body's SHA-256, kept only where the body was erased (and is null); otherwise it follows from the body.
 * A run is open as long as it has no `ended_at`.
 */
const tables = `
create table meta(
  name text primary key,
  value text not null
) without rowid;

create table run(
  id integer primary key,
  name text not null unique,
  flow text not null,
  version text not null,
  status text not null,
  epoch integer not null,
  started_at integer not null,
  ended_at integer,
  wake_at integer,
  parent text,
  start_key text
);
create index run_open on run(id) where ended_at is null;
create index run_due on run(wake_at) where wake_at is not null;
create index run_by_parent on run(parent) where parent is not null;

create table entry(
  lsn integer primary key,
  run integer not null,
  seq integer not null,
  kind text not null,
  key text not null,
  at integer not null,
  version integer not null,
  body text,
  digest blob,
  hash blob not null
);
create unique index entry_by_run on entry(run, seq);

create table effect(
  key text primary key,
  run integer not null,
  step text not null,
  tool text not null,
  class text not null,
  digest text not null,
  state text not null,
  settled_lsn integer
) without rowid;
create index effect_by_run on effect(run);
create index effect_unsettled on effect(state) where state in ('intended', 'in-doubt');

create table blob(
  hash blob primary key,
  content text not null
);

create table start_key(
  key text primary key,
  run text not null,
  at integer not null
) without rowid;

${laterTables}
insert into meta(name, value) values ('format', '${formatVersion}');
`;

/** Adds what a file of this format may lack because it was made before. */
export function addLaterTables(database: DatabaseSync): void {
  database.exec(laterTables);
}

/** Writes the tables into an empty database. */
export function createSchema(database: DatabaseSync): void {
  database.exec(`begin immediate; ${tables} commit;`);
}

/**
 * Makes sure that the database is a ledger that this code can read.
 * @throws TuttiError LEDGER_UNWRITABLE if it is some other database, LEDGER_TOO_NEW if a newer Tutti wrote it.
 */
export function checkSchema(database: DatabaseSync, path: string): void {
  // Index: none, sqlite_schema has a dozen rows.
  const table = database.prepare("select name from sqlite_schema where type = 'table' and name = 'meta'").get();
  // Index: meta's primary key.
  const format = table && database.prepare("select value from meta where name = 'format'").get();
  const version = Number(format?.["value"]);
  if (!Number.isSafeInteger(version)) {
    throw new TuttiError("LEDGER_UNWRITABLE", `${path} is a database, but not a ledger`, {
      hint: "Choose another file name: Tutti does not write into other programs' databases.",
      facts: { path },
    });
  }
  if (version > formatVersion) {
    throw new TuttiError("LEDGER_TOO_NEW", `${path} has format ${version}; this Tutti knows up to ${formatVersion}`, {
      hint: "Update Tutti in this process.",
      facts: { path, format: version, formatKnown: formatVersion },
    });
  }
}
