import type { LedgerEntry } from "../contracts/entry.ts";
import { applyEntry, applyProgress, applyStepStarted } from "./apply-entry.ts";
import { emptyRunTree, type RunTree, type TreeEvent } from "./run-tree.ts";
import { openEdit } from "./tree-edit.ts";

/**
 * The tree after some more events of its run; the given tree stays as it was. Entries that it has already seen are passed over.
 * However the events are divided over calls, the result is the same.
 * @throws TuttiError LEDGER_CORRUPT, LEDGER_TOO_NEW
 */
export function nextRunTree(tree: RunTree, events: readonly TreeEvent[]): RunTree {
  const edit = openEdit(tree);
  for (const event of events) {
    switch (event.kind) {
      case "entry":
        if (event.entry.seq > edit.tree.seq) applyEntry(edit, event.entry);
        break;
      case "step-started":
        applyStepStarted(edit, event);
        break;
      case "progress":
        applyProgress(edit, event);
        break;
      case "delta":
        break;
    }
  }
  return edit.close();
}

/** The tree of a run whose entries are all there. */
export function toRunTree(entries: readonly LedgerEntry[]): RunTree {
  return nextRunTree(
    emptyRunTree,
    entries.map((entry) => ({ kind: "entry", entry })),
  );
}
