import { learn, type Labels } from "./labels.ts";
import type { Pending, Scope } from "./scope.ts";

/**
 * Signals by name, first come, first served. Who consumes which signal needs no record of its own: it follows from the order
 * of the ledger and from the flow's code, so replay finds the same answer.
 */
export interface Signals {
  /** Hands a signal to the longest waiter, or keeps it until somebody waits. */
  receive(name: string, signal: ReceivedSignal): void;
  /** The oldest signal that was kept, if any. */
  take(name: string, scope: Scope): ReceivedSignal | undefined;
  /** Resolves the pending with the payload, unless it is over by then. */
  wait(name: string, waiter: Pending): void;
}

export interface ReceivedSignal {
  readonly seq: number;
  readonly payload: unknown;
  readonly labels: Labels | undefined;
}

export function openSignals(): Signals {
  let keptByName: Map<string, ReceivedSignal[]> | undefined;
  let waitersByName: Map<string, Pending[]> | undefined;
  return {
    receive(name, signal) {
      const waiters = waitersByName?.get(name) ?? [];
      for (let waiter = waiters.shift(); waiter !== undefined; waiter = waiters.shift()) {
        if (waiter.over) continue;
        charge(waiter.scope, signal);
        waiter.resolve(signal.payload);
        return;
      }
      const kept = keptByName?.get(name);
      if (kept === undefined) (keptByName ??= new Map()).set(name, [signal]);
      else kept.push(signal);
    },
    take(name, scope) {
      const signal = keptByName?.get(name)?.shift();
      if (signal !== undefined) charge(scope, signal);
      return signal;
    },
    wait(name, waiter) {
      const waiters = waitersByName?.get(name);
      if (waiters === undefined) (waitersByName ??= new Map()).set(name, [waiter]);
      else waiters.push(waiter);
    },
  };
}

function charge(scope: Scope, { seq, labels }: ReceivedSignal): void {
  learn(scope, labels);
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) at.consumed.push(seq);
}
