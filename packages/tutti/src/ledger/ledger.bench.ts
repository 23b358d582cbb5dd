// What the ledger costs: node scripts/run.mjs packages/tutti/src/ledger/ledger.bench.ts
// Rounds are interleaved; each line gives the quickest round, the median, and the processor's time in the quickest.
// The bare loop is what SQLite and the disk take without a ledger.
import { fdatasync, openSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { systemClock } from "../base/clock.ts";
import { toRunId } from "../contracts/ids.ts";
import type { Ledger, NewEntry, RunLog } from "./ledger.ts";
import { openMemoryLedger } from "./memory/memory-ledger.ts";
import { openSqliteLedger } from "./sqlite/sqlite-ledger.ts";

const rounds = 9;
const logCount = 500;
const rowsPerRound = 5_000;
const appendsPerRound = 200;

const folder = await mkdtemp(join(tmpdir(), "tutti-bench-"));
try {
  for (const payload of [250, 1_000]) await measure(payload);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measure(payload: number): Promise<void> {
  const entry: NewEntry = { kind: "step-done", key: "/research/market/search#2", body: toBody(payload) };
  const ledgers = {
    memory: openMemoryLedger({ clock: systemClock }),
    power: await openSqliteLedger(join(folder, `power-${payload}.db`), { clock: systemClock }),
    process: await openSqliteLedger(join(folder, `process-${payload}.db`), {
      clock: systemClock,
      durability: "process",
    }),
  };
  const logs = {
    memory: await startLogs(ledgers.memory),
    power: await startLogs(ledgers.power),
    process: await startLogs(ledgers.process),
  };
  const bare = openBareLoop(join(folder, `bare-${payload}.db`), payload);
  const samples: Record<string, Sample[]> = {};
  const sample = async (name: string, work: () => Promise<void>, count: number): Promise<void> => {
    const startedAt = performance.now();
    const processor = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(processor);
    const elapsed = (performance.now() - startedAt) * 1_000;
    (samples[name] ??= []).push({ elapsed: elapsed / count, processor: (user + system) / count });
  };
  for (let round = 0; round < rounds; round++) {
    for (const name of ["memory", "process", "power"] as const) {
      await sample(`${name}: batches of ${logCount}`, () => appendBatches(logs[name], entry), rowsPerRound);
    }
    await sample("bare insert + fdatasync, one by one", bare, appendsPerRound);
    const [first] = logs.power;
    if (first !== undefined) await sample("power: one by one", () => appendOneByOne(first, entry), appendsPerRound);
  }
  const claimed = performance.now();
  const { entries } = await ledgers.power.claim(toRunId("run-0"));
  const perEntry = ((performance.now() - claimed) * 1_000) / entries.length;
  for (const ledger of Object.values(ledgers)) await ledger.close();
  const rows = logCount + rounds * (rowsPerRound + appendsPerRound);
  say(`payload of ${payload} bytes`);
  say(`  ${"microseconds per entry".padEnd(40)}     least  median  processor`);
  for (const [name, values] of Object.entries(samples)) say(`  ${name.padEnd(40)} ${toFigures(values)}`);
  say(`  claim, per entry of the run               ${perEntry.toFixed(2)} us`);
  say(
    `  on disk                                   ${Math.round(statSync(join(folder, `power-${payload}.db`)).size / rows)} bytes per entry`,
  );
}

function toBody(payload: number): string {
  return JSON.stringify({ out: "x".repeat(payload) });
}

async function startLogs(ledger: Ledger): Promise<readonly RunLog[]> {
  const ids = Array.from({ length: logCount }, (_, index) => toRunId(`run-${index}`));
  const run = { flow: "f", version: "1", body: '{"flow":"f","version":"1"}' } as const;
  const outcomes = await Promise.all(ids.map((id) => ledger.start({ id, ...run })));
  return outcomes.flatMap((outcome) => (outcome.kind === "started" ? [outcome.claim.log] : []));
}

async function appendBatches(logs: readonly RunLog[], entry: NewEntry): Promise<void> {
  for (let row = 0; row < rowsPerRound; row += logCount) await Promise.all(logs.map((log) => log.append(entry)));
}

async function appendOneByOne(log: RunLog, entry: NewEntry): Promise<void> {
  for (let row = 0; row < appendsPerRound; row++) await log.append(entry);
}

/** One row, one commit, one fdatasync, and the next: nothing durable can be quicker one by one. */
function openBareLoop(file: string, payload: number): () => Promise<void> {
  const database = new DatabaseSync(file);
  database.exec("pragma journal_mode = wal; pragma synchronous = normal; pragma wal_autocheckpoint = 0");
  database.exec(
    "create table entry(lsn integer primary key, run integer, seq integer, kind text, key text, at integer, body text, hash blob)",
  );
  database.exec("create unique index entry_by_run on entry(run, seq)");
  const insert = database.prepare(
    "insert into entry(run, seq, kind, key, at, body, hash) values (1, ?, ?, ?, ?, ?, ?)",
  );
  const descriptor = openSync(`${file}-wal`, "r+");
  const hash = Buffer.alloc(32, 7);
  const body = toBody(payload);
  let seq = 0;
  return async () => {
    for (let row = 0; row < appendsPerRound; row++) {
      seq += 1;
      insert.run(seq, "step-done", "/research/market/search#2", 1_700_000_000_000, body, hash);
      await new Promise<void>((resolve, reject) => {
        fdatasync(descriptor, (error) => (error === null ? resolve() : reject(error)));
      });
    }
  };
}

interface Sample {
  readonly elapsed: number;
  readonly processor: number;
}

function toFigures(samples: readonly Sample[]): string {
  const sorted = samples.toSorted((left, right) => left.elapsed - right.elapsed);
  const [least] = sorted;
  const median = sorted[Math.floor(sorted.length / 2)];
  const figures = [least?.elapsed, median?.elapsed, least?.processor];
  return figures.map((figure) => (figure ?? Number.NaN).toFixed(2).padStart(8)).join(" ");
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
