import type { Clock } from "../base/clock.ts";

/** Time that stands still until a test lets it pass. */
export interface ManualClock extends Clock {
  /** Lets time pass. What falls due is called in its order, and what follows from it may happen before the next. */
  advance(ms: number): Promise<void>;
  /** When the timers that are set fall due, earliest first. */
  readonly due: readonly number[];
}

/** What one timer leads to, a chain of steps through the ledger for instance, has this many turns of the event loop. */
const turnsPerTimer = 40;

interface Timer {
  readonly dueAt: number;
  readonly wake: () => void;
}

/** A clock for tests: it starts on 14 November 2023 unless told otherwise. */
export function openManualClock(start = 1_700_000_000_000): ManualClock {
  const timers = new Set<Timer>();
  let now = start;
  const nextBy = (until: number): Timer | undefined =>
    [...timers].filter((timer) => timer.dueAt <= until).toSorted((left, right) => left.dueAt - right.dueAt)[0];
  return {
    now: () => now,
    after(delayMs, wake) {
      const timer = { dueAt: now + Math.max(0, delayMs), wake };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    async advance(ms) {
      const until = now + ms;
      await takeTurns(turnsPerTimer);
      for (let timer = nextBy(until); timer !== undefined; timer = nextBy(until)) {
        timers.delete(timer);
        now = Math.max(now, timer.dueAt);
        timer.wake();
        await takeTurns(turnsPerTimer);
      }
      now = until;
    },
    get due() {
      return [...timers].map((timer) => timer.dueAt).toSorted((left, right) => left - right);
    },
  };
}

/** Lets the event loop turn, so that what is ready happens. */
export async function takeTurns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}
