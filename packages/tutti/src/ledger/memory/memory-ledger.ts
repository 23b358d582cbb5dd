import type { Clock } from "../../base/clock.ts";
import type { LedgerEntry } from "../../contracts/entry.ts";
import { type DiskFault, openCommitQueue } from "../commit-queue.ts";
import type { Durability, Ledger } from "../ledger.ts";
import { createQueuedLedger } from "../queued-ledger.ts";
import { createMemoryStore } from "./memory-store.ts";

export interface MemoryLedgerOptions {
  readonly clock: Clock;
  /** `power` (default): acknowledges after a simulated sync; `process`: at the commit. */
  readonly durability?: Durability;
  /** How long a sync takes on the clock; one turn of the event loop by default. */
  readonly delayMs?: number;
  /** Called for every entry after its commit. Must not throw. */
  readonly onEntry?: (entry: LedgerEntry) => void;
  /** For tests: fails a commit or a sync, or holds a sync up. */
  readonly fault?: DiskFault;
}

/** A ledger for tests and for work that may be forgotten: the same queue as on disk, and nothing outlives the process. */
export function openMemoryLedger(options: MemoryLedgerOptions): Ledger {
  const { clock, durability, delayMs, onEntry, fault } = options;
  const sync = (done: () => void): void => {
    if (delayMs === undefined) setImmediate(done);
    else clock.after(delayMs, done);
  };
  const { store, reader } = createMemoryStore(durability === "process" ? undefined : sync);
  const queue = openCommitQueue(store, { clock, onEntry, fault });
  return createQueuedLedger(queue, reader, async () => {});
}
