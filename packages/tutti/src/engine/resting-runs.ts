import type { Clock } from "../base/clock.ts";
import type { RunId } from "../contracts/ids.ts";

/** The runs that rest in memory. */
export interface RestingRuns {
  /** The run rests from now on. One that is there already keeps its time. */
  add(run: RunId): void;
  remove(run: RunId): void;
  clear(): void;
}

/** Lets each go once it has rested for so long. All share one timer: in a moment thousands come to rest, and most go on before their time is over. */
export function openRestingRuns(clock: Clock, restMs: number, letGo: (run: RunId) => void): RestingRuns {
  const dueByRun = new Map<RunId, number>(); // all rest equally long, so the first is due first
  let disarm: (() => void) | undefined;
  let latest = 0;
  const now = (): number => (latest = Math.max(latest, clock.now())); // never goes back, even if the clock does
  const letGoDue = (): void => {
    disarm = undefined;
    for (const [run, dueAt] of dueByRun) {
      if (dueAt > now()) break;
      dueByRun.delete(run);
      letGo(run);
    }
    arm();
  };
  const arm = (): void => {
    const [next] = dueByRun.values();
    if (next === undefined) return;
    disarm ??= clock.after(Math.max(0, next - now()), () => {
      latest = Math.max(latest, next); // so much has passed, whatever the clock says
      letGoDue();
    });
  };
  const stop = (): void => {
    disarm?.();
    disarm = undefined;
  };
  return {
    add(run) {
      if (dueByRun.has(run)) return;
      dueByRun.set(run, now() + restMs);
      if (dueByRun.size === 1) arm();
    },
    remove(run) {
      if (dueByRun.delete(run) && dueByRun.size === 0) stop();
    },
    clear() {
      dueByRun.clear();
      stop();
    },
  };
}
