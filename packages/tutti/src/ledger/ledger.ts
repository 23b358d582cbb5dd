import type { TuttiError } from "../base/errors.ts";
import type { ApprovalRecord, ApprovalState, ApprovalVote, Unapproved } from "../contracts/approval.ts";
import type { AccountRecord, Amount, BudgetLevel, Shortage } from "../contracts/budget.ts";
import type { DocumentRecord, StaleRead } from "../contracts/document.ts";
import type { EntryKind, LedgerEntry } from "../contracts/entry.ts";
import type { ApprovalId, DocumentId, EffectKey, RunId, StepKey } from "../contracts/ids.ts";
import type { EffectRecord, EffectState, RunRecord, RunStatus } from "../contracts/run-record.ts";
import type { SubjectKeys } from "./personal/subject-keys.ts";

/** `power`: acknowledged entries survive a power cut. `process`: they survive the death of the process. */
export type Durability = "power" | "process";

/**
 * The append-only record, and the port that every store implements (memory, SQLite, PostgreSQL).
 *
 * Contract, proved for each by test/ledger/ledger-conformance.ts:
 * - Appends of one run keep their order; `seq` and `lsn` have no gaps; every entry is chained to the run's previous one.
 * - A promise of `start` or `append` resolves only when the entry is as durable as the ledger was opened for.
 * - An append under an epoch that is no longer the run's is refused (LEDGER_FENCED), and nothing of it is stored.
 * - An effect's key has at most one owner; a second intent gets `taken`, and nothing of it is stored.
 * - What is reserved and spent never exceeds the limit of any account of a reservation; one that does not fit leaves nothing.
 * - An entry that relies on versions of documents is stored only while each of them is the newest; otherwise nothing of it is.
 * - An approval is decided once, and a yes is used once, by the entry that begins what it was given for.
 * - Entries of a group are stored together or not at all.
 * - After a failed write nothing more is acknowledged (LEDGER_STOPPED).
 */
export interface Ledger {
  /** Creates a run with its first entry, or says which run already answers to its id or start key. */
  start(run: NewRun): Promise<StartOutcome>;
  /** Takes the run over: raises its epoch, so that an earlier driver can't write any more, and returns its entries. */
  claim(run: RunId): Promise<Claim>;
  /** Takes over those of several runs that are wanted, in a fraction of the time; what became of each stands in its place. Never rejects for one run alone. */
  claimTogether(runs: readonly RunId[], isWanted: (record: RunRecord) => boolean): Promise<readonly ClaimOutcome[]>;
  /** The run's entries in order, from `fromSeq` (1 by default), at most `limit` (all by default). They may not be on disk yet. */
  read(run: RunId, fromSeq?: number, limit?: number): Promise<readonly LedgerEntry[]>;
  /** Entries of all runs after `lsn`, in order, at most `limit`. */
  scan(afterLsn: number, limit: number): Promise<readonly LedgerEntry[]>;
  readBlob(hash: string): Promise<string | undefined>;
  findRun(run: RunId): Promise<RunRecord | undefined>;
  /** Newest first. */
  listRuns(filter: RunFilter): Promise<readonly RunRecord[]>;
  findEffect(key: EffectKey): Promise<EffectRecord | undefined>;
  listEffects(filter: EffectFilter): Promise<readonly EffectRecord[]>;
  /** Accounts by name, of all or of those whose name begins with `under`. */
  listAccounts(filter?: AccountFilter): Promise<readonly AccountRecord[]>;
  /** Keeps a small state under a name, in the next commit; the last one counts. Nobody is told when it is durable. */
  keep(name: string, state: string): void;
  /** Everything that is kept, by name. */
  listKept(): Promise<readonly Kept[]>;
  /** The newest version of a document, or the one that is asked for. */
  findDocument(document: DocumentId, version?: number): Promise<DocumentRecord | undefined>;
  /** The newest version of each document, by id. */
  listDocuments(filter: DocumentFilter): Promise<readonly DocumentRecord[]>;
  /** Versions of one document, the newest first, at most `limit`. */
  listVersions(document: DocumentId, limit: number): Promise<readonly DocumentRecord[]>;
  findApproval(id: ApprovalId): Promise<ApprovalRecord | undefined>;
  /** The oldest first. */
  listApprovals(filter: ApprovalFilter): Promise<readonly ApprovalRecord[]>;
  /** Resolves when everything appended so far is durable. */
  flush(): Promise<void>;
  close(): Promise<void>;
  /** Present where runs about a person are stored sealed: personal/personal-ledger.ts. */
  readonly personal?: { readonly stored: Ledger; readonly keys: SubjectKeys };
}

/** The ledger as it is on disk, which is what chains, proofs and signatures are about. */
export function storedOf(ledger: Ledger): Ledger {
  return ledger.personal?.stored ?? ledger;
}

export interface Claim {
  readonly record: RunRecord;
  readonly entries: readonly LedgerEntry[];
  readonly log: RunLog;
}

export type ClaimOutcome =
  | { readonly kind: "claimed"; readonly claim: Claim }
  /** It is not wanted, and nobody was kept from driving it. */
  | { readonly kind: "passed"; readonly record: RunRecord }
  | { readonly kind: "unknown" }
  /** Why it can't be claimed. */
  | { readonly kind: "refused"; readonly error: TuttiError };

/**
 * Whether a run goes on before an entry is on disk, and when that is written.
 * - `awaited`: the run waits for it.
 * - `prompt`: written as soon as that, while the run goes on.
 * - `lazy`: the run goes on, and it is written with the next entry that is in no way lazy, at the latest after some milliseconds.
 */
export type Pace = "awaited" | "prompt" | "lazy";

/** One driver's right to write to one run. */
export interface RunLog {
  readonly run: RunId;
  readonly epoch: number;
  /** Rejects with LEDGER_FENCED, LEDGER_STOPPED or LEDGER_CLOSED. */
  append(entry: NewEntry): Promise<Appended>;
  /** Like `append`, and tells a waiter instead of making a promise: a run of thousands of steps makes one of these for each. */
  write(entry: NewEntry, waiter: AppendWaiter, pace: Pace): void;
  /** Resolves when all of this log's entries so far are durable; at once when they are. */
  durable(): Promise<void>;
  /** Notes a state that needs no entry of its own, such as waiting until a time. */
  mark(status: RunStatus, wakeAt?: number): void;
}

/** Called once, with one of the two. Must not throw. */
export interface AppendWaiter {
  /** The entry is as durable as the ledger was opened for. */
  onAppended(appended: Appended): void;
  /** LEDGER_FENCED, LEDGER_STOPPED, LEDGER_CLOSED or VALUE_NOT_STORABLE. */
  onRefused(error: TuttiError): void;
}

export type Appended =
  /** `reserved` is what a reservation was granted: the time may be less than was asked for. */
  | {
      readonly kind: "recorded";
      readonly seq: number;
      readonly lsn: number;
      readonly reserved?: Amount;
      /** The approval that the entry is about, as it is now. */
      readonly approval?: ApprovalRecord;
    }
  /** The entry was an intent and the key belongs to another step. */
  | { readonly kind: "taken"; readonly effect: EffectRecord }
  /** An entry under the same `onceKey` was stored before. */
  | { readonly kind: "repeated" }
  /** The entry reserves more than is left. */
  | { readonly kind: "spent"; readonly shortage: Shortage }
  /** The approval is not one, or not for this. */
  | Unapproved
  /** Another entry of its group could not be stored, so this one was not either. */
  | { readonly kind: "incomplete" }
  | Unfresh;

/** Why an entry that relies on documents was not written. */
export type Unfresh =
  | { readonly kind: "stale"; readonly documents: readonly StaleRead[] }
  /** Somebody else may write it until then. */
  | { readonly kind: "leased"; readonly document: DocumentId; readonly untilMs: number };

export interface NewEntry {
  readonly kind: EntryKind;
  readonly key: string;
  /** JSON text in the shape that contracts/entry-bodies.ts gives for the kind. The ledger itself writes that of `budget-…` entries. */
  readonly body: string;
  /** Large values that the body refers to by hash; stored once each, in the same transaction. */
  readonly blobs?: readonly Blob[];
  /** The run's state from this entry on. */
  readonly status?: RunStatus;
  readonly wakeAt?: number;
  /** What this entry does to an effect; checked and stored in the same transaction. */
  readonly effect?: EffectChange;
  /** Entries under one such key are one entry: a second one is answered with `repeated`, and nothing of it is stored. */
  readonly onceKey?: string;
  /** What this entry does to the run's reservations, in the same transaction, which also writes the entry that says so. */
  readonly budget?: BudgetChange;
  /** What this entry relies on and does to documents; checked and stored in the same transaction. */
  readonly document?: DocumentChange;
  /** What this entry does to an approval; checked and stored in the same transaction, which also writes the entry that says how it ended. */
  readonly approval?: ApprovalChange;
  /** All entries of a group are stored in one transaction, or none of them is. */
  readonly group?: EntryGroup;
  /** Another run that waited for this one: in the same transaction it counts as running again, so that a crash does not forget to wake it. */
  readonly wakes?: RunId;
  /** A run that starts with this entry, in the same transaction: a child. Ignored if it exists. */
  readonly starts?: NewRun;
}

/**
 * Entries of one run or several, named by the object itself. Each is a vote on an approval of its own, so that none decides on another.
 * All of them are handed over in one turn of the event loop.
 */
export interface EntryGroup {
  readonly size: number;
}

export interface Blob {
  readonly hash: string;
  readonly content: string;
}

export type EffectChange =
  | { readonly kind: "intend"; readonly effect: Pick<EffectRecord, "key" | "step" | "tool" | "class" | "digest"> }
  | { readonly kind: "change"; readonly key: EffectKey; readonly state: Exclude<EffectState, "intended"> }
  /** A check or a person found that it did not happen: it may be dispatched again by its owner. */
  | { readonly kind: "change"; readonly key: EffectKey; readonly state: "intended" };

/**
 * A step has at most one open reservation. It is settled by its step, by the outcome of its effect, by the next reservation of its step (then
 * nobody knows what became of it, and all of it was spent), or by the end of its run.
 */
export type BudgetChange =
  | { readonly kind: "reserve"; readonly levels: readonly BudgetLevel[]; readonly amount: Amount }
  /** Without `actual`: nobody knows, so all that was reserved is spent. */
  | { readonly kind: "settle"; readonly actual?: Amount; readonly by: "call" | "crash" };

/** `holder` names the transaction of the run that holds leases. */
export type DocumentChange =
  | { readonly kind: "rely"; readonly reads: ReadonlyMap<DocumentId, number> }
  /** Each document that is written is one that was read, and gets the next version. Gives leases back. */
  | {
      readonly kind: "commit";
      readonly reads: ReadonlyMap<DocumentId, number>;
      readonly writes: readonly DocumentId[];
      readonly holder: string;
    }
  /** All of them or none. Until then nobody else may write them. */
  | {
      readonly kind: "lease";
      readonly documents: readonly DocumentId[];
      readonly holder: string;
      readonly untilMs: number;
    }
  | { readonly kind: "release"; readonly holder: string };

export type ApprovalChange =
  | { readonly kind: "request"; readonly approval: Omit<ApprovalRecord, "askedLsn" | "lsn"> }
  | { readonly kind: "vote"; readonly id: ApprovalId; readonly vote: ApprovalVote }
  /** The time of its stage is over. */
  | { readonly kind: "timeout"; readonly id: ApprovalId }
  | { readonly kind: "end"; readonly id: ApprovalId; readonly state: "superseded" | "withdrawn"; readonly why: string }
  /** The yes is used, for what `binding` says. */
  | {
      readonly kind: "use";
      readonly id: ApprovalId;
      readonly step: StepKey;
      readonly binding: ApprovalRecord["binding"];
    };

export interface NewRun {
  readonly id: RunId;
  readonly flow: string;
  readonly version: string;
  /** JSON text of the `run-started` body. */
  readonly body: string;
  readonly blobs?: readonly Blob[];
  readonly parent?: RunId;
  /** Two starts with one key are one run: for ever, or within `windowMs` of the first. */
  readonly startKey?: string;
  readonly windowMs?: number;
  /** Entries taken over from the run that this one was forked from. */
  readonly copied?: readonly NewEntry[];
}

/** Who starts a run holds it from its first entry on, until somebody else claims it. */
export type StartOutcome =
  | { readonly kind: "started"; readonly run: RunId; readonly claim: Claim }
  | { readonly kind: "exists"; readonly run: RunId };

export interface RunFilter {
  readonly statuses?: readonly RunStatus[];
  readonly flow?: string;
  readonly parent?: RunId;
  /** Only runs that are due at or before this moment. */
  readonly dueBy?: number;
  readonly limit?: number;
}

export interface AccountFilter {
  readonly under?: string;
  readonly limit?: number;
}

export interface DocumentFilter {
  /** Only documents whose id begins so. */
  readonly under?: string;
  readonly limit?: number;
}

export interface ApprovalFilter {
  readonly run?: RunId;
  readonly step?: StepKey;
  readonly states?: readonly ApprovalState[];
  /** Only those that were asked behind this position in the ledger. */
  readonly askedAfter?: number;
  readonly limit?: number;
}

export interface Kept {
  readonly name: string;
  readonly state: string;
}

export interface EffectFilter {
  readonly run?: RunId;
  readonly states?: readonly EffectState[];
  readonly step?: StepKey;
}
