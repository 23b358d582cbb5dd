/** Time as an argument. Everything that waits or dates an entry takes one. */
export interface Clock {
  /** Milliseconds since 1970, like `Date.now`. */
  now(): number;
  /** Calls `wake` once, not before `delayMs` have passed; the returned function forgets it. */
  after(delayMs: number, wake: () => void): () => void;
}

// setTimeout overflows beyond this many milliseconds (24.8 days) and would fire at once.
const timeoutMax = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, wake) {
    const dueAt = Date.now() + delayMs;
    let timer: NodeJS.Timeout | undefined;
    const arm = (): void => {
      const leftMs = dueAt - Date.now();
      timer = setTimeout(leftMs > timeoutMax ? arm : wake, Math.min(Math.max(leftMs, 0), timeoutMax));
    };
    arm();
    return () => clearTimeout(timer);
  },
};
