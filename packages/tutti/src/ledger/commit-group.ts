import { assert } from "../base/assert.ts";
import type { AppendRow, Row } from "./commit-row.ts";
import type { EntryWriter } from "./entry-writer.ts";
import { toFencedError } from "./ledger-errors.ts";
import type { EntryGroup } from "./ledger.ts";

/** The rows of each group that the batch holds so far. */
export type OpenGroups = Map<EntryGroup, AppendRow[]>;

/** Where a batch ends that would be too long: it cuts no group in two. */
export function findCut(rows: readonly Row[], rowsMax: number): number {
  const groups = new Set(rows.slice(0, rowsMax).map(groupOf));
  groups.delete(undefined);
  if (groups.size === 0) return rowsMax;
  return Math.max(rowsMax, rows.findLastIndex((row) => groups.has(groupOf(row))) + 1);
}

function groupOf(row: Row): EntryGroup | undefined {
  return row.kind === "append" ? row.entry.group : undefined;
}

/** Whether the row stored anything, as for all of these. */
export function writeEntry(writer: EntryWriter, row: AppendRow): boolean {
  if (isFenced(row)) return false;
  const outcome = writer.append(row.log.head, row.entry);
  if (outcome.kind === "refused") row.refusal = outcome.error;
  else row.outcome = outcome;
  return outcome.kind === "recorded";
}

interface Batch {
  readonly writer: EntryWriter;
  readonly groups: OpenGroups;
}

/** Waits for the last row of the group; then all of them are written, or none. */
export function writeInGroup({ writer, groups }: Batch, row: AppendRow, group: EntryGroup): boolean {
  const rows = groups.get(group) ?? [];
  rows.push(row);
  groups.set(group, rows);
  row.outcome = { kind: "incomplete" };
  if (rows.length < group.size) return false;
  let isWhole = true;
  for (const each of rows) if (!isWritable(writer, each)) isWhole = false;
  if (isWhole) for (const each of rows) writeEntry(writer, each);
  return isWhole;
}

function isWritable({ approvals }: EntryWriter, row: AppendRow): boolean {
  const { approval } = row.entry;
  assert(approval?.kind === "vote", "only votes are recorded in groups");
  if (isFenced(row)) return false;
  const decided = approvals.decide(row.log.head, approval);
  if (decided.kind === "unapproved") row.outcome = decided;
  return decided.kind !== "unapproved";
}

/** Somebody else drives its run by now. */
function isFenced(row: AppendRow): boolean {
  const { run, epoch, head } = row.log;
  if (head.epoch === epoch) return false;
  row.refusal = toFencedError(run, epoch, head.epoch);
  return true;
}
