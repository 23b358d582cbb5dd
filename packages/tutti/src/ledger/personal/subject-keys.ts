import { randomBytes } from "node:crypto";
import { closeSync, existsSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { must } from "../../base/assert.ts";
import { besides, syncFolder } from "../sqlite/ledger-file.ts";
import { toLedgerError } from "../sqlite/sqlite-errors.ts";

/** The keys of the people whom runs are about. What was sealed with a destroyed one is noise. */
export interface SubjectKeys {
  /** The id of a subject's key, made on first use, durable when this returns. */
  provide(subject: string): string;
  findId(subject: string): string | undefined;
  /** `undefined` if it was destroyed. */
  readonly find: (id: string) => Buffer | undefined;
  /** Takes the key and the name that it belonged to away, and overwrites both. */
  destroy(id: string): void;
  close(): void;
}

const keyBytes = 32;
const idBytes = 8;
/** Another process may be making or destroying a key. The event loop waits with it. */
const busyTimeoutMs = 2_000;

/**
 * The file `<ledger>-subjects`, made when the first key is, for its owner's eyes only. Kept apart from the ledger, so that a backup of the one
 * does not bring back what was destroyed in the other.
 */
export function openSubjectKeys(findLedgerFile: () => string): SubjectKeys {
  let database: DatabaseSync | undefined;

  const toFile = (): string => findLedgerFile() + besides.subjects;

  function open(): DatabaseSync | undefined {
    const file = toFile();
    if (database === undefined && existsSync(file)) database = openDatabase(file);
    return database;
  }

  function read(sql: string, value: string): unknown {
    return guarded(toFile(), () => Object.values(open()?.prepare(sql).get(value) ?? {})[0]);
  }

  // Index: subject's unique name.
  const findId = (subject: string): string | undefined =>
    toText(read("select id from subject where name = ?", subject));

  return {
    findId,
    provide(subject) {
      const known = findId(subject);
      if (known !== undefined) return known;
      const present = guarded(toFile(), () => open() ?? (database = makeDatabase(toFile())));
      // Writes subject and its unique name; another process may have been quicker.
      const insert = "insert into subject(id, name, key) values (?, ?, ?) on conflict(name) do nothing";
      guarded(toFile(), () =>
        present.prepare(insert).run(randomBytes(idBytes).toString("hex"), subject, randomBytes(keyBytes)),
      );
      return must(findId(subject), "a key that was stored is there");
    },
    find(id) {
      // Index: subject's primary key.
      const key = read("select key from subject where id = ?", id);
      return key instanceof Uint8Array ? Buffer.from(key) : undefined;
    },
    destroy(id) {
      // Index: subject's primary key. `secure_delete` writes zeros over what stood there.
      guarded(toFile(), () => open()?.prepare("delete from subject where id = ?").run(id));
    },
    close() {
      database?.close();
    },
  };
}

function toText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function openDatabase(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: busyTimeoutMs });
  database.exec("pragma secure_delete = on; pragma synchronous = full");
  return database;
}

function makeDatabase(file: string): DatabaseSync {
  closeSync(openSync(file, "a", 0o600)); // SQLite keeps the rights of a file that is there
  const database = openDatabase(file);
  database.exec(
    "create table if not exists subject(id text primary key, name text not null unique, key blob not null)",
  );
  syncFolder(dirname(file));
  return database;
}

function guarded<Result>(file: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw toLedgerError(error, file);
  }
}
