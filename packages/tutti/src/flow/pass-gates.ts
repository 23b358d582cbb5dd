import type { Caller, Gate, Pass } from "../limits/gate.ts";
import type { Driver } from "./driver.ts";

/** The run is being paused, or its driver let go, while a call waited for its turn: nothing was called, nothing is recorded. */
export class LeftEarly extends Error {}

export interface Passing {
  readonly gates: readonly Gate[];
  readonly caller: Caller;
  readonly signal: AbortSignal;
}

/**
 * Passes one gate after the other, each in its turn.
 * @throws LeftEarly, the signal's reason, or the TuttiError of the gate that refused; the passes before it are given back.
 */
export async function passGates(driver: Driver, { gates, caller, signal }: Passing): Promise<Pass> {
  const passes: Pass[] = [];
  const pass: Pass = {
    leave(end) {
      for (const each of passes) each.leave(end);
    },
  };
  try {
    for (const gate of gates) passes.push(await passGate(driver, gate, { caller, signal }));
    return pass;
  } catch (error) {
    pass.leave({ kind: "left" });
    throw error;
  }
}

async function passGate(driver: Driver, gate: Gate, { caller, signal }: Omit<Passing, "gates">): Promise<Pass> {
  const entering = gate.enter(caller);
  const { promise: over, reject } = Promise.withResolvers<never>();
  const giveUp = (why: unknown): void => {
    entering.abandon();
    reject(why);
  };
  const onAbort = (): void => giveUp(signal.reason);
  const forget = driver.whenLeft(() => giveUp(new LeftEarly()));
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([entering.passed, over]);
  } finally {
    forget();
    signal.removeEventListener("abort", onAbort);
  }
}

/** The answer of the ledger. @throws LeftEarly when the driver was let go before it came: then it never comes. */
export function untilStopped<Value>(driver: Driver, answer: Promise<Value>): Promise<Value> {
  if (driver.stopped) return Promise.reject(new LeftEarly());
  return new Promise((resolve, reject) => {
    const forget = driver.whenLeft(() => {
      if (driver.stopped) reject(new LeftEarly());
    });
    void answer.finally(forget).then(resolve, reject);
  });
}
