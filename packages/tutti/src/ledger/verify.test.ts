import { spawnSync } from "node:child_process";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, expect, test } from "vitest";

import { createSettableClock, startAndClaim, toStep, toStepWithBlob } from "../../../../test/ledger/ledger-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { sha256 } from "../base/hash.ts";
import { openSqliteLedger } from "./sqlite/sqlite-ledger.ts";
import { verifyLedger, type Verification } from "./verify.ts";

const tool = fileURLToPath(new URL("../../../../tools/verify-ledger.mjs", import.meta.url));
let folder = "";
let files = 0;

/** Three runs, their entries taking turns: 1 to 3 are the starts, 4 to 12 steps; the last step of each refers to a blob. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tutti-verify-"));
  const clock = createSettableClock(1_000);
  const ledger = await openSqliteLedger(join(folder, "whole.db"), { clock });
  const claims = await Promise.all(["a", "b", "c"].map((id) => startAndClaim(ledger, id)));
  for (const name of ["one", "two", "three"]) {
    for (const { log, record } of claims) {
      clock.set(clock.now() + 10);
      await log.append(name === "three" ? toStepWithBlob(name, `large ${record.id}`) : toStep(name));
    }
  }
  await ledger.close();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function plant(sql: string): Promise<string> {
  const file = join(folder, `planted-${(files += 1)}.db`);
  await cp(join(folder, "whole.db"), file);
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
  return file;
}

async function verifyFile(file: string): Promise<Verification> {
  const ledger = await openSqliteLedger(file, { clock: createSettableClock(), readOnly: true });
  try {
    return await verifyLedger(ledger);
  } finally {
    await ledger.close();
  }
}

function runTool(...args: readonly string[]): { readonly status: number | null; readonly text: string } {
  const { status, stdout } = spawnSync(process.execPath, [tool, ...args], { encoding: "utf8" });
  return { status, text: stdout.trim() };
}

test("an untouched ledger is intact for both verifiers", verifies("G12"), async () => {
  const file = await plant("");
  expect(await verifyFile(file)).toEqual({ kind: "intact", entries: 12, runs: 3 });
  expect(runTool(file)).toEqual({ status: 0, text: "intact: 12 entries of 3 runs" });
});

test("an empty ledger is intact", verifies("G12"), async () => {
  const file = join(folder, "empty.db");
  await (await openSqliteLedger(file, { clock: createSettableClock() })).close();
  expect(await verifyFile(file)).toEqual({ kind: "intact", entries: 0, runs: 0 });
  expect(runTool(file)).toEqual({ status: 0, text: "intact: 0 entries of 0 runs" });
});

/** An entry made of another one, at a place of its own. */
function toInsertion(lsn: number, seq: number, at: string): string {
  return `insert into entry(lsn, run, seq, kind, key, at, version, body, hash)
    select ${lsn}, run, ${seq}, kind, key, ${at}, version, body, hash from entry where lsn = 7;`;
}

const planted: readonly { readonly name: string; readonly sql: string; readonly lsn: number }[] = [
  { name: "a body", sql: "update entry set body = replace(body, 'two', 'TWO') where lsn = 8", lsn: 8 },
  { name: "a body that is no JSON", sql: "update entry set body = '{' where lsn = 8", lsn: 8 },
  { name: "a body that is no text", sql: "update entry set body = x'00' where lsn = 8", lsn: 8 },
  { name: "a kind", sql: "update entry set kind = 'step-failed' where lsn = 5", lsn: 5 },
  { name: "a kind that does not exist", sql: "update entry set kind = 'nonsense' where lsn = 5", lsn: 5 },
  { name: "a key", sql: "update entry set key = '/other' where lsn = 6", lsn: 6 },
  { name: "a time", sql: "update entry set at = at + 1 where lsn = 12", lsn: 12 },
  { name: "a time before its predecessor's", sql: "update entry set at = 1000 where lsn = 9", lsn: 9 },
  { name: "a version", sql: "update entry set version = 0 where lsn = 9", lsn: 9 },
  { name: "a hash", sql: "update entry set hash = zeroblob(32) where lsn = 10", lsn: 10 },
  { name: "the run it belongs to", sql: "update entry set run = 3, seq = 5 where lsn = 11", lsn: 11 },
  { name: "a run's name", sql: "update run set name = 'other' where name = 'b'", lsn: 2 },
  { name: "a run's removal", sql: "delete from run where name = 'b'", lsn: 2 },
  {
    name: "the order of two runs' entries",
    sql: "update entry set lsn = -lsn where lsn in (4, 5); update entry set lsn = lsn + 9 where lsn < 0",
    lsn: 4,
  },
  {
    name: "the order of a run's entries",
    sql: "update entry set seq = -seq where lsn in (4, 7); update entry set seq = 5 + seq where seq < 0",
    lsn: 4,
  },
  { name: "a deletion", sql: "delete from entry where lsn = 7", lsn: 8 },
  { name: "a run's last entry deleted", sql: "delete from entry where lsn = 10", lsn: 11 },
  {
    name: "a deletion with the rest moved up",
    sql: `delete from entry where lsn = 7; update entry set lsn = lsn - 1 where lsn > 7;
      update entry set seq = 3 where run = 1 and seq = 4`,
    lsn: 7,
  },
  { name: "an insertion at the end", sql: toInsertion(13, 5, "2000"), lsn: 13 },
  { name: "an insertion out of its run's order", sql: toInsertion(13, 9, "2000"), lsn: 13 },
  {
    name: "an insertion with the rest moved down",
    sql: `update entry set lsn = -lsn where lsn > 7; update entry set lsn = 1 - lsn where lsn < 0;
      update entry set seq = 5 where run = 1 and seq = 4; ${toInsertion(8, 4, "at")}`,
    lsn: 8,
  },
  { name: "a blob's content", sql: "update blob set content = 'LARGE b' where content = 'large b'", lsn: 11 },
  { name: "a blob's removal", sql: "delete from blob where content = 'large c'", lsn: 12 },
];

test.for(planted)("$name, changed by hand, is found by both verifiers", verifies("G12"), async ({ sql, lsn }) => {
  const file = await plant(sql);
  expect(await verifyFile(file)).toMatchObject({ kind: "broken", lsn });
  const { status, text } = runTool(file);
  expect([status, text]).toEqual([1, expect.stringContaining(`broken: entry ${lsn} `)]);
});

test("an erased body leaves the chain whole for the independent verifier", verifies("G12"), async () => {
  const database = new DatabaseSync(join(folder, "whole.db"), { readOnly: true });
  const body = String(database.prepare("select body from entry where lsn = 8").get()?.["body"]);
  database.close();
  const digest = sha256(body);
  const file = await plant(`update entry set body = null, digest = x'${digest}' where lsn = 8`);
  expect(runTool(file).status).toBe(0);
  const forged = await plant(`update entry set body = '{"out":1}', digest = x'${digest}' where lsn = 8`);
  expect(runTool(forged)).toMatchObject({ status: 1 });
});

test("the independent verifier says what it can't read, and how it is used", verifies("G12"), () => {
  expect(runTool(join(folder, "missing.db"))).toMatchObject({
    status: 1,
    text: expect.stringContaining("broken: the file can't be read"),
  });
  expect(runTool()).toMatchObject({ status: 1, text: expect.stringContaining("usage:") });
});

test("the independent verifier uses nothing of ours", verifies("G12"), async () => {
  const imports = (await readFile(tool, "utf8")).matchAll(/^import .* from "([^"]+)";$/gm);
  expect([...imports].map((match) => match[1])).toEqual(["node:crypto", "node:sqlite"]);
});
