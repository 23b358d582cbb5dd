import type { ApprovalRecord, Unapproved } from "../contracts/approval.ts";
import type { EntryKind, LedgerEntry } from "../contracts/entry.ts";
import type { ApprovalId, RunId } from "../contracts/ids.ts";
import { isOver } from "../contracts/run-record.ts";
import { decideEnd, decideTimeout, decideUse, decideVote, refuse, type Moved } from "./approval-votes.ts";
import type { CommitStore, Place, RunHead } from "./commit-store.ts";
import type { ApprovalChange, NewEntry } from "./ledger.ts";

/**
 * The approvals of every run: decided inside the transaction of a batch, whose writer is the only one. So of two votes one is first, and a
 * yes is used by the very entry that says that the action was begun.
 */
export interface ApprovalBook {
  /** What the entry does to an approval, or why it may not be written. Changes nothing. */
  decide(head: RunHead, change: ApprovalChange): Moved | Unapproved;
  /** Keeps what was decided, under the entry that has just been written; says in an entry of its own if it came to an end. */
  keep(head: RunHead, moved: Moved, change: ApprovalChange): ApprovalRecord;
  /** What the entry ends, the run or a step with all that is in it, asks for nothing more, and a yes that it did not use is over. */
  withdrawEnded(head: RunHead, entry: NewEntry): void;
}

type Write = (head: RunHead, entry: Pick<NewEntry, "kind" | "key" | "body">) => LedgerEntry;

export function openApprovalBook(store: CommitStore, place: Place, write: Write): ApprovalBook {
  const liveByRun = new Map<RunId, Set<ApprovalId>>();
  const note = ({ id, run, state }: ApprovalRecord): void => {
    const live = liveByRun.get(run) ?? new Set();
    if (state === "open" || state === "granted") liveByRun.set(run, live.add(id));
    else if (live.delete(id) && live.size === 0) liveByRun.delete(run);
  };
  for (const approval of store.listLiveApprovals()) note(approval);
  const put = (approval: ApprovalRecord): ApprovalRecord => {
    const kept = { ...approval, lsn: place.lsn };
    store.putApproval(kept);
    note(kept);
    return kept;
  };
  const say = (head: RunHead, approval: ApprovalRecord): void => {
    const { id, state, step, decidedBy, why } = approval;
    write(head, {
      kind: "approval-decided",
      key: step,
      body: JSON.stringify({ approval: id, state, by: decidedBy, why }),
    });
  };
  const withdraw = (head: RunHead, id: ApprovalId, entry: NewEntry): void => {
    const approval = store.findApproval(id);
    if (approval === undefined) return;
    const isRunOver = entry.status !== undefined && isOver(entry.status);
    if (!isRunOver && !isWithin(approval.step, entry.key)) return;
    const why = isRunOver ? `run ${head.run} has ended` : "its step has ended without it";
    const ended = decideEnd(approval, { state: "withdrawn", why });
    if (ended.kind !== "moved") return;
    say(head, ended.approval);
    put(ended.approval);
  };
  return {
    decide: (head, change) => decide(store, { head, place }, change),
    keep(head, { approval }, change) {
      const hasEnded = approval.state !== "open" && approval.state !== "used" && change.kind !== "end";
      if (hasEnded) say(head, approval);
      return put(approval);
    },
    withdrawEnded(head, entry) {
      const live = liveByRun.size === 0 ? undefined : liveByRun.get(head.run);
      if (live === undefined) return;
      const isEnd = stepEnds.has(entry.kind) || (entry.status !== undefined && isOver(entry.status));
      // A request names no approval that is there already.
      const own = entry.approval === undefined || entry.approval.kind === "request" ? undefined : entry.approval.id;
      if (isEnd) for (const id of live) if (id !== own) withdraw(head, id, entry);
    },
  };
}

/** After these a step does nothing more. */
const stepEnds: ReadonlySet<EntryKind> = new Set([
  "step-done",
  "step-failed",
  "effect-settled",
  "effect-failed",
  "effect-shared",
  "scope-closed",
]);

function isWithin(step: string, key: string): boolean {
  return step === key || step.startsWith(`${key}/`);
}

interface At {
  readonly head: RunHead;
  readonly place: Place;
}

function decide(store: CommitStore, { head, place }: At, change: ApprovalChange): Moved | Unapproved {
  const id = change.kind === "request" ? change.approval.id : change.id;
  const present = store.findApproval(id);
  if (change.kind === "request") {
    if (present !== undefined) return refuse(present, "decided", "it was asked for already");
    return { kind: "moved", approval: { ...change.approval, askedLsn: place.lsn + 1, lsn: 0 } };
  }
  if (present === undefined || present.run !== head.run)
    return refuse(present, "unknown", `run ${head.run} asked for no ${id}`);
  switch (change.kind) {
    case "vote":
      return decideVote(present, change.vote, place.at);
    case "timeout":
      return decideTimeout(present, place.at);
    case "end":
      return decideEnd(present, change);
    case "use":
      return decideUse(present, { run: head.run, step: change.step, binding: change.binding });
  }
}
