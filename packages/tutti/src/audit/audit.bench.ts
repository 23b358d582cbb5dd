/** What signing, checking and exporting cost: `node scripts/run.mjs packages/tutti/src/audit/audit.bench.ts`. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { systemClock } from "../base/clock.ts";
import { toRunId } from "../contracts/ids.ts";
import type { NewEntry } from "../ledger/ledger.ts";
import { sealBody } from "../ledger/personal/sealed-body.ts";
import { openSqliteLedger } from "../ledger/sqlite/sqlite-ledger.ts";
import { toAuditFolder } from "./audit-file.ts";
import { exportEvidence } from "./export-evidence.ts";
import { takeCheckpoint } from "./take-checkpoint.ts";
import { readOwnNotes, verifyAudit } from "./verify-audit.ts";

const runs = 200;
const steps = 250;
const rounds = 3;
const entry: NewEntry = { kind: "step-done", key: "/step", body: JSON.stringify({ out: "x".repeat(700) }) };
const base = mkdtempSync(join(tmpdir(), "tutti-audit-bench-"));
const file = join(base, "ledger.db");
const folder = toAuditFolder(file);
const { signal } = new AbortController();

async function quickest(what: string, count: number, work: () => Promise<unknown>): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const from = performance.now();
    await work();
    times.push(performance.now() - from);
  }
  const ms = Math.min(...times);
  process.stdout.write(`${what}: ${ms.toFixed(1)} ms, ${((ms * 1_000) / count).toFixed(2)} µs each of ${count}\n`);
}

try {
  const ledger = await openSqliteLedger(file, { clock: systemClock, durability: "process" });
  for (let run = 0; run < runs; run++) {
    const id = toRunId(`run-${run}`);
    const outcome = await ledger.start({ id, flow: "f", version: "1", body: `{"flow":"f","version":"1"}` });
    if (outcome.kind === "exists") throw new Error("the folder was new");
    await Promise.all(Array.from({ length: steps - 1 }, () => outcome.claim.log.append(entry)));
  }
  const count = runs * steps;
  await quickest("take everything in and sign it", count, async () => {
    rmSync(folder, { recursive: true, force: true });
    await takeCheckpoint({ ledger, folder, anchors: [], signal });
  });
  await quickest("look again, with nothing new", 1, () => takeCheckpoint({ ledger, folder, anchors: [], signal }));
  await quickest("verify", count, () => verifyAudit(ledger, readOwnNotes(folder), []));
  let bytes = 0;
  await quickest(`evidence of a run of ${steps} entries`, count, async () => {
    bytes = (await exportEvidence({ ledger, folder, run: toRunId("run-7"), anchors: [], signal })).length;
  });
  process.stdout.write(`evidence: ${Math.round(bytes / steps)} bytes an entry of ${entry.body.length}\n`);
  const key = { id: "0123456789abcdef", key: Buffer.alloc(32, 1) };
  await quickest("seal a body", 10_000, async () => {
    for (let at = 0; at < 10_000; at++) sealBody(entry.body, key);
  });
  await ledger.close();
} finally {
  rmSync(base, { recursive: true, force: true });
}
