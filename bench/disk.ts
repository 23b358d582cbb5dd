import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { makeFolder, removeFolder } from "./folder.ts";
import { median, show } from "./numbers.ts";

/**
 * What the disk and SQLite take by themselves for what a step needs, with nothing of Tutti around it: a sync behind three pages in a file that
 * grows with every write, in one that grows by pieces, and in one that is written over; and one entry in a transaction of its own, unsynced.
 */
const syncs = 600;
const pageBytes = 4_096 + 24;
const stepBytes = 3 * pageBytes;
const pieceBytes = 256 * 1024;
const commits = 600;
const repeats = 7;

const folder = makeFolder("disk");
const rounds = Array.from({ length: repeats }, (_, round) => ({
  growing: measureSyncs(join(folder, `growing-${round}`), stepBytes),
  pieces: measureSyncs(join(folder, `pieces-${round}`), pieceBytes),
  over: measureSyncs(join(folder, `over-${round}`), syncs * stepBytes),
  commit: measureCommits(join(folder, `commits-${round}.db`)),
}));
removeFolder(folder);
const typical = (name: keyof (typeof rounds)[number]): string => show(median(rounds.map((round) => round[name])));
process.stdout.write(
  `${[
    `a write of 12 KB and its sync, means of ${syncs}, median of ${repeats} rounds in turn:`,
    `  the file grows with every write   ${typical("growing")} ms`,
    `  it grows by 256 KiB               ${typical("pieces")} ms`,
    `  it is written over                ${typical("over")} ms`,
    `begin immediate, an entry with its index, commit, unsynced: ${typical("commit")} ms`,
  ].join("\n")}\n`,
);

/** Milliseconds a sync, the growth of the file included unless it is made whole before. */
function measureSyncs(path: string, growthBytes: number): number {
  const file = openSync(path, "w+");
  const step = Buffer.alloc(stepBytes, "p");
  const piece = Buffer.alloc(growthBytes);
  let length = 0;
  if (growthBytes >= syncs * stepBytes) {
    length = writeSync(file, piece, 0, piece.length, 0);
    fdatasyncSync(file);
  }
  const from = performance.now();
  for (let at = 0; at < syncs; at++) {
    const end = (at + 1) * stepBytes;
    if (growthBytes > stepBytes && end > length) length += writeSync(file, piece, 0, piece.length, length);
    writeSync(file, step, 0, stepBytes, at * stepBytes);
    fdatasyncSync(file);
  }
  const ms = (performance.now() - from) / syncs;
  closeSync(file);
  return ms;
}

/** Milliseconds an entry, in the columns of the ledger's own table. */
function measureCommits(path: string): number {
  const database = new DatabaseSync(path);
  database.exec(`
    pragma journal_mode = wal; pragma synchronous = normal; pragma wal_autocheckpoint = 0;
    create table entry(lsn integer primary key, run integer not null, seq integer not null, kind text not null, key text not null,
      at integer not null, version integer not null, body text, digest blob, hash blob not null);
    create unique index entry_by_run on entry(run, seq);`);
  const begin = database.prepare("begin immediate");
  const insert = database.prepare(
    "insert into entry(lsn, run, seq, kind, key, at, version, body, hash) values (?, ?, ?, ?, ?, ?, ?, ?, unhex(?))",
  );
  const commit = database.prepare("commit");
  const body = JSON.stringify({
    out: { text: "", toolCalls: [{ id: "c0", tool: "add", input: { left: 0, right: 1 } }] },
  });
  const hash = "ab".repeat(32);
  const from = performance.now();
  for (let lsn = 1; lsn <= commits; lsn++) {
    begin.run();
    insert.get(lsn, 1, lsn, "step-done", `/adder/model#${lsn}`, from, 1, body, hash);
    commit.run();
  }
  const ms = (performance.now() - from) / commits;
  database.close();
  return ms;
}
