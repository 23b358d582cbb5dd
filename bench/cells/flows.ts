import { openEngine, type Stage } from "../assignment.ts";
import type { Job } from "../contestant.ts";
import { median, type Measures } from "../numbers.ts";
import { openWork, type CountedWork } from "../work.ts";

/** One run of steps in a row. */
export async function measureChain(stage: Stage): Promise<Measures> {
  const { count, repeats = 3, warmUps = 2 } = stage.options;
  const work = openWork();
  const engine = await openEngine(stage, work);
  for (let at = 0; at < warmUps; at++) await engine.chain({ id: `warm-${at}`, count });
  const ms: number[] = [];
  const cpuMs: number[] = [];
  for (let at = 0; at < repeats; at++) {
    const timed = await timeJob(work, { id: `chain-${at}`, count }, engine.chain);
    ms.push(timed.ms / count);
    cpuMs.push(timed.cpuMs / count);
  }
  await engine.close();
  return { ms: median(ms), cpuMs: median(cpuMs) };
}

/** One run of parallel steps, joined. */
export async function measureFanOut(stage: Stage): Promise<Measures> {
  const { count, repeats = 3, warmUps = 3 } = stage.options;
  const work = openWork();
  const engine = await openEngine(stage, work);
  const { fanOut } = engine;
  if (fanOut === undefined) throw new Error(`${stage.contestant} has no parallel steps`);
  for (let at = 0; at < warmUps; at++) await fanOut({ id: `warm-${at}`, count });
  const ms: number[] = [];
  for (let at = 0; at < repeats; at++) ms.push((await timeJob(work, { id: `fan-out-${at}`, count }, fanOut)).ms);
  await engine.close();
  return { ms: median(ms) };
}

interface Timed {
  readonly ms: number;
  readonly cpuMs: number;
}

async function timeJob(work: CountedWork, job: Job, run: (job: Job) => Promise<unknown>): Promise<Timed> {
  const executed = work.executed();
  const usage = process.cpuUsage();
  const from = performance.now();
  await run(job);
  const ms = performance.now() - from;
  const { user, system } = process.cpuUsage(usage);
  expectSteps(work.executed() - executed, job.count);
  return { ms, cpuMs: (user + system) / 1000 };
}

/** Many runs at once. */
export async function measureCrowd(stage: Stage): Promise<Measures> {
  const { count, runs = 500, repeats = 1, warmUps = 1 } = stage.options;
  const work = openWork();
  const engine = await openEngine(stage, work);
  const rates: number[] = [];
  for (let at = -warmUps; at < repeats; at++) {
    const executed = work.executed();
    const from = performance.now();
    await Promise.all(Array.from({ length: runs }, (_, run) => engine.chain({ id: `crowd-${at}-${run}`, count })));
    const seconds = (performance.now() - from) / 1000;
    expectSteps(work.executed() - executed, runs * count);
    if (at >= 0) rates.push((runs * count) / seconds);
  }
  const serverMb = engine.serverMb?.() ?? 0;
  const rssMb = process.resourceUsage().maxRSS / 1024;
  await engine.close();
  return { stepsPerSecond: median(rates), rssMb, serverMb };
}

function expectSteps(executed: number, expected: number): void {
  if (executed !== expected) throw new Error(`${executed} steps were executed, ${expected} were expected`);
}
