import { openEngine, type Stage } from "../assignment.ts";
import { bytesWritten } from "../folder.ts";
import { median, type Measures } from "../numbers.ts";
import { openWork } from "../work.ts";

const warmUpCount = 20;
const parts = 10;

/** A long run with an output of some size per step: what it leaves on disk, and whether it slows down. */
export async function measureGrowth(stage: Stage): Promise<Measures> {
  const { count, outputBytes = 1024, warmUps = 10 } = stage.options;
  let times: number[] = [];
  const work = openWork({ outputBytes, onStep: () => times.push(performance.now()) });
  const engine = await openEngine(stage, work);
  for (let at = 0; at < warmUps; at++) await engine.chain({ id: `warm-${at}`, count: warmUpCount });
  times = [];
  const bytesBefore = (await engine.bytes?.()) ?? Number.NaN;
  const writtenBefore = bytesWritten();
  const from = performance.now();
  await engine.chain({ id: "growth", count });
  const ms = performance.now() - from;
  const written = bytesWritten() - writtenBefore;
  const bytes = ((await engine.bytes?.()) ?? Number.NaN) - bytesBefore;
  await engine.close();
  return {
    ms: ms / count,
    kbPerStep: bytes / count / 1024,
    kbWrittenPerStep: written / count / 1024,
    lastOverFirst: toTypicalMs(times, parts - 1) / toTypicalMs(times, 0),
    rssMb: process.resourceUsage().maxRSS / 1024,
  };
}

/** The median time between two steps in one part of the run: a hiccup of the machine does not count as growth. */
function toTypicalMs(times: readonly number[], part: number): number {
  const length = Math.floor(times.length / parts);
  const inside = times.slice(part * length, (part + 1) * length);
  return median(inside.slice(1).map((time, at) => time - (inside[at] ?? time)));
}
