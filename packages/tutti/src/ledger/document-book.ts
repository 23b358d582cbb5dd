import type { DocumentRecord, StaleRead } from "../contracts/document.ts";
import type { DocumentId, RunId } from "../contracts/ids.ts";
import type { CommitStore, Place, RunHead } from "./commit-store.ts";
import type { DocumentChange, Unfresh } from "./ledger.ts";

/**
 * Versions and leases of documents: decided inside the transaction of a batch, whose writer is the only one, so that what was read is
 * still the newest at the very moment at which the entry that relies on it is written.
 */
export interface DocumentBook {
  /** Why the entry may not be written; nothing if it may. Changes nothing. */
  decide(head: RunHead, change: DocumentChange): Unfresh | undefined;
  /** What the entry, which has just been written, does to versions and leases. */
  apply(head: RunHead, change: DocumentChange): void;
}

/** Who may write a document until then. Kept in memory: whoever held one begins anew after a crash. */
interface Lease {
  readonly run: RunId;
  readonly holder: string;
  readonly untilMs: number;
}

export function openDocumentBook(store: CommitStore, place: Place): DocumentBook {
  const leases = new Map<DocumentId, Lease>();
  const findLeased = (head: RunHead, holder: string, documents: readonly DocumentId[]): Unfresh | undefined => {
    if (leases.size === 0) return undefined;
    for (const document of documents) {
      const lease = leases.get(document);
      if (lease === undefined || isHeldBy(lease, head, holder) || lease.untilMs <= place.at) continue;
      return { kind: "leased", document, untilMs: lease.untilMs };
    }
    return undefined;
  };
  const release = (head: RunHead, holder: string): void => {
    for (const [document, lease] of leases) if (isHeldBy(lease, head, holder)) leases.delete(document);
  };
  return {
    decide(head, change) {
      switch (change.kind) {
        case "rely":
          return findStale(store, change.reads);
        case "commit":
          return findStale(store, change.reads) ?? findLeased(head, change.holder, change.writes);
        case "lease":
          return findLeased(head, change.holder, change.documents);
        case "release":
          return undefined;
      }
    },
    apply(head, change) {
      if (change.kind === "lease") {
        const { holder, untilMs } = change;
        for (const document of change.documents) leases.set(document, { run: head.run, holder, untilMs });
      } else if (change.kind !== "rely" && leases.size > 0) release(head, change.holder);
      if (change.kind === "commit") {
        for (const document of change.writes) store.putDocument(toNext(change.reads, document, place.lsn));
      }
    },
  };
}

function isHeldBy(lease: Lease, head: RunHead, holder: string): boolean {
  return lease.run === head.run && lease.holder === holder;
}

function findStale(store: CommitStore, reads: DocumentReads): Unfresh | undefined {
  const documents: StaleRead[] = [];
  for (const [document, seen] of reads) {
    const newest = store.findDocument(document)?.version ?? 0;
    if (newest !== seen) documents.push({ document, seen, newest });
  }
  return documents.length === 0 ? undefined : { kind: "stale", documents };
}

type DocumentReads = ReadonlyMap<DocumentId, number>;

function toNext(reads: DocumentReads, document: DocumentId, lsn: number): DocumentRecord {
  return { document, version: (reads.get(document) ?? 0) + 1, lsn };
}
