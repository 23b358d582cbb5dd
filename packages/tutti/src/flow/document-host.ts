import type { DocumentId } from "../contracts/ids.ts";

/** What the engine does for documents, for all runs that it drives. */
export interface DocumentHost {
  /** The newest version, or the one that is asked for; nothing if there is none. */
  read(document: DocumentId, version?: number): Promise<ReadDocument | undefined>;
  /** Calls back when somebody in this process has written the document, or left it to others. Returns the function that forgets it. */
  watch(document: DocumentId, listener: (newest: number) => void): () => void;
  /** How often somebody has left what he held. Who was refused because of a lease asks again if it has changed since he asked. */
  readonly leaves: number;
  /** Says that a version was written, or with 0 that somebody who held the document has left it. */
  tell(document: DocumentId, newest: number): void;
  /** First come, first served among those who want a lease of the same documents. The function that is returned lets the next one in. */
  takeTurn(documents: readonly DocumentId[], leaseMs: number): Promise<() => void>;
}

export interface ReadDocument {
  readonly version: number;
  readonly value: unknown;
  /** Of what its writer had learned. */
  readonly labels?: readonly string[] | undefined;
}
