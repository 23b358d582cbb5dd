/** Something that has its turn in the next macrotask. */
export interface TurnTaker {
  takeTurn(): void;
}

let waiting: TurnTaker[] = [];

/**
 * Gives it its turn once all microtasks have drained. All runs of a process share the macrotask: each has one turn in it, so for
 * each it is as if the macrotask were its own, and a thousand runs do not cost the event loop a thousand of them.
 */
export function takeTurnNext(taker: TurnTaker): void {
  if (waiting.push(taker) === 1) setImmediate(takeTurns);
}

function takeTurns(): void {
  const takers = waiting;
  waiting = [];
  let taken = 0;
  try {
    for (const taker of takers) {
      taken++;
      taker.takeTurn();
    }
  } finally {
    // One that throws must not cost the others their turns.
    for (const taker of takers.slice(taken)) takeTurnNext(taker);
  }
}
