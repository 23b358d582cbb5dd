import { TuttiError } from "../base/errors.ts";
import type { ApprovalRecord } from "../contracts/approval.ts";
import type { AccountRecord } from "../contracts/budget.ts";
import type { DocumentRecord } from "../contracts/document.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import type { ApprovalId, DocumentId, EffectKey, RunId } from "../contracts/ids.ts";
import type { EffectRecord, RunRecord } from "../contracts/run-record.ts";
import { findBreak, toChainStart, type ChainEnd } from "./chain.ts";
import type { CommitQueue } from "./commit-queue.ts";
import type { Started } from "./commit-row.ts";
import type { RunHead, StoredHead } from "./commit-store.ts";
import { toClosedError } from "./ledger-errors.ts";
import type {
  AccountFilter,
  ApprovalFilter,
  Claim,
  DocumentFilter,
  EffectFilter,
  Kept,
  Ledger,
  RunFilter,
  RunLog,
} from "./ledger.ts";

/** What a store can answer at once. It sees only what is committed. */
export interface LedgerReader {
  read(run: RunId, fromSeq: number, limit?: number): readonly LedgerEntry[];
  /** All entries of a run whose number in the store is known. */
  readOf(head: Pick<RunHead, "run" | "number">): readonly LedgerEntry[];
  /** Several runs at once, those that there are. */
  readTogether(runs: readonly RunId[]): readonly StoredRun[];
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
  readonly head: StoredHead;
  readonly entries: readonly LedgerEntry[];
}

/** A ledger whose store lives in this process: writes go through the queue, reads straight to the store. */
export function createQueuedLedger(queue: CommitQueue, reader: LedgerReader, closeStore: () => Promise<void>): Ledger {
  let closing: Promise<void> | undefined;
  const reading = (): LedgerReader => {
    if (closing !== undefined) throw toClosedError();
    return reader;
  };
  const expected = new Map<RunId, readonly LedgerEntry[]>();
  /** What was read together counts as long as nothing was written since. */
  const takeExpected = ({ run, seq }: RunHead): readonly LedgerEntry[] | undefined => {
    const entries = expected.get(run);
    expected.delete(run);
    return entries?.at(-1)?.seq === seq ? entries : undefined;
  };
  const toClaim = ({ head, log }: { readonly head: RunHead; readonly log: RunLog }): Claim => {
    const { run } = head;
    const entries = takeExpected(head) ?? reader.readOf(head); // also while closing: a start that was stored is told so
    if (!head.isVerified) verifyRun(run, entries);
    head.isVerified = true;
    return { record: toRecord(head, log.epoch), entries, log };
  };
  const close = async (): Promise<void> => {
    await queue.close();
    await closeStore();
  };
  return {
    start: (run) =>
      queue.start(run).then((started) => {
        if (started.kind === "exists") return started;
        // A new run has nothing but its start that would have to be read back.
        const claim = run.copied === undefined ? toFirstClaim(started) : toClaim(started);
        return { kind: "started", run: run.id, claim };
      }),
    claim: async (run) => toClaim(queue.claim(run)),
    async expect(runs) {
      expected.clear();
      const stored = readUndamaged(reading(), runs);
      queue.learn(stored.map(({ head }) => head));
      for (const { head, entries } of stored) expected.set(head.run, entries);
    },
    read: async (run, fromSeq, limit) => reading().read(run, fromSeq ?? 1, limit),
    scan: async (afterLsn, limit) => reading().scan(afterLsn, limit),
    readBlob: async (hash) => reading().readBlob(hash),
    async findRun(run) {
      const store = reading();
      const head = queue.find(run); // whoever looks at a run before it is driven loads what the claim needs then
      return head === undefined ? store.findRun(run) : toRecord(head, head.epoch);
    },
    listRuns: async (filter) => reading().listRuns(filter),
    findEffect: async (key) => reading().findEffect(key),
    listEffects: async (filter) => reading().listEffects(filter),
    listAccounts: async (filter = {}) => reading().listAccounts(filter),
    listKept: async () => reading().listKept(),
    keep: (name, state) => queue.keep(name, state),
    findDocument: async (document, version) => reading().findDocument(document, version),
    listDocuments: async (filter) => reading().listDocuments(filter),
    listVersions: async (document, limit) => reading().listVersions(document, limit),
    findApproval: async (id) => reading().findApproval(id),
    listApprovals: async (filter) => reading().listApprovals(filter),
    flush: () => queue.flush(),
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** Nothing where one of them is damaged: then each is read by itself, and whose claim it is hears of it. */
function readUndamaged(reader: LedgerReader, runs: readonly RunId[]): readonly StoredRun[] {
  try {
    return reader.readTogether(runs);
  } catch {
    return [];
  }
}

function toFirstClaim({ head, log, first }: Extract<Started, { readonly kind: "started" }>): Claim {
  return { record: toRecord(head, log.epoch), entries: [first], log };
}

function toRecord({ run, origin, status, endedAt, wakeAt }: RunHead, epoch: number): RunRecord {
  return { id: run, ...origin, status, epoch, endedAt, wakeAt };
}

// A run that this process did not write is not driven on before its past was checked.
function verifyRun(run: RunId, entries: readonly LedgerEntry[]): void {
  let end: ChainEnd = toChainStart(run);
  for (const entry of entries) {
    const why = findBreak(end, entry);
    if (why !== undefined) {
      throw new TuttiError(
        "LEDGER_CORRUPT",
        `entry ${entry.lsn} of run ${run} was damaged or changed by hand: ${why}`,
        {
          hint: "Run `tutti verify` to see how far the ledger is intact, and restore it from a backup.",
          facts: { run, lsn: entry.lsn, seq: entry.seq },
        },
      );
    }
    end = entry;
  }
}
