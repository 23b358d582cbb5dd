import type { Clock } from "../base/clock.ts";
import { toTuttiError, type TuttiError } from "../base/errors.ts";
import { takeCheckpoint, type CheckpointRequest, type Checkpoints } from "./take-checkpoint.ts";

export interface KeepRequest extends Pick<CheckpointRequest, "ledger" | "folder" | "anchors"> {
  readonly clock: Clock;
  /** From the end of one to the begin of the next. */
  readonly everyMs: number;
  readonly onTaken?: (taken: Checkpoints) => void;
  /** One that failed: nothing is lost by it, and the next one takes in what it would have. Must not throw. */
  readonly onFailed: (error: TuttiError) => void;
}

export interface KeptCheckpoints {
  /** Takes a last one, unless that takes longer than `closeMs`. Call it before the ledger is closed. */
  close(): Promise<void>;
}

const closeMs = 10_000;

/**
 * Takes checkpoints by itself for as long as somebody writes. Beside whoever runs: it reads the ledger like any other reader, a part at a time, and
 * what fails is told and tried again.
 */
export function keepCheckpoints(request: KeepRequest): KeptCheckpoints {
  const { clock, everyMs, onTaken, onFailed } = request;
  const ending = new AbortController();
  let isClosed = false;
  let running = Promise.resolve();
  let forget = arm();

  function arm(): () => void {
    return clock.after(everyMs, () => {
      running = take().then(() => {
        if (!isClosed) forget = arm();
      });
    });
  }

  async function take(): Promise<void> {
    try {
      const taken = await takeCheckpoint({ ...request, signal: ending.signal });
      onTaken?.(taken);
    } catch (error) {
      onFailed(toTuttiError(error, "BUG"));
    }
  }

  return {
    async close() {
      isClosed = true;
      forget();
      const forgetLimit = clock.after(closeMs, () => ending.abort());
      await running;
      await take();
      forgetLimit();
    },
  };
}
