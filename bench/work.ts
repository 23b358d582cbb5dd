import { openSync, writeSync } from "node:fs";

import type { Work } from "./contestant.ts";

export interface WorkOptions {
  /** Length of each step's output; 0: the step's number. */
  readonly outputBytes?: number;
  /** Writes every execution to this file, for trials that kill the process. */
  readonly logFile?: string | undefined;
  /** How long step `index` takes; 0: no time. */
  readonly delayMs?: (index: number) => number;
  readonly onStep?: (index: number) => void;
}

export interface CountedWork extends Work {
  readonly executed: () => number;
  readonly hasContinued: (run: string) => boolean;
  /** Resolves with the time when the code after the run's signal began. */
  readonly whenContinued: (run: string) => Promise<number>;
}

export function openWork(options: WorkOptions = {}): CountedWork {
  const { outputBytes = 0, logFile, delayMs, onStep } = options;
  const log = logFile === undefined ? undefined : openSync(logFile, "a");
  const note = (mark: string, index: number): void => {
    if (log !== undefined) writeSync(log, `${mark} ${index}\n`);
  };
  const output = outputBytes === 0 ? toIndex : openOutputs(outputBytes);
  const continued = new Map<string, number>();
  const waiting = new Map<string, (at: number) => void>();
  let executed = 0;
  return {
    step(_run, index) {
      executed++;
      onStep?.(index);
      note("started", index);
      const ms = delayMs?.(index) ?? 0;
      if (ms > 0) return finishLater(ms, () => finish(index));
      return finish(index);
    },
    acknowledged: (_run, index) => note("acknowledged", index),
    continued(run) {
      const at = performance.now();
      continued.set(run, at);
      waiting.get(run)?.(at);
    },
    executed: () => executed,
    hasContinued: (run) => continued.has(run),
    whenContinued(run) {
      const at = continued.get(run);
      if (at !== undefined) return Promise.resolve(at);
      return new Promise((resolve) => waiting.set(run, resolve));
    },
  };

  function finish(index: number): unknown {
    note("finished", index);
    return output(index);
  }
}

function toIndex(index: number): unknown {
  return index;
}

async function finishLater(ms: number, finish: () => unknown): Promise<unknown> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return finish();
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const poolBytes = 4 * 1024 * 1024;

/** Text that no store can compress, another for every step. */
function openOutputs(bytes: number): (index: number) => string {
  const pool = Buffer.allocUnsafe(poolBytes);
  const chance = openChance(88_172_645);
  for (let at = 0; at < poolBytes; at++) pool[at] = letters.charCodeAt(Math.floor(chance() * letters.length));
  const text = pool.toString("latin1");
  return (index) => {
    const from = (index * bytes) % (poolBytes - bytes);
    return text.slice(from, from + bytes);
  };
}

/** Numbers in [0, 1) that are the same for the same seed. */
export function openChance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return state / 0x8000_0000;
  };
}
