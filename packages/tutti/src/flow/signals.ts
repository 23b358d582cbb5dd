import { learn, type Labels } from "./labels.ts";
import type { Scope } from "./scope.ts";

/**
 * Signals by name, first come, first served. Who consumes which signal needs no record of its own: it follows from the order
 * of the ledger and from the flow's code, so replay finds the same answer.
 */
export interface Signals {
  /** Hands a signal to the longest waiter, or keeps it until somebody waits. */
  receive(name: string, signal: ReceivedSignal): void;
  /** The oldest signal that was kept, if any. */
  take(name: string, scope: Scope): ReceivedSignal | undefined;
  wait(name: string, waiter: Waiter): void;
}

export interface Waiter {
  readonly scope: Scope;
  /** It was cancelled, or its time is over. */
  readonly over: boolean;
  receive(payload: unknown): void;
}

export interface ReceivedSignal {
  readonly seq: number;
  readonly payload: unknown;
  readonly labels: Labels | undefined;
}

export function openSignals(): Signals {
  const keptByName = new Map<string, ReceivedSignal[]>();
  const waitersByName = new Map<string, Waiter[]>();
  return {
    receive(name, signal) {
      const waiters = waitersByName.get(name) ?? [];
      for (let waiter = waiters.shift(); waiter !== undefined; waiter = waiters.shift()) {
        if (waiter.over) continue;
        charge(waiter.scope, signal);
        waiter.receive(signal.payload);
        return;
      }
      const kept = keptByName.get(name);
      if (kept === undefined) keptByName.set(name, [signal]);
      else kept.push(signal);
    },
    take(name, scope) {
      const signal = keptByName.get(name)?.shift();
      if (signal !== undefined) charge(scope, signal);
      return signal;
    },
    wait(name, waiter) {
      const waiters = waitersByName.get(name);
      if (waiters === undefined) waitersByName.set(name, [waiter]);
      else waiters.push(waiter);
    },
  };
}

function charge(scope: Scope, { seq, labels }: ReceivedSignal): void {
  learn(scope, labels);
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) at.consumed.push(seq);
}
