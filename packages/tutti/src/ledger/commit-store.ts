import type { ApprovalRecord } from "../contracts/approval.ts";
import type { AccountRecord, Reservation } from "../contracts/budget.ts";
import type { DocumentRecord } from "../contracts/document.ts";
import type { ApprovalId, DocumentId, EffectKey, RunId } from "../contracts/ids.ts";
import type { EffectRecord, RunRecord, RunStatus } from "../contracts/run-record.ts";
import type { Blob, NewEntry, NewRun } from "./ledger.ts";

/**
 * What a run's next entry has to know. Kept in memory while the run is written, and changed in place:
 * this is the one hot object of the ledger.
 */
export interface RunHead {
  /** The store's own number for the run. */
  readonly number: number;
  readonly run: RunId;
  readonly origin: RunOrigin;
  epoch: number;
  /** Of the last entry. */
  seq: number;
  /** Of the last entry. */
  hash: string;
  status: RunStatus;
  wakeAt: number | undefined;
  endedAt: number | undefined;
  /** Rows that wait to be committed. */
  pending: number;
  /** Epoch, status or wake time are newer than in the store. */
  isDirty: boolean;
  /** Dropped from memory; whoever still holds it has to look the run up again. */
  isDetached: boolean;
  /** The chain up to here was verified by this process, or written by it. */
  isVerified: boolean;
}

/** What never changes about a run. */
export type RunOrigin = Pick<RunRecord, "flow" | "version" | "startedAt" | "parent" | "startKey">;

export type StoredHead = Pick<
  RunHead,
  "number" | "run" | "origin" | "epoch" | "seq" | "hash" | "status" | "wakeAt" | "endedAt"
>;

/** The place of the entry that is being written. One object per batch, changed for every entry. */
export interface Place {
  lsn: number;
  at: number;
}

export interface Birth {
  readonly startedAt: number;
  /** 1 for a run that its starter holds, 0 for one that nobody holds yet. */
  readonly epoch: 0 | 1;
}

export interface StartKey {
  readonly run: RunId;
  readonly at: number;
}

/**
 * What the commit queue writes to. Everything but `sync` is synchronous, and every change happens between `begin` and
 * `commit`; what was rolled back is not seen by readers. Whatever throws here stops the ledger.
 */
export interface CommitStore {
  begin(): void;
  commit(): void;
  rollback(): void;
  /**
   * Makes durable what was committed before the call, for so many rows that `wait`; may call back before it returns.
   * Absent where a commit is as durable as it gets.
   */
  readonly sync?: (done: (error?: unknown) => void, waiting: number) => void;
  /** The last entry's place; zeros in an empty ledger. */
  findTail(): Place;
  findHead(run: RunId): StoredHead | undefined;
  /** Returns the store's number for the new run. */
  insertRun(run: NewRun, birth: Birth): number;
  /** `head.seq` and `head.hash` are those of the new entry. */
  insertEntry(head: RunHead, entry: Pick<NewEntry, "kind" | "key" | "body">, place: Place): void;
  /** Does nothing if the blob exists. */
  insertBlob(blob: Blob): void;
  updateRun(head: RunHead): void;
  findStartKey(key: string): StartKey | undefined;
  putStartKey(key: string, start: StartKey): void;
  findEffect(key: EffectKey): EffectRecord | undefined;
  putEffect(effect: EffectRecord): void;
  /** The open ones, asked for once: the writer knows them from then on. */
  listReservations(): readonly Reservation[];
  putReservation(reservation: Reservation): void;
  removeReservation(reservation: Reservation): void;
  findAccount(account: string): AccountRecord | undefined;
  putAccount(record: AccountRecord): void;
  putKept(name: string, state: string): void;
  /** The newest version. */
  findDocument(document: DocumentId): DocumentRecord | undefined;
  putDocument(record: DocumentRecord): void;
  /** Those that are open or granted, asked for once: the writer knows them from then on. */
  listLiveApprovals(): readonly ApprovalRecord[];
  findApproval(id: ApprovalId): ApprovalRecord | undefined;
  putApproval(approval: ApprovalRecord): void;
}

/** The first state of a run, before any driver claimed it. */
export const firstStatus: RunRecord["status"] = "running";
