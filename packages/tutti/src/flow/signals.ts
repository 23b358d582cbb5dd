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
  return new SignalQueues();
}

/** Most runs wait for one signal, or for none. */
class SignalQueues implements Signals {
  private kept: Map<string, ReceivedSignal[]> | undefined;
  private waiters: Map<string, Pending[]> | undefined;

  receive(name: string, signal: ReceivedSignal): void {
    const waiters = this.waiters?.get(name);
    for (let waiter = waiters?.shift(); waiter !== undefined; waiter = waiters?.shift()) {
      if (waiter.over) continue;
      charge(waiter.scope, signal);
      waiter.resolve(signal.payload);
      return;
    }
    this.kept = queue(this.kept, name, signal);
  }
  take(name: string, scope: Scope): ReceivedSignal | undefined {
    const signal = this.kept?.get(name)?.shift();
    if (signal !== undefined) charge(scope, signal);
    return signal;
  }
  wait(name: string, waiter: Pending): void {
    this.waiters = queue(this.waiters, name, waiter);
  }
}

function queue<Item>(byName: Map<string, Item[]> | undefined, name: string, item: Item): Map<string, Item[]> {
  if (byName === undefined) return new Map<string, Item[]>().set(name, [item]);
  const queued = byName.get(name);
  if (queued === undefined) byName.set(name, [item]);
  else queued.push(item);
  return byName;
}

function charge(scope: Scope, { seq, labels }: ReceivedSignal): void {
  learn(scope, labels);
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) at.consumed.push(seq);
}
