import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { Assignment } from "./assignment.ts";
import { executionLog } from "./cells/crash.ts";
import { median, type Measures } from "./numbers.ts";
import { spawnCell, type CellProcess, type Spawned } from "./spawn-cell.ts";
import { inFolder, type Turn } from "./turn.ts";
import { openChance } from "./work.ts";

/** Kills a process at a chosen step and a random moment, lets another finish, and compares what was executed. Many times. */
export async function measureCrashes(turn: Turn): Promise<Spawned> {
  const trials = turn.options.repeats ?? 10;
  const sum = { crashes: 0, againAcknowledged: 0, againFinished: 0, lost: 0, stuck: 0 };
  const finishMs: number[] = [];
  const seed = Date.now() % 1_000_000;
  let why = "";
  for (let trial = 0; trial < trials; trial++) {
    const ended = await inFolder(turn, (folder) => crashOnce(turn, folder, seed + trial));
    if (ended.kind === "failed") {
      sum.stuck++;
      why = ended.why;
      continue;
    }
    for (const name of ["crashes", "againAcknowledged", "againFinished", "lost"] as const) {
      sum[name] += ended.measures[name] ?? 0;
    }
    finishMs.push(ended.measures["ms"] ?? Number.NaN);
  }
  if (sum.stuck === trials) return { kind: "failed", why };
  if (why !== "") process.stderr.write(`${turn.entrant.name}: a run did not finish: ${why}\n`);
  return { kind: "measured", measures: { ...sum, finishMs: median(finishMs) } };
}

async function crashOnce({ entrant, options, limitMs }: Turn, folder: string, trial: number): Promise<Spawned> {
  const assignment = { contestant: entrant.name, folder, options: { ...options, trial } };
  const log = join(folder, executionLog);
  const isKilled = await killWithin(
    spawnCell({ ...assignment, cell: "crash-run" }, { limitMs }),
    assignment.options,
    log,
  );
  const executedBefore = readLog(log);
  const ended = await spawnCell({ ...assignment, cell: "crash-finish" }, { limitMs }).ended;
  if (ended.kind === "failed") return ended;
  const counted = compare(executedBefore, readLog(log), options.count);
  return { kind: "measured", measures: { ...ended.measures, ...counted, crashes: isKilled ? 1 : 0 } };
}

const pauseMsMax = 3;

/** Kills when a random part of the steps was executed. False when the run was over before. */
async function killWithin(
  { child, ended }: CellProcess,
  options: Assignment["options"],
  log: string,
): Promise<boolean> {
  const { count, trial = 0, delayMsMax = 0 } = options;
  const chance = openChance(trial);
  const part = 0.05 + 0.85 * chance();
  const finished = Math.floor(part * count);
  while (isAlive(child) && readLog(log).finished.length < finished) {
    // Steps that take no time are over before a timer fires.
    await new Promise((resolve) => (delayMsMax === 0 ? setImmediate(resolve) : setTimeout(resolve, 1)));
  }
  if (delayMsMax > 0) await new Promise((resolve) => setTimeout(resolve, pauseMsMax * chance()));
  child.kill("SIGKILL");
  return (await ended).kind === "failed";
}

function isAlive({ exitCode, signalCode }: CellProcess["child"]): boolean {
  return exitCode === null && signalCode === null;
}

interface Executed {
  readonly started: readonly number[];
  readonly finished: readonly number[];
  readonly acknowledged: ReadonlySet<number>;
}

function readLog(file: string): Executed {
  if (!existsSync(file)) return { started: [], finished: [], acknowledged: new Set() };
  const lines = readFileSync(file, "utf8").split("\n");
  const read = (mark: string): number[] =>
    lines.filter((line) => line.startsWith(`${mark} `)).map((line) => Number(line.slice(mark.length + 1)));
  return { started: read("started"), finished: read("finished"), acknowledged: new Set(read("acknowledged")) };
}

/** What was executed again after the kill, and what never was. */
function compare(before: Executed, after: Executed, count: number): Measures {
  const startedLater = after.started.slice(before.started.length);
  const finishedBefore = new Set(before.finished);
  const finished = new Set(after.finished);
  return {
    // Where the code that gets a result is not ours to write, nobody can say.
    againAcknowledged:
      after.acknowledged.size === 0
        ? Number.NaN
        : startedLater.filter((index) => before.acknowledged.has(index)).length,
    againFinished: startedLater.filter((index) => finishedBefore.has(index)).length,
    lost: Array.from({ length: count }, (_, index) => index).filter((index) => !finished.has(index)).length,
  };
}
