import type { Clock } from "../../packages/tutti/src/base/clock.ts";

/** Time that passes by turns of the event loop: one millisecond each, as long as somebody waits. So waiting costs no time and order stays real. */
export interface TickClock extends Clock {
  /** Forgets every timer: the process is dead. */
  stop(): void;
}

export function openTickClock(start: number): TickClock {
  const timers = new Set<{ readonly dueAt: number; readonly wake: () => void }>();
  let now = start;
  let ticking = false;
  let stopped = false;
  const tick = (): void => {
    ticking = false;
    if (stopped) return;
    now++;
    for (const timer of timers) {
      if (timer.dueAt > now) continue;
      timers.delete(timer);
      timer.wake();
    }
    arm();
  };
  const arm = (): void => {
    if (ticking || stopped || timers.size === 0) return;
    ticking = true;
    setImmediate(tick);
  };
  return {
    now: () => now,
    after(delayMs, wake) {
      const timer = { dueAt: now + Math.max(1, delayMs), wake };
      timers.add(timer);
      arm();
      return () => void timers.delete(timer);
    },
    stop() {
      stopped = true;
      timers.clear();
    },
  };
}

/** A small seeded generator (mulberry32), so that a found case can be repeated. */
export function openChance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
