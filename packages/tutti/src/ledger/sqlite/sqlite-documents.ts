import type { DatabaseSync } from "node:sqlite";

import type { DocumentRecord } from "../../contracts/document.ts";
import { toDocumentId } from "../../contracts/ids.ts";
import type { CommitStore } from "../commit-store.ts";
import type { LedgerReader } from "../ledger-reader.ts";
import type { Row } from "./rows.ts";

// Index: document's primary key backwards.
const findNewest = "select name, version, lsn from document where name = ? order by version desc limit 1";

export function prepareDocuments(database: DatabaseSync): Pick<CommitStore, "findDocument" | "putDocument"> {
  const findDocument = database.prepare(findNewest);
  // Writes document's primary key, which refuses a version that is there already.
  const putDocument = database.prepare("insert into document(name, version, lsn) values (?, ?, ?)");
  return {
    findDocument: (document) => toRecord(findDocument.get(document)),
    putDocument({ document, version, lsn }) {
      putDocument.run(document, version, lsn);
    },
  };
}

type DocumentReads = Pick<LedgerReader, "findDocument" | "listDocuments" | "listVersions">;

export function prepareDocumentReads(database: DatabaseSync): DocumentReads {
  // A file that was only ever opened by older code has no such table, and may be open for reading only.
  // Index: none, sqlite_schema has two dozen rows.
  const isThere = database.prepare("select name from sqlite_schema where type = 'table' and name = 'document'").get();
  if (isThere === undefined) {
    return { findDocument: () => undefined, listDocuments: () => [], listVersions: () => [] };
  }
  const newest = database.prepare(findNewest);
  // Index: document's primary key.
  const findVersion = database.prepare("select name, version, lsn from document where name = ? and version = ?");
  // Index: document's primary key, in its order; of each name the last line counts.
  const listDocuments = database.prepare(`
    select name, max(version) as version, lsn from document
    where name >= ? and substr(name, 1, ?) = ? group by name order by name limit ?`);
  // Index: document's primary key backwards.
  const listVersions = database.prepare(
    "select name, version, lsn from document where name = ? order by version desc limit ?",
  );
  return {
    findDocument: (document, version) =>
      toRecord(version === undefined ? newest.get(document) : findVersion.get(document, version)),
    listDocuments: ({ under = "", limit = -1 }) =>
      listDocuments.all(under, under.length, under, limit).flatMap((row) => toRecord(row) ?? []),
    listVersions: (document, limit) => listVersions.all(document, limit).flatMap((row) => toRecord(row) ?? []),
  };
}

function toRecord(row: Row | undefined): DocumentRecord | undefined {
  if (row === undefined) return undefined;
  return { document: toDocumentId(String(row["name"])), version: Number(row["version"]), lsn: Number(row["lsn"]) };
}
