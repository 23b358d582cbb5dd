import { parseArgs } from "node:util";

import type { Assignment, CellBody, Stage } from "./assignment.ts";
import { measureAgent } from "./cells/agent.ts";
import { finishAfterKill, runUntilKilled } from "./cells/crash.ts";
import { measureChain, measureCrowd, measureFanOut } from "./cells/flows.ts";
import { measureGrowth } from "./cells/growth.ts";
import { leaveWaiting, measureReturn, measureSignal } from "./cells/people.ts";
import { findContestant, loadAdapter } from "./contestants.ts";
import { resultMark } from "./spawn-cell.ts";

// One cell of one contestant in a process of its own: `node bench/cell.ts '<assignment as JSON>'`.
const bodies: Readonly<Record<string, CellBody>> = {
  chain: measureChain,
  crowd: measureCrowd,
  "fan-out": measureFanOut,
  growth: measureGrowth,
  signal: measureSignal,
  wait: leaveWaiting,
  return: measureReturn,
  agent: measureAgent,
  "crash-run": runUntilKilled,
  "crash-finish": finishAfterKill,
};

const { positionals } = parseArgs({ allowPositionals: true });
const assignment: Assignment = JSON.parse(positionals[0] ?? "{}");
try {
  const body = bodies[assignment.cell];
  if (body === undefined) throw new Error(`there is no cell ${assignment.cell}`);
  const measures = await body(await prepare(assignment));
  process.stdout.write(`\n${resultMark}${JSON.stringify(measures)}\n`);
  // A killed process is what comes next for runs that were left waiting; everybody else is done.
  if (assignment.cell === "wait") setInterval(() => {}, 1000);
  else process.exit(0);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}

async function prepare(given: Assignment): Promise<Stage> {
  const entrant = findContestant(given.contestant);
  await entrant.load?.(); // an adapter in TypeScript is a part of the bench, which has no part in the time: what it adapts is imported when it is opened
  const loadedFromMs = performance.now();
  const adapter = await loadAdapter(entrant);
  return { ...given, entrant, adapter, loadedFromMs };
}
