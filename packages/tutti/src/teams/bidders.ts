import { openFit, rankCandidates, type FitOf, type RankedCandidate } from "./rank-candidates.ts";

/** One who would take tasks, and on what terms. */
export interface Bidder {
  readonly name: string;
  /** What it can do, in words: tasks that are nothing of the kind are never given to it. */
  readonly does: string;
  readonly tags?: readonly string[];
  /** What a task costs with it at most. */
  readonly costUsd?: number;
  /** How many tasks it holds at once; 1 by default. */
  readonly capacity?: number;
}

export interface Bidders {
  join(bidder: Bidder): void;
  leave(name: string): void;
  hasFree(): boolean;
  /** The bids of those who are free, best first. */
  rank(task: string): readonly RankedCandidate[];
  /** It gets a task. */
  begin(name: string): void;
  /** Its task is over: done, or given back or let lapse. */
  end(name: string, isDone: boolean): void;
  /** It did not get the task after all. */
  drop(name: string): void;
}

/** How one bidder did so far. */
export interface BidderRecord {
  done: number;
  failed: number;
}

const recordsMax = 50;

/** Keeps who bids, how they did, and what they have at work. */
export function openBidders(outcomes: ReadonlyMap<string, BidderRecord>): Bidders {
  const bidderByName = new Map<string, Bidder>();
  const records = new Map(outcomes);
  const atWork = new Map<string, number>();
  let fitOf: FitOf | undefined;
  const working = (name: string): number => atWork.get(name) ?? 0;
  const isFree = ({ name, capacity = 1 }: Bidder): boolean => working(name) < capacity;
  const drop = (name: string): void => void atWork.set(name, Math.max(0, working(name) - 1));
  return {
    join(bidder) {
      bidderByName.set(bidder.name, bidder);
      fitOf = undefined;
    },
    leave(name) {
      bidderByName.delete(name);
      fitOf = undefined;
    },
    hasFree: () => [...bidderByName.values()].some(isFree),
    rank(task) {
      fitOf ??= openFit([...bidderByName.values()]);
      const free = [...bidderByName.values()].filter(isFree);
      const facts = free.map(({ name, does, costUsd }) => {
        const { done, failed } = records.get(name) ?? { done: 0, failed: 0 };
        return { name, does, costUsd, standing: { done, failed, atWork: working(name) } };
      });
      return rankCandidates(task, facts, fitOf);
    },
    begin: (name) => void atWork.set(name, working(name) + 1),
    end(name, isDone) {
      drop(name);
      const { done, failed } = records.get(name) ?? { done: 0, failed: 0 };
      // What was long ago counts less: when the record is full, both sides shrink.
      const keep = done + failed < recordsMax ? 1 : 0.5;
      records.set(name, { done: done * keep + (isDone ? 1 : 0), failed: failed * keep + (isDone ? 0 : 1) });
    },
    drop,
  };
}
