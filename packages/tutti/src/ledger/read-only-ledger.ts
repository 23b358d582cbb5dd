import { TuttiError } from "../base/errors.ts";
import { toClosedError } from "./ledger-errors.ts";
import type { LedgerReader } from "./ledger-reader.ts";
import type { Ledger } from "./ledger.ts";

export interface ReadOnlyStore {
  /** Makes what the writer has committed so far durable. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** A ledger for those who only look. */
export function createReadOnlyLedger(reader: LedgerReader, store: ReadOnlyStore): Ledger {
  let closing: Promise<void> | undefined;
  const reading = (): LedgerReader => {
    if (closing !== undefined) throw toClosedError();
    return reader;
  };
  return {
    start: refuse,
    claim: refuse,
    claimTogether: refuse,
    read: async (run, fromSeq, limit) => reading().read(run, fromSeq ?? 1, limit),
    scan: async (afterLsn, limit) => reading().scan(afterLsn, limit),
    readBlob: async (hash) => reading().readBlob(hash),
    findRun: async (run) => reading().findRun(run),
    listRuns: async (filter) => reading().listRuns(filter),
    findEffect: async (key) => reading().findEffect(key),
    listEffects: async (filter) => reading().listEffects(filter),
    listAccounts: async (filter = {}) => reading().listAccounts(filter),
    listKept: async () => reading().listKept(),
    keep: () => {}, // as after a crash: what was not written is not known
    findDocument: async (document, version) => reading().findDocument(document, version),
    listDocuments: async (filter) => reading().listDocuments(filter),
    listVersions: async (document, limit) => reading().listVersions(document, limit),
    findApproval: async (id) => reading().findApproval(id),
    listApprovals: async (filter) => reading().listApprovals(filter),
    flush: () => store.flush(),
    close() {
      closing ??= store.close();
      return closing;
    },
  };
}

async function refuse(): Promise<never> {
  throw new TuttiError("LEDGER_UNWRITABLE", "the ledger was opened read-only", {
    hint: "Ask the engine that holds the ledger, or stop it and open the ledger for writing.",
  });
}
