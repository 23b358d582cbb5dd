import type { Clock } from "../base/clock.ts";
import { describeThrown } from "../base/errors.ts";
import type { Fleet } from "../insight/fleet/fleet.ts";

/** Tells those who wait that the ledger has grown, and counts them. It looks every 33 ms, and only while somebody waits. */
export interface Tail {
  /**
   * Resolves when there is an entry after `lsn` or other news, or the time is over (`silent`). Also when the ledger can't be read: who reads it
   * then is told.
   */
  after(lsn: number, timeoutMs: number, hasNews?: () => boolean): Promise<"grown" | "silent">;
  /** Takes a place for a stream; nothing when all are taken. Give it back by calling what is returned. */
  takePlace(): (() => void) | undefined;
  /** How many places are taken. */
  places(): number;
  /** Lets everybody go. */
  close(): void;
}

interface Waiter {
  readonly lsn: number;
  readonly hasNews: () => boolean;
  readonly wake: (why: "grown" | "silent") => void;
}

/** Also how long entries are collected before they are sent. */
const lookEveryMs = 33;
const streamsMax = 256;

export function openTail(fleet: Fleet, clock: Clock): Tail {
  const waiting = new Set<Waiter>();
  let places = 0;
  let isLooking = false;
  let forget: (() => void) | undefined;
  const arm = (): void => {
    if (isLooking || forget !== undefined || waiting.size === 0) return;
    forget = clock.after(lookEveryMs, () => {
      forget = undefined;
      isLooking = true;
      void look().finally(() => {
        isLooking = false;
        arm();
      });
    });
  };
  const look = async (): Promise<void> => {
    let newest = Number.POSITIVE_INFINITY;
    try {
      newest = (await fleet.catchUp()).lsn;
    } catch (error) {
      process.emitWarning(`the ledger can't be followed: ${describeThrown(error)}`, "TuttiWarning");
    }
    for (const each of waiting) if (each.lsn < newest || each.hasNews()) each.wake("grown");
  };
  return {
    after: (lsn, timeoutMs, hasNews = () => false) =>
      new Promise((resolve) => {
        const wake = (why: "grown" | "silent"): void => {
          stop();
          waiting.delete(waiter);
          resolve(why);
        };
        const stop = clock.after(timeoutMs, () => wake("silent"));
        const waiter = { lsn, hasNews, wake };
        waiting.add(waiter);
        arm();
      }),
    takePlace() {
      if (places >= streamsMax) return undefined;
      places += 1;
      let isGiven = true;
      return () => {
        if (isGiven) places -= 1;
        isGiven = false;
      };
    },
    places: () => places,
    close() {
      forget?.();
      for (const { wake } of waiting) wake("grown");
    },
  };
}
