import { TuttiError } from "../../base/errors.ts";

/** A fixed number of places to work in; whoever comes later waits in line. */
export interface Places {
  /** Works in a place as soon as there is one. @throws TuttiError TOOL_UNAVAILABLE when the line is full; the signal's reason when it aborts in line. */
  use<Output>(signal: AbortSignal, work: () => Promise<Output>): Promise<Output>;
}

interface Waiting {
  readonly enter: () => void;
}

export function openPlaces(placesMax: number, waitingMax: number): Places {
  let taken = 0;
  const line = new Set<Waiting>();

  const enter = (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    if (taken < placesMax) {
      taken += 1;
      return Promise.resolve();
    }
    if (line.size >= waitingMax)
      throw new TuttiError("TOOL_UNAVAILABLE", `${waitingMax} programs wait already`, {
        hint: "Lower the concurrency of the fan-out that starts them, or allow more at once.",
      });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting: Waiting = {
      enter() {
        signal.removeEventListener("abort", leave);
        resolve();
      },
    };
    const leave = (): void => {
      line.delete(waiting);
      reject(signal.reason);
    };
    signal.addEventListener("abort", leave, { once: true });
    line.add(waiting);
    return promise;
  };

  const exit = (): void => {
    const [next] = line;
    if (next === undefined) {
      taken -= 1;
      return;
    }
    line.delete(next); // the place goes to the next in line
    next.enter();
  };

  return {
    async use(signal, work) {
      await enter(signal);
      try {
        return await work();
      } finally {
        exit();
      }
    },
  };
}
