import type { ApprovalRecord } from "../contracts/approval.ts";
import type { AccountRecord } from "../contracts/budget.ts";
import type { DocumentRecord } from "../contracts/document.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import type { ApprovalId, DocumentId, EffectKey, RunId } from "../contracts/ids.ts";
import type { EffectRecord, RunRecord } from "../contracts/run-record.ts";
import type { RunHead } from "./commit-store.ts";
import type { AccountFilter, ApprovalFilter, DocumentFilter, EffectFilter, Kept, RunFilter } from "./ledger.ts";

/** What a store can answer at once. It sees only what is committed. */
export interface LedgerReader {
  read(run: RunId, fromSeq: number, limit?: number): readonly LedgerEntry[];
  /** All entries of a run whose number in the store is known. */
  readOf(head: Pick<RunHead, "run" | "number">): readonly LedgerEntry[];
  /** The same of several runs, in their order. */
  readOfAll(heads: readonly Pick<RunHead, "run" | "number">[]): readonly (readonly LedgerEntry[])[];
  /** Those of the runs that there are, in any order; or none, where asking for each costs no more. */
  readRuns(runs: readonly RunId[]): readonly StoredRun[];
  scan(afterLsn: number, limit: number): readonly LedgerEntry[];
  readBlob(hash: string): string | undefined;
  findRun(run: RunId): RunRecord | undefined;
  listRuns(filter: RunFilter): readonly RunRecord[];
  findEffect(key: EffectKey): EffectRecord | undefined;
  listEffects(filter: EffectFilter): readonly EffectRecord[];
  listAccounts(filter: AccountFilter): readonly AccountRecord[];
  listKept(): readonly Kept[];
  findDocument(document: DocumentId, version: number | undefined): DocumentRecord | undefined;
  listDocuments(filter: DocumentFilter): readonly DocumentRecord[];
  listVersions(document: DocumentId, limit: number): readonly DocumentRecord[];
  findApproval(id: ApprovalId): ApprovalRecord | undefined;
  listApprovals(filter: ApprovalFilter): readonly ApprovalRecord[];
}

export interface StoredRun {
  /** The store's own number for the run. */
  readonly number: number;
  readonly record: RunRecord;
}
