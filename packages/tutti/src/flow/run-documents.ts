import type { DocumentHandle, DocumentState, DocumentType, StaleRead } from "../contracts/document.ts";
import type { DocumentId } from "../contracts/ids.ts";
import { openReadSets, type DocumentReads, type ReadSets } from "./read-sets.ts";
import type { Scope } from "./scope.ts";

/** One document, as it is used at one place. */
export interface DocumentPlace {
  readonly scope: Scope;
  readonly type: DocumentType;
  readonly id: DocumentId;
}

/** A transaction that is being tried, for what happens inside of it. */
export interface OpenAttempt {
  readonly over: boolean;
  /** Its function has ended; from now on the commit says whether it was in time. */
  readonly ended: boolean;
  versions(): DocumentReads;
  /** Whether it has read all of them itself, so that trying again helps. */
  hasReadAll(stale: readonly StaleRead[]): boolean;
  /** Stops it, because what it has read has newer versions. */
  stop(stale: readonly StaleRead[]): void;
  read(place: DocumentPlace): Promise<DocumentState>;
  open(place: DocumentPlace): DocumentHandle<unknown>;
}

/** What a run knows of documents. Made when it first uses one. */
export interface RunDocuments {
  readonly reads: ReadSets;
  /** The transactions at work, by the scope of their present try. */
  readonly attempts: Map<Scope, OpenAttempt>;
  /** The transaction that this place belongs to. */
  attemptAt(scope: Scope): OpenAttempt | undefined;
  /** Everything that what happens at this place relies on. */
  reliedAt(scope: Scope): DocumentReads;
}

export function openRunDocuments(): RunDocuments {
  const reads = openReadSets();
  const attempts = new Map<Scope, OpenAttempt>();
  const attemptAt = (scope: Scope): OpenAttempt | undefined => {
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
