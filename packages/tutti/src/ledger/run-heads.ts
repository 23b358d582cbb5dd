import type { RunId } from "../contracts/ids.ts";
import type { CommitStore, RunHead, StoredHead } from "./commit-store.ts";

/** The heads of the runs that are being written, at most so many; the others are loaded when they are asked for. */
export interface RunHeads {
  find(run: RunId): RunHead | undefined;
  knows(run: RunId): boolean;
  add(head: RunHead): void;
  /** Takes in what was read of a run elsewhere, if nothing is known of it yet. */
  learn(stored: StoredHead): void;
  /** Has the head's state written with the next batch. */
  markDirty(head: RunHead): void;
  hasDirty(): boolean;
  /** Writes the state of every dirty head, inside a transaction. */
  writeDirty(): void;
  /** Drops the heads that were loaded longest ago. */
  trim(): void;
}

/** About 400 bytes each. */
const headsMax = 20_000;

export function openRunHeads(store: CommitStore): RunHeads {
  const headsByRun = new Map<RunId, RunHead>();
  let dirty: RunHead[] = [];
  const load = (stored: StoredHead): RunHead => {
    const head: RunHead = { ...stored, pending: 0, isDirty: false, isDetached: false, isVerified: false };
    headsByRun.set(head.run, head);
    return head;
  };
  return {
    find(run) {
      const known = headsByRun.get(run);
      if (known !== undefined) return known;
      const stored = store.findHead(run);
      return stored === undefined ? undefined : load(stored);
    },
    knows: (run) => headsByRun.has(run),
    learn(stored) {
      if (!headsByRun.has(stored.run)) load(stored);
    },
    add(head) {
      headsByRun.set(head.run, head);
    },
    markDirty(head) {
      if (head.isDirty) return;
      head.isDirty = true;
      dirty.push(head);
    },
    hasDirty: () => dirty.length > 0,
    writeDirty() {
      for (const head of dirty) {
        store.updateRun(head);
        head.isDirty = false;
      }
      dirty = [];
    },
    trim() {
      if (headsByRun.size <= headsMax) return;
      let left = headsByRun.size - headsMax;
      for (const head of headsByRun.values()) {
        // What is not written yet exists only here.
        if (head.pending === 0 && !head.isDirty) {
          head.isDetached = true;
          headsByRun.delete(head.run);
        }
        left -= 1;
        if (left <= 0) return;
      }
    },
  };
}
