import type { RunId } from "../../contracts/ids.ts";
import type { Ledger, NewEntry } from "../../ledger/ledger.ts";

/** So many are ended at a time, the oldest first; the others the next time. */
const overdueMax = 100;

/** What says that nobody decided in time, for approvals of a run that no driver watches. */
export async function toOverdueEntries(ledger: Ledger, run: RunId, now: number): Promise<readonly NewEntry[]> {
  const open = await ledger.listApprovals({ run, states: ["open"], limit: overdueMax });
  return open
    .filter(({ dueAt }) => dueAt <= now)
    .map(({ id, step, stage }) => ({
      kind: "approval-overdue",
      key: step,
      body: JSON.stringify({ approval: id, stage, next: "deny" }),
      approval: { kind: "timeout", id },
    }));
}
