// A process that writes to a ledger and says on standard output what was acknowledged; it is killed, or its system calls are traced.
import { writeSync } from "node:fs";

import { systemClock } from "../../packages/tutti/src/base/clock.ts";
import { type EffectKey, toEffectKey, toRunId, toStepKey } from "../../packages/tutti/src/contracts/ids.ts";
import type { Durability, Ledger, NewEntry, RunLog } from "../../packages/tutti/src/ledger/ledger.ts";
import { openSqliteLedger } from "../../packages/tutti/src/ledger/sqlite/sqlite-ledger.ts";
import { toStep, toStepWithBlob } from "./entries.ts";

/** Three runs in parallel: enough for shared commits, few enough for every system call to matter. */
const runs = 3;
/** Small enough that even a short life sees the -wal file checkpointed and written from its start again. */
const walLimits = { idlePages: 20, forcedPages: 60 } as const;

const [file, durability, steps, session] = process.argv.slice(2);
if (file === undefined || session === undefined)
  throw new Error("usage: writer.ts <file> <durability> <steps> <session>");
await write(file, durability === "process" ? "process" : "power");

async function write(path: string, kept: Durability): Promise<void> {
  const ledger = await openSqliteLedger(path, { clock: systemClock, durability: kept, walLimits });
  await Promise.all(Array.from({ length: runs }, (_, index) => writeRun(ledger, `run-${session}-${index}`)));
  // A process that is killed never gets here; one that is traced closes in good order, and the next session opens again.
  await ledger.close();
  acknowledge("closed");
}

async function writeRun(ledger: Ledger, id: string): Promise<void> {
  const run = toRunId(id);
  const started = await ledger.start({
    id: run,
    flow: "writer",
    version: "1",
    body: '{"flow":"writer","version":"1"}',
  });
  if (started.kind === "exists") throw new Error(`each session has runs of its own; ${id} exists`);
  acknowledge(`${id} 1`);
  let { log } = started.claim;
  for (let step = 0; step < Number(steps); step++) {
    if (step % 7 === 6) {
      // Another driver takes over while entries are on their way: their commit then comes during a sync.
      const pending = append(log, toStep(`${step}-before`));
      ({ log } = await ledger.claim(run));
      await pending;
    } else if (step % 5 === 4) await writeEffect(log, toEffectKey(`${id}:${step}`));
    else await append(log, step % 3 === 2 ? toStepWithBlob(step) : toStep(`${step}`));
    if (step % 4 === 3) log.mark("waiting", step);
  }
}

async function writeEffect(log: RunLog, key: EffectKey): Promise<void> {
  const step = `/effect/${key}`;
  const effect = { key, step: toStepKey(step), tool: "page.publish", class: "once", digest: "d" } as const;
  const body = JSON.stringify({ effect: key, tool: "page.publish", class: "once", digest: "d" });
  await append(log, { kind: "effect-intended", key: step, body, effect: { kind: "intend", effect } });
  const settled = JSON.stringify({ effect: key, by: "tool" });
  await append(log, {
    kind: "effect-settled",
    key: step,
    body: settled,
    effect: { kind: "change", key, state: "settled" },
  });
}

async function append(log: RunLog, entry: NewEntry): Promise<void> {
  const appended = await log.append(entry);
  if (appended.kind === "recorded") acknowledge(`${log.run} ${appended.seq}`);
}

// Written at once and by itself, so that in a trace it stands where it happened.
function acknowledge(what: string): void {
  writeSync(1, `${what}\n`);
}
