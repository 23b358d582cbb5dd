import { openEngine, type Stage } from "../assignment.ts";
import type { Engine } from "../contestant.ts";
import { median, quantile, type Measures } from "../numbers.ts";
import { openWork } from "../work.ts";

type Waiting = Engine & Required<Pick<Engine, "park" | "signal">>;

const idleMs = 5;
const settleMs = 50;
const answerLimitMs = 5_000;

/** From a person's answer to the code behind the wait; and how often the same answer, delivered twice, acts. */
export async function measureSignal(stage: Stage): Promise<Measures> {
  const { count, warmUps = 20, repeats = 20 } = stage.options;
  const work = openWork();
  const engine = toWaiting(await openEngine(stage, work), stage.contestant);
  const ms: number[] = [];
  for (let at = -warmUps; at < count; at++) {
    const id = `signal-${at}`;
    await engine.park(id);
    await pause(idleMs);
    const continued = work.whenContinued(id);
    const from = performance.now();
    const over = engine.signal(id, "answer");
    const goesOn = await continued;
    await over;
    if (at >= 0) ms.push(goesOn - from);
  }
  let actedTwice = 0;
  let actedNever = 0;
  for (let at = 0; at < repeats; at++) {
    const id = `twice-${at}`;
    await engine.park(id);
    await pause(settleMs);
    const executed = work.executed();
    await Promise.allSettled([within(engine.signal(id, "answer")), within(engine.signal(id, "answer"))]);
    await pause(settleMs);
    const acted = work.executed() - executed;
    if (acted > 1) actedTwice++;
    if (acted === 0) actedNever++;
  }
  await engine.close();
  return { ms: median(ms), ms95: quantile(ms, 0.95), actedTwice, actedNever };
}

/** Leaves runs that wait for a person, for a process that comes later. This one is killed. */
export async function leaveWaiting(stage: Stage): Promise<Measures> {
  const { count } = stage.options;
  const engine = toWaiting(await openEngine(stage, openWork(), true), stage.contestant);
  const from = performance.now();
  for (const ids of toWaves(count)) await Promise.all(ids.map((id) => engine.park(id)));
  return { ms: performance.now() - from, kbPerRun: ((await engine.bytes?.()) ?? Number.NaN) / count / 1024 };
}

/**
 * A fresh process takes up what waits; all answers come at once. Counts as where the target was set: from the import of the contestant on,
 * without the start of Node, which is shown beside it.
 */
export async function measureReturn(stage: Stage): Promise<Measures> {
  const { count } = stage.options;
  const work = openWork();
  const bootMs = performance.nodeTiming.bootstrapComplete;
  const engine = toWaiting(await openEngine(stage, work, true), stage.contestant);
  await engine.recover?.();
  const readyAt = performance.now();
  const ids = toWaves(count).flat();
  const over = ids.map((id) => engine.signal(id, "answer"));
  await Promise.all(ids.map((id) => work.whenContinued(id)));
  const allAt = performance.now();
  await Promise.allSettled(over.map((each) => within(each)));
  await engine.close();
  return {
    ms: allAt - stage.loadedFromMs,
    bootMs,
    readyMs: readyAt - stage.loadedFromMs,
    signalsMs: allAt - readyAt,
    rssMb: process.resourceUsage().maxRSS / 1024,
  };
}

const waveRuns = 50;

function toWaves(count: number): readonly (readonly string[])[] {
  const ids = Array.from({ length: count }, (_, index) => `waiting-${index}`);
  return Array.from({ length: Math.ceil(count / waveRuns) }, (_, at) => ids.slice(at * waveRuns, (at + 1) * waveRuns));
}

function toWaiting(engine: Engine, name: string): Waiting {
  const { park, signal } = engine;
  if (park === undefined || signal === undefined) throw new Error(`${name} can't wait for people`);
  return { ...engine, park, signal };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function within(answer: Promise<unknown>): Promise<void> {
  await Promise.race([answer, pause(answerLimitMs)]);
}
