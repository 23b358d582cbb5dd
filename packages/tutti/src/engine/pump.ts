import { describeThrown, isTuttiError } from "../base/errors.ts";
import type { Engine } from "./engine-parts.ts";

/** Work that is done again whenever something may have changed: one at a time, and with one timer at most. */
export interface Pump {
  wake(): void;
  /** Resolves when nothing is at work any more; nothing is done after it. */
  close(): Promise<void>;
}

/** No timer is set for longer: a clock that was set meanwhile is noticed after so long. */
const lookAgainMs = 60 * 60_000;

/** `work` does what can be done now and says when it wants to be called again. What it throws stops the pump, and is told. */
export function openPump(
  { clock }: Pick<Engine, "clock">,
  what: string,
  work: () => Promise<number | undefined>,
): Pump {
  let running: Promise<void> | undefined;
  let isWanted = false;
  let isStopped = false;
  let forget: (() => void) | undefined;

  async function turn(): Promise<void> {
    try {
      for (;;) {
        if (!isWanted || isStopped) return;
        isWanted = false;
        const next = await work();
        if (next === undefined || isStopped) continue;
        const delayMs = next - clock.now();
        if (delayMs <= 0) isWanted = true;
        else forget = clock.after(Math.min(delayMs, lookAgainMs), wake);
      }
    } catch (error) {
      isStopped = true;
      tellStop(what, error);
    }
  }

  function wake(): void {
    forget?.();
    forget = undefined;
    isWanted = true;
    if (isStopped) return;
    running ??= turn().finally(() => {
      running = undefined;
      if (isWanted) wake();
    });
  }

  return {
    wake,
    async close() {
      isStopped = true;
      await running;
      forget?.();
    },
  };
}

// A closed ledger, or another engine that has taken over, is no fault; anything else has to be seen.
function tellStop(what: string, error: unknown): void {
  if (isTuttiError(error) && (error.code === "LEDGER_CLOSED" || error.code === "LEDGER_FENCED")) return;
  const hint = isTuttiError(error) ? (error.hint ?? "") : "";
  process.emitWarning(`${what} has stopped: ${describeThrown(error)}. ${hint}`, {
    type: "TuttiWarning",
    code: isTuttiError(error) ? error.code : "BUG",
  });
}
