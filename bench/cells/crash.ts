import { join } from "node:path";

import { openEngine, type Stage } from "../assignment.ts";
import type { Job } from "../contestant.ts";
import type { Measures } from "../numbers.ts";
import { openChance, openWork, type CountedWork } from "../work.ts";

/** The file in a trial's folder that says what was executed. */
export const executionLog = "executions.log";

/** Runs until somebody kills this process. */
export async function runUntilKilled(stage: Stage): Promise<Measures> {
  const engine = await openEngine(stage, openTrial(stage), true);
  const { shape = "chain" } = stage.options;
  const run = shape === "chain" ? engine.chain : engine.fanOut;
  await run?.(toJob(stage));
  await engine.close();
  return { finished: 1 };
}

/** Goes on where the killed process stopped. */
export async function finishAfterKill(stage: Stage): Promise<Measures> {
  const from = performance.now();
  const engine = await openEngine(stage, openTrial(stage), true);
  await engine.resume?.(toJob(stage), stage.options.shape ?? "chain");
  const ms = performance.now() - from;
  await engine.close();
  return { finished: 1, ms };
}

function toJob({ options }: Stage): Job {
  return { id: `trial-${options.trial ?? 0}`, count: options.count };
}

function openTrial({ folder, options }: Stage): CountedWork {
  const { delayMsMax = 0, shape, trial = 0 } = options;
  const chance = openChance(trial + 1);
  const logFile = join(folder, executionLog);
  if (delayMsMax === 0) return openWork({ logFile });
  // Branches end in another order than they began; a chain's steps all take the same.
  const delayMs = shape === "fanOut" ? (): number => 1 + Math.floor(chance() * delayMsMax) : (): number => delayMsMax;
  return openWork({ logFile, delayMs });
}
