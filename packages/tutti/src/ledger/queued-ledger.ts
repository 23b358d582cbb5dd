import { openClaims } from "./claims.ts";
import type { CommitQueue } from "./commit-queue.ts";
import { toClosedError } from "./ledger-errors.ts";
import type { LedgerReader } from "./ledger-reader.ts";
import type { Ledger } from "./ledger.ts";

/** A ledger whose store lives in this process: writes go through the queue, reads straight to the store. */
export function createQueuedLedger(queue: CommitQueue, reader: LedgerReader, closeStore: () => Promise<void>): Ledger {
  let closing: Promise<void> | undefined;
  const reading = (): LedgerReader => {
    if (closing !== undefined) throw toClosedError();
    return reader;
  };
  const claims = openClaims(queue, reader, reading);
  const close = async (): Promise<void> => {
    await queue.close();
    await closeStore();
  };
  return {
    start: (run) =>
      queue.start(run).then((started) => {
        if (started.kind === "exists") return started;
        const claim = claims.toFirstClaim(started, run.copied !== undefined);
        return { kind: "started", run: run.id, claim };
      }),
    claim: async (run) => claims.claim(run),
    claimTogether: async (runs, isWanted) => claims.claimTogether(runs, isWanted),
    read: async (run, fromSeq, limit) => reading().read(run, fromSeq ?? 1, limit),
    scan: async (afterLsn, limit) => reading().scan(afterLsn, limit),
    readBlob: async (hash) => reading().readBlob(hash),
    findRun: (run) => claims.findRun(run),
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
