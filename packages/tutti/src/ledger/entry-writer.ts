import { TuttiError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import type { Amount } from "../contracts/budget.ts";
import { entryVersion, type LedgerEntry } from "../contracts/entry.ts";
import type { RunId } from "../contracts/ids.ts";
import { isOver, type EffectRecord, type EffectState, type RunStatus } from "../contracts/run-record.ts";
import { openApprovalBook, type ApprovalBook } from "./approval-book.ts";
import { openBudgetBook } from "./budget-book.ts";
import { firstStatus, type Birth, type CommitStore, type Place, type RunHead } from "./commit-store.ts";
import { openDocumentBook } from "./document-book.ts";
import type { Appended, Blob, EffectChange, NewEntry, NewRun } from "./ledger.ts";
import type { RunHeads } from "./run-heads.ts";
import { toGenesis, toSeal } from "./seal.ts";

/** Turns rows into entries, inside the transaction of a batch. */
export interface EntryWriter {
  /** Sets the time of a batch. It never goes back, even if the clock does. */
  setTime(now: number): void;
  /** Checks first and writes then, so that a refused entry leaves nothing behind. */
  append(head: RunHead, entry: NewEntry): Appended | Refused;
  /** Says what a vote would do now. */
  readonly approvals: Pick<ApprovalBook, "decide">;
  /** The new run's head and first entry, or the run that answers to its id or key already. */
  start(run: NewRun, epoch: Birth["epoch"]): Born | RunId;
  setStatus(head: RunHead, status: RunStatus, wakeAt: number | undefined): void;
}

export interface Born {
  readonly head: RunHead;
  readonly first: LedgerEntry;
}

export interface Refused {
  readonly kind: "refused";
  readonly error: TuttiError;
}

type Written = Pick<NewEntry, "kind" | "key" | "body"> & { readonly blobs?: readonly Blob[] | undefined };

/** Collects what a batch stored, for a listener. */
export type OnStored = (entry: LedgerEntry) => void;

export function createEntryWriter(store: CommitStore, heads: RunHeads, onStored: OnStored | undefined): EntryWriter {
  const place: Place = store.findTail();
  const documents = openDocumentBook(store, place);
  const budgets = openBudgetBook(store, write);
  const approvals = openApprovalBook(store, place, write);

  function write(head: RunHead, entry: Written): LedgerEntry {
    place.lsn += 1;
    head.seq += 1;
    const previous = head.hash;
    const stored = toStored(head, entry, place);
    stored.hash = head.hash = toSeal(previous, stored, sha256(entry.body));
    store.insertEntry(head, entry, place);
    if (entry.blobs !== undefined) for (const blob of entry.blobs) store.insertBlob(blob);
    onStored?.(stored);
    return stored;
  }

  function setStatus(head: RunHead, status: RunStatus, wakeAt: number | undefined): void {
    if (head.status === status && head.wakeAt === wakeAt) return;
    head.status = status;
    head.wakeAt = wakeAt;
    head.endedAt = isOver(status) ? place.at : undefined;
    heads.markDirty(head);
  }

  function start(run: NewRun, epoch: Birth["epoch"]): Born | RunId {
    const existing = heads.find(run.id)?.run ?? findSameStart(store, run, place.at);
    if (existing !== undefined) return existing;
    if (run.startKey !== undefined) store.putStartKey(run.startKey, { run: run.id, at: place.at });
    const number = store.insertRun(run, { startedAt: place.at, epoch });
    const head = toNewHead(run, { number, epoch, startedAt: place.at });
    heads.add(head);
    const first = write(head, { kind: "run-started", key: "", body: run.body, blobs: run.blobs });
    // A copied past changes nothing outside this run: its effects belong to the run that it was copied from. Documents of its own are written anew.
    for (const entry of run.copied ?? []) {
      write(head, entry);
      if (entry.document !== undefined) documents.apply(head, entry.document);
    }
    return { head, first };
  }

  function append(head: RunHead, entry: NewEntry): Appended | Refused {
    if (entry.onceKey !== undefined && store.findStartKey(entry.onceKey) !== undefined) return { kind: "repeated" };
    const change = entry.effect === undefined ? undefined : decideEffect(store, head, entry.effect);
    if (change !== undefined && change.kind !== "changed") return change;
    const unfresh = entry.document === undefined ? undefined : documents.decide(head, entry.document);
    if (unfresh !== undefined) return unfresh;
    const asked = entry.approval === undefined ? undefined : approvals.decide(head, entry.approval);
    if (asked?.kind === "unapproved") return asked;
    const budget = budgets.decide(head, entry);
    if (budget?.kind === "spent") return budget;
    if (entry.onceKey !== undefined) store.putStartKey(entry.onceKey, { run: head.run, at: place.at });
    approvals.withdrawEnded(head, entry);
    write(head, budget?.entry ?? entry);
    if (entry.document !== undefined) documents.apply(head, entry.document);
    if (change !== undefined) store.putEffect(toPut(change.effect, place));
    const recorded = toRecorded(head, place, budget?.reserved);
    const kept = asked && entry.approval && approvals.keep(head, asked, entry.approval);
    const appended = kept === undefined ? recorded : { ...recorded, approval: kept };
    if ((entry.status ?? entry.wakeAt) !== undefined) setStatus(head, entry.status ?? head.status, entry.wakeAt);
    const woken = entry.wakes === undefined ? undefined : heads.find(entry.wakes);
    if (woken?.status === "waiting") setStatus(woken, "running", undefined);
    if (entry.starts !== undefined) start(entry.starts, 0);
    return appended;
  }

  const setTime = (now: number): void => void (place.at = Math.max(place.at, Math.floor(now)));
  return { setTime, append, approvals, start, setStatus };
}

function toPut(effect: EffectRecord, { lsn }: Place): EffectRecord {
  return effect.state === "settled" ? { ...effect, settledLsn: lsn } : effect;
}

function toRecorded(
  { seq }: RunHead,
  { lsn }: Place,
  reserved: Amount | undefined,
): Extract<Appended, { readonly kind: "recorded" }> {
  return reserved === undefined ? { kind: "recorded", seq, lsn } : { kind: "recorded", seq, lsn, reserved };
}

/** Without its seal, which the caller adds. */
function toStored(head: RunHead, { kind, key, body }: Written, { lsn, at }: Place): Mutable<LedgerEntry> {
  return { lsn, run: head.run, seq: head.seq, kind, key, at, version: entryVersion, body, hash: "" };
}

type Mutable<Shape> = { -readonly [Name in keyof Shape]: Shape[Name] };

function toNewHead(
  { id, flow, version, parent, startKey }: NewRun,
  born: Birth & { readonly number: number },
): RunHead {
  return {
    number: born.number,
    run: id,
    origin: { flow, version, startedAt: born.startedAt, parent, startKey },
    epoch: born.epoch,
    seq: 0,
    hash: toGenesis(id),
    status: firstStatus,
    wakeAt: undefined,
    endedAt: undefined,
    pending: 0,
    isDirty: false,
    isDetached: false,
    isVerified: true,
  };
}

/** The run that was started under the same key, while that key counts. */
function findSameStart(store: CommitStore, { startKey, windowMs }: NewRun, now: number): RunId | undefined {
  const earlier = startKey === undefined ? undefined : store.findStartKey(startKey);
  return earlier !== undefined && (windowMs === undefined || now - earlier.at < windowMs) ? earlier.run : undefined;
}

type EffectVerdict =
  | { readonly kind: "changed"; readonly effect: EffectRecord }
  | { readonly kind: "taken"; readonly effect: EffectRecord }
  | Refused;

function decideEffect(store: CommitStore, head: RunHead, change: EffectChange): EffectVerdict {
  const present = store.findEffect(change.kind === "intend" ? change.effect.key : change.key);
  if (change.kind === "intend") {
    if (present !== undefined && !mayClaim(present, head, change)) return { kind: "taken", effect: present };
    return { kind: "changed", effect: { ...change.effect, run: head.run, state: "intended", settledLsn: undefined } };
  }
  if (present === undefined || !mayChange(present, head, change.state)) {
    return { kind: "refused", error: toUnknownEffect(head, change.key, present) };
  }
  // An undone effect keeps the entry that settled it; one that did not happen has none.
  const settledLsn = change.state === "undone" || change.state === "in-doubt" ? present.settledLsn : undefined;
  return { kind: "changed", effect: { ...present, state: change.state, settledLsn } };
}

/** A key is free when its last owner certainly changed nothing. A settled effect is never done again, not even by its own step. */
function mayClaim(present: EffectRecord, head: RunHead, intent: EffectChange & { readonly kind: "intend" }): boolean {
  if (present.state === "failed" || present.state === "undone") return true;
  return present.run === head.run && present.step === intent.effect.step && present.state !== "settled";
}

/** Besides its owner, a run forked from the owner may take an effect back: it stands in the past they share. */
function mayChange(present: EffectRecord, head: RunHead, state: EffectState): boolean {
  return (
    present.run === head.run || (state === "undone" && (present.state === "settled" || present.state === "undone"))
  );
}

function toUnknownEffect(head: RunHead, key: string, present: EffectRecord | undefined): TuttiError {
  const why = present === undefined ? "is not in the ledger" : `belongs to run ${present.run}`;
  return new TuttiError("EFFECT_UNKNOWN", `effect ${key} can't be changed by run ${head.run}: it ${why}`, {
    hint: "Change an effect from the run that intended it; `tutti effects` lists them.",
    facts: { run: head.run, effect: key, ...(present === undefined ? {} : { owner: present.run }) },
  });
}
