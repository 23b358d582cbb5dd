import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, statSync, utimesSync } from "node:fs";
import { readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { expect, onTestFinished, test } from "vitest";

import {
  codeOf,
  createSettableClock,
  keysOf,
  startAndClaim,
  startLogs,
  toNewRun,
  toStep,
  toStepWithBlob,
} from "../../../../../test/ledger/ledger-fixture.ts";
import { useLedgerFolder } from "../../../../../test/ledger/ledger-folder.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { toRunId } from "../../contracts/ids.ts";
import { isJustOpened } from "./lock.ts";
import { openSqliteLedger } from "./sqlite-ledger.ts";

const here = useLedgerFolder();

const ledgerModule = new URL("./sqlite-ledger.ts", import.meta.url).href;
const clockModule = new URL("../../base/clock.ts", import.meta.url).href;

/** Another process that opens the ledger, says so, and stays. */
async function openElsewhere(path: string): Promise<ChildProcess> {
  const script = `
    const { openSqliteLedger } = await import(${JSON.stringify(ledgerModule)});
    const { systemClock } = await import(${JSON.stringify(clockModule)});
    await openSqliteLedger(${JSON.stringify(path)}, { clock: systemClock });
    process.stdout.write("open");
    setInterval(() => {}, 1_000);`;
  const child = spawn(process.execPath, ["--conditions=tutti-source", "--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  });
  await once(child.stdout, "data");
  return child;
}

test(
  "what was written is there when the file is opened again, and a run goes on where it was",
  verifies("D1"),
  async () => {
    const first = await here.open();
    const { log } = await startAndClaim(first, "run");
    await log.append(toStep("a", { status: "waiting", wakeAt: 9 }));
    await first.close();
    const second = await here.open();
    const claim = await second.claim(toRunId("run"));
    expect(claim.record).toMatchObject({ status: "waiting", wakeAt: 9, epoch: 2 });
    expect(await claim.log.append(toStep("b"))).toEqual({ kind: "recorded", seq: 3, lsn: 3 });
    expect(await keysOf(second, toRunId("run"))).toEqual(["/a", "/b"]);
  },
);

test("a closed ledger is one file and an empty lock here.file; missing folders are made", async () => {
  const deep = join(here.folder, "a", "b", "ledger.db");
  const ledger = await here.open(deep);
  await startAndClaim(ledger, "run");
  await ledger.close();
  expect((await readdir(join(here.folder, "a", "b"))).toSorted()).toEqual(["ledger.db", "ledger.db-lock"]);
});

test(
  "it can be seen that a process has just opened a ledger: it lives, and its note is new",
  verifies("X6"),
  async () => {
    const dateNote = (agoMs: number): void => {
      const at = (Date.now() - agoMs) / 1_000;
      utimesSync(`${here.file}-owner`, at, at);
    };
    expect(isJustOpened(here.file)).toBe(false);
    const child = await openElsewhere(here.file);
    dateNote(0);
    expect(isJustOpened(here.file)).toBe(true);
    for (const agoMs of [5_000, -3_600_000]) {
      dateNote(agoMs); // the second by a clock that was set back since
      expect(isJustOpened(here.file)).toBe(false);
    }
    child.kill("SIGKILL");
    await once(child, "exit");
    dateNote(0);
    expect(isJustOpened(here.file)).toBe(false);
  },
);

test("what a killed process committed is synced before anybody acts on it", verifies("D1"), async () => {
  const first = await here.open();
  const { log } = await startAndClaim(first, "run");
  await log.append(toStep("a"));
  const killed = join(here.folder, "killed.db");
  for (const ending of ["", "-wal"]) spawnSync("cp", [here.file + ending, killed + ending]);
  const points: string[] = [];
  const second = await here.open(killed, { fault: (point) => void points.push(point) });
  expect(points).toEqual(["sync"]);
  expect(await keysOf(second, toRunId("run"))).toEqual(["/a"]);
});

test("a claim counts even if nothing was written under it", async () => {
  const first = await here.open();
  await startAndClaim(first, "run");
  await first.close();
  const second = await here.open();
  expect((await second.claim(toRunId("run"))).log.epoch).toBe(2);
});

test("another program that writes to the file for a moment does not stop the ledger", async () => {
  const ledger = await here.open();
  const { log } = await startAndClaim(ledger, "run");
  const script = `
    const { DatabaseSync } = require("node:sqlite");
    const database = new DatabaseSync(${JSON.stringify(here.file)});
    database.exec("begin immediate");
    process.stdout.write("held");
    setTimeout(() => database.exec("rollback"), 300);`;
  const other = spawn(process.execPath, ["--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
  await once(other.stdout, "data");
  expect(await log.append(toStep("a"))).toEqual({ kind: "recorded", seq: 2, lsn: 2 });
  if (other.exitCode === null) await once(other, "exit");
});

test("a reader in the middle of its work does not keep a ledger from closing, nor loses it anything", async () => {
  const ledger = await here.open();
  const { log } = await startAndClaim(ledger, "run");
  const reader = new DatabaseSync(here.file, { readOnly: true });
  reader.exec("begin");
  reader.prepare("select count(*) from entry").get();
  await log.append(toStep("a"));
  await ledger.close();
  reader.close();
  expect(existsSync(`${here.file}-owner`)).toBe(true); // the -wal file is still needed
  const again = await here.open();
  expect(await keysOf(again, toRunId("run"))).toEqual(["/a"]);
});

test("a second engine is told which process holds the ledger, under whatever name", async () => {
  await here.open();
  await symlink(here.file, join(here.folder, "other-name.db"));
  for (const name of ["ledger.db", "other-name.db"]) {
    const second = openSqliteLedger(join(here.folder, name), { clock: createSettableClock() });
    await expect(second).rejects.toMatchObject({
      code: "LEDGER_BUSY",
      facts: { pid: process.pid },
      hint: expect.any(String),
    });
  }
});

test("the ledger is free as soon as its process is dead, and busy until then", verifies("D1"), async () => {
  const child = await openElsewhere(here.file);
  await expect(openSqliteLedger(here.file, { clock: createSettableClock() })).rejects.toMatchObject({
    code: "LEDGER_BUSY",
    facts: { pid: child.pid },
  });
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(existsSync(`${here.file}-owner`)).toBe(true); // left over, and not believed
  const ledger = await here.open();
  expect(await ledger.start(toNewRun("run"))).toMatchObject({ kind: "started", run: "run" });
});

test("a reader sees what an engine has committed, and can't write", verifies("D10"), async () => {
  const engine = await here.open();
  const reader = await here.open(here.file, { readOnly: true });
  const { log } = await startAndClaim(engine, "run");
  await log.append(toStep("a"));
  expect(await keysOf(reader, toRunId("run"))).toEqual(["/a"]);
  expect(await codeOf(reader.start(toNewRun("second")))).toBe("LEDGER_UNWRITABLE");
  expect(await codeOf(reader.claim(toRunId("run")))).toBe("LEDGER_UNWRITABLE");
  await reader.flush();
  await reader.close();
  await reader.close();
  expect(await codeOf(reader.read(toRunId("run")))).toBe("LEDGER_CLOSED");
  await log.append(toStep("b"));
});

test("a reader in another process does not keep the engine from writing or closing", async () => {
  const child = await openElsewhere(here.file);
  const reader = await here.open(here.file, { readOnly: true });
  expect(await reader.listRuns({})).toEqual([]);
  child.kill("SIGKILL");
  await once(child, "exit");
  const engine = await here.open();
  await startAndClaim(engine, "run");
  expect((await reader.listRuns({})).length).toBe(1);
  await engine.close();
  expect((await reader.listRuns({})).length).toBe(1);
});

test("a file that is left unfinished by a crash during creation is made anew", async () => {
  await writeFile(`${here.file}-new`, "half a file");
  const ledger = await here.open();
  await startAndClaim(ledger, "run");
  expect(existsSync(`${here.file}-new`)).toBe(false);
});

test("the -wal file is moved into the main file at idle, and under load before it grows without end", async () => {
  const wakes: (() => void)[] = [];
  const clock = { ...createSettableClock(), after: (_: number, wake: () => void) => (wakes.push(wake), () => {}) };
  const ledger = await here.open(here.file, { clock, walLimits: { idlePages: 50, forcedPages: 200 } });
  const logs = await startLogs(ledger, 4);
  let largest = 0;
  for (let index = 0; index < 400; index++) {
    await logs[index % 4]?.append(toStep(`s${index}`));
    largest = Math.max(largest, statSync(`${here.file}-wal`).size);
  }
  expect(largest).toBeGreaterThan(200 * 4_096);
  expect(largest).toBeLessThan(400 * 4_096);
  expect(wakes.length).toBeGreaterThan(0);
  const inMain = (): unknown => {
    // Only the main file: what is in the -wal file does not count.
    const database = new DatabaseSync(new URL(`file://${here.file}?immutable=1`), { readOnly: true });
    const row = database.prepare("select max(lsn) as lsn from entry").get();
    database.close();
    return row?.["lsn"];
  };
  expect(inMain()).toBeLessThan(404);
  for (let round = 0; round < 3; round++) for (const wake of wakes.splice(0)) wake();
  if (inMain() !== 404) {
    for (let index = 0; index < 32; index++) await logs[0]?.append(toStep(`t${index}`));
    for (let round = 0; round < 3; round++) for (const wake of wakes.splice(0)) wake();
  }
  expect(inMain()).toBeGreaterThanOrEqual(404);
});

test("a step with a payload of 1 KB takes at most 1.8 KB on disk", verifies("D14"), async () => {
  const ledger = await here.open();
  const logs = await startLogs(ledger, 20);
  const body = JSON.stringify({ out: "x".repeat(1_000) });
  for (let index = 0; index < 100; index++)
    await Promise.all(logs.map((log) => log.append({ ...toStep(`research/search#${index}`), body })));
  await ledger.close();
  expect(statSync(here.file).size / 2_000).toBeLessThan(1_800);
});

test("a value that appears in many entries is stored once", verifies("D14"), async () => {
  const ledger = await here.open();
  const { log } = await startAndClaim(ledger, "run");
  const entry = toStepWithBlob("a", "x".repeat(50_000));
  for (let index = 0; index < 50; index++) await log.append(entry);
  await ledger.close();
  expect(statSync(here.file).size).toBeLessThan(200_000);
});
