import { nextTick } from "node:process";

/** Something that has its turn in the next macrotask, and whose window closes when the microtasks of this one have drained. */
export interface TurnTaker {
  takeTurn(): void;
  closeWindow(): void;
}

let waiting: TurnTaker[] = [];
let open: TurnTaker[] = [];

/**
 * Gives it its turn in the next macrotask. All share that one: each has one turn in it, so for each it is as if the macrotask were its
 * own, and a thousand runs do not cost the event loop a thousand of them.
 */
export function takeTurnNext(taker: TurnTaker): void {
  if (waiting.push(taker) === 1) setImmediate(takeTurns);
}

/**
 * Closes its window once all microtasks have drained, those included that they bring forth, and before any timer, any input and any
 * other macrotask: Node empties the queue of ticks only when there are no microtasks left.
 */
export function closeWindowAfterMicrotasks(taker: TurnTaker): void {
  if (open.push(taker) === 1) queueMicrotask(closeAtNextTick);
}

function closeAtNextTick(): void {
  nextTick(closeWindows);
}

function closeWindows(): void {
  const takers = open;
  open = [];
  takers.forEach((taker) => taker.closeWindow());
}

function takeTurns(): void {
  const takers = waiting;
  waiting = [];
  let taken = 0;
  try {
    takers.forEach((taker) => {
      taken++;
      taker.takeTurn();
    });
  } finally {
    // One that throws must not cost the others their turns.
    for (const taker of takers.slice(taken)) takeTurnNext(taker);
  }
}
