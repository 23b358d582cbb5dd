// A process that drives runs until it is killed, or until all are over. It says on standard output what was done and acknowledged.
import { writeSync } from "node:fs";

import { isTuttiError } from "../../packages/tutti/src/base/errors.ts";
import { openStatuses } from "../../packages/tutti/src/contracts/run-record.ts";
import { openTutti } from "../../packages/tutti/src/engine/open-tutti.ts";
import type { RunHandle, Tutti } from "../../packages/tutti/src/engine/tutti.ts";
import { openChance } from "../crash/tick-clock.ts";
import { delay } from "./delay.ts";
import { toSoakFlows, type SoakFlows } from "./flows.ts";
import { openRecorderClient, type RecorderClient } from "./recorder-client.ts";
import { toSoakTools } from "./tools.ts";

const openRunsMax = 14;
const turnMs = 12;
/** Turns without a new entry after which the rest is taken to be stuck: half a minute. */
const idleTurnsMax = 2_500;

const [file, port, life, seed, mode] = process.argv.slice(2);
if (file === undefined || mode === undefined)
  throw new Error("usage: worker.ts <file> <port> <life> <seed> start|finish");
// Whoever started this process is gone.
process.stdin.on("end", () => process.exit(1)).resume();
const chance = openChance(Number(seed));
let entries = 0;
let started = 0;
await work(file);

async function work(ledger: string): Promise<void> {
  const recorder = openRecorderClient(Number(port));
  const tools = toSoakTools(recorder);
  const flows = toSoakFlows({ tools, onRan: (run, step) => say("ran", run, step) });
  const tutti = await openTutti(
    {
      flows: flows.all,
      tools: Object.values(tools),
      ledger,
      chance,
      onActivity(activity) {
        if (activity.kind !== "entry") return;
        const { entry } = activity;
        entries++;
        say("entry", entry.lsn, entry.hash, entry.kind, entry.run, entry.key);
      },
    },
    { evictAfterMs: 8 },
  );
  say("opened");
  if (mode === "finish") await finish(tutti, recorder);
  else for (let turn = 0; ; turn++) await takeTurn(tutti, { recorder, flows, turn });
}

async function finish(tutti: Tutti, recorder: RecorderClient): Promise<void> {
  let idleTurns = 0;
  for (let seen = entries; idleTurns < idleTurnsMax; seen = entries) {
    const open = await tutti.runs({ statuses: openStatuses });
    if (open.length === 0) break;
    await actAsPerson(tutti, recorder, 1);
    await delay(turnMs);
    idleTurns = entries === seen ? idleTurns + 1 : 0;
  }
  await tutti.close();
  say("closed");
  process.exit(0);
}

async function takeTurn(
  tutti: Tutti,
  parts: { readonly recorder: RecorderClient; readonly flows: SoakFlows; readonly turn: number },
): Promise<void> {
  const open = await tutti.runs({ statuses: openStatuses });
  for (let count = open.length; count < openRunsMax; count++) await startRun(tutti, parts.flows);
  await actAsPerson(tutti, parts.recorder, 0.5);
  await delay(turnMs);
}

async function startRun(tutti: Tutti, flows: SoakFlows): Promise<void> {
  const number = Number(life) * 1_000 + started++;
  const flow = flows.started[number % flows.started.length];
  if (flow === undefined) return;
  const plan = chance() < 0.2 ? "failed" : chance() < 0.1 ? "any" : "done";
  // The id says how the run has to end.
  const id = `${flow.name}-${number}-${plan}`;
  const handle = await tutti.start(flow, { number, fails: plan === "failed" }, { id });
  say("started", id);
  handle.result().then(
    (output) => say("result", id, JSON.stringify(output)),
    (error: unknown) => {
      if (!isTuttiError(error)) throw error; // it failed or was cancelled: the ledger says how
    },
  );
}

/** Settles what is in doubt after asking the recorder, approves what waits, cancels what is to be cancelled. */
async function actAsPerson(tutti: Tutti, recorder: RecorderClient, share: number): Promise<void> {
  const by = "a person";
  for (const { key } of await tutti.inDoubt()) {
    if (chance() >= share) continue;
    const output = await recorder.receipt(key);
    await tutti
      .settle(key, output === undefined ? { kind: "not-done", by } : { kind: "done", output, by })
      .catch(expectOver);
  }
  for (const run of await tutti.runs({ statuses: openStatuses })) {
    if (run.parent !== undefined || chance() >= share) continue;
    const handle = await tutti.open(run.id);
    if (run.flow === "approval") await signal(handle);
    if (run.id.endsWith("-any")) await handle.cancel("cancelled as planned").catch(expectOver);
  }
}

// Sent in every turn of every life: twice the same id is one signal.
async function signal(handle: RunHandle): Promise<void> {
  await handle.signal("go", Number(handle.id.split("-")[1]), { id: "go" }).catch(expectOver);
}

/** It was settled, or it ended, since it was listed. */
function expectOver(error: unknown): void {
  if (isTuttiError(error) && (error.code === "RUN_OVER" || error.code === "EFFECT_UNKNOWN")) return;
  say("trouble", isTuttiError(error) ? `${error.code} ${error.message}` : String(error));
}

// Written at once and by itself: what was said before a kill was said.
function say(...words: readonly (string | number)[]): void {
  writeSync(1, `${words.join(" ")}\n`);
}
