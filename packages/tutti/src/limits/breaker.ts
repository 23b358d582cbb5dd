import type { Breaker } from "./limit.ts";

/** What a call came to, as far as it says something about the one that was called. `unclear` says nothing: it was cancelled, for instance. */
export type Verdict = "worked" | "failed" | "unclear";

/** Open: nobody is let through until `untilMs`; then one at a time may try, until one works. `openings` in a row make the pause longer. */
export interface OpenState {
  readonly untilMs: number;
  readonly openings: number;
}

/** Stops calls to what does not answer. Says `changed` when what has to survive a restart is another. */
export interface BreakerGuard {
  /** `undefined`: may pass. Otherwise how long not to ask again. */
  refusalMs(now: number, mayProbe: boolean): number | undefined;
  /** Called when a call that was not refused begins. True for one that only tries. */
  begin(now: number): boolean;
  end(now: number, verdict: Verdict, isProbe: boolean): void;
  readonly open: OpenState | undefined;
}

const defaults: Required<Breaker> = {
  failures: 5,
  ratio: 0.5,
  windowMs: 60_000,
  callsMin: 20,
  openMs: 30_000,
  openMaxMs: 600_000,
};

/** The window is counted in so many parts, so that it costs the same however many calls there are. */
const partsMax = 10;
/** What must not be repeated blindly is let through after so many pauses all the same: nothing else may be there to find out. */
const unprobedPauses = 4;

interface Part {
  readonly startMs: number;
  calls: number;
  failed: number;
}

export function openBreaker(settings: Breaker, stored: OpenState | undefined): BreakerGuard {
  const { failures, ratio, windowMs, callsMin, openMs, openMaxMs } = { ...defaults, ...settings };
  let open = stored;
  let isProbing = false;
  let inRow = 0;
  let parts: Part[] = [];

  const pauseOf = (openings: number): number => Math.min(openMs * 2 ** Math.min(openings - 1, 30), openMaxMs);

  function trip(now: number): void {
    const openings = (open?.openings ?? 0) + 1;
    open = { untilMs: now + pauseOf(openings), openings };
    inRow = 0;
    parts = [];
  }

  function count(now: number, isFailed: boolean): void {
    parts = parts.filter((part) => part.startMs > now - windowMs);
    let part = parts.at(-1);
    if (part === undefined || now - part.startMs >= windowMs / partsMax) {
      part = { startMs: now, calls: 0, failed: 0 };
      parts.push(part);
    }
    part.calls += 1;
    if (isFailed) part.failed += 1;
    inRow = isFailed ? inRow + 1 : 0;
  }

  function isBad(): boolean {
    if (inRow >= failures) return true;
    const calls = parts.reduce((sum, part) => sum + part.calls, 0);
    const failed = parts.reduce((sum, part) => sum + part.failed, 0);
    return calls >= callsMin && failed / calls >= ratio;
  }

  return {
    refusalMs(now, mayProbe) {
      if (open === undefined) return undefined;
      const pauseMs = pauseOf(open.openings);
      const fromMs = mayProbe ? open.untilMs : open.untilMs + pauseMs * (unprobedPauses - 1);
      if (now < fromMs) return fromMs - now;
      return isProbing ? pauseMs : undefined;
    },
    begin() {
      if (open === undefined) return false;
      isProbing = true;
      return true;
    },
    end(now, verdict, isProbe) {
      if (isProbe) isProbing = false;
      if (verdict === "unclear") return;
      if (open !== undefined) {
        // A call that began before it opened says nothing new.
        if (!isProbe) return;
        if (verdict === "failed") trip(now);
        else open = undefined;
        return;
      }
      count(now, verdict === "failed");
      if (isBad()) trip(now);
    },
    get open() {
      return open;
    },
  };
}
