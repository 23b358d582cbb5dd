/** A process that works on a board until nothing is left: `claimant.ts <ledger> <log>`. It may be killed at any time. */
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { z } from "zod";

import { systemClock } from "../../packages/tutti/src/base/clock.ts";
import { openSqliteLedger } from "../../packages/tutti/src/ledger/sqlite/sqlite-ledger.ts";
import { openBoard, type Lease } from "../../packages/tutti/src/teams/board.ts";

const [file = "", log = "", count = "0"] = process.argv.slice(2);
const ledger = await openSqliteLedger(file, { clock: systemClock, durability: "process" });
const board = await openBoard({ ledger, name: "kill", task: z.number(), output: z.number(), leaseMs: 100 });
for (let index = 0; index < Number(count); index++)
  await board.announce(`t${index}`, { does: "count numbers", task: index });
for (const name of ["ada", "ben", "cyd", "dov"]) board.join({ name, does: "counts numbers", capacity: 3 });
process.stdout.write("ready\n");

async function work(lease: Lease<number, number>): Promise<void> {
  await sleep(2);
  await lease.complete(lease.task * 2);
  appendFileSync(log, `${lease.id}\n`);
}

while (board.left > 0) {
  const leases = await board.assign();
  await Promise.all(leases.map(work));
  if (leases.length === 0) await sleep(10); // what a killed process held ends by itself
}
await ledger.close();
