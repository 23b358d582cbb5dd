import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

import { toOpening, type Stage } from "../assignment.ts";
import { median, type Measures } from "../numbers.ts";
import { openWork } from "../work.ts";

/**
 * An agent whose model and tool answer at once: what is left is the framework. A turn is a question to the model and, but for the last, a
 * call of the tool; time is counted for each question, as where the target was set.
 */
export async function measureAgent(stage: Stage): Promise<Measures> {
  const { count: turns, repeats = 15, warmUps = 10 } = stage.options;
  if (stage.adapter.openAgent === undefined) throw new Error(`${stage.contestant} has no agents`);
  const agent = await stage.adapter.openAgent(toOpening(stage, openWork()), turns);
  const ms: number[] = [];
  for (let at = -warmUps; at < repeats; at++) {
    const from = performance.now();
    const { modelCalls, toolCalls } = await agent.run(`agent-${at}`);
    const perTurn = (performance.now() - from) / (turns + 1);
    if (modelCalls !== turns + 1 || toolCalls !== turns)
      throw new Error(`${modelCalls} model and ${toolCalls} tool calls`);
    if (at >= 0) ms.push(perTurn);
  }
  const syncMs = measureSync(stage.folder);
  await agent.close();
  return { ms: median(ms), syncMs };
}

const syncs = 200;
// What one step leaves in SQLite's write-ahead log: three pages.
const syncBytes = 3 * 4096;

/** What the disk takes for the sync of one step, measured beside the agent and in the same process. */
export function measureSync(folder: string): number {
  const file = openSync(join(folder, "sync-probe"), "a");
  const page = Buffer.alloc(syncBytes, "p");
  const ms = Array.from({ length: syncs }, () => {
    const from = performance.now();
    writeSync(file, page);
    fdatasyncSync(file);
    return performance.now() - from;
  });
  closeSync(file);
  return median(ms);
}
