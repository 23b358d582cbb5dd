import type { DocumentId } from "../contracts/ids.ts";
import { openReadSets, type DocumentReads, type ReadSets } from "./read-sets.ts";
import type { Scope } from "./scope.ts";
import type { TransactionAttempt } from "./transaction-attempt.ts";

/** What a run knows of documents. Made when it first uses one. */
export interface RunDocuments {
  readonly reads: ReadSets;
  /** The transactions at work, by the scope of their present try. */
  readonly attempts: Map<Scope, TransactionAttempt>;
  /** The transaction that this place belongs to. */
  attemptAt(scope: Scope): TransactionAttempt | undefined;
  /** Everything that what happens at this place relies on. */
  reliedAt(scope: Scope): DocumentReads;
}

export function openRunDocuments(): RunDocuments {
  const reads = openReadSets();
  const attempts = new Map<Scope, TransactionAttempt>();
  const attemptAt = (scope: Scope): TransactionAttempt | undefined => {
    for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
      const attempt = attempts.get(at);
      if (attempt !== undefined) return attempt;
    }
    return undefined;
  };
  return {
    reads,
    attempts,
    attemptAt,
    reliedAt(scope) {
      const relied = new Map<DocumentId, number>(reads.at(scope.path));
      for (const [document, version] of attemptAt(scope)?.versions() ?? []) relied.set(document, version);
      return relied;
    },
  };
}
