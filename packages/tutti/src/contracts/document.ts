import type { Difference } from "../base/difference.ts";
import type { DocumentId, StepKey } from "./ids.ts";
import type { Schema } from "./schema.ts";

/** Shared, versioned state of one kind: many documents, each under a key of its own. */
export interface DocumentType<Value = unknown> {
  readonly kind: "document";
  readonly name: string;
  readonly does: string;
  readonly value: Schema<Value>;
  /** What a document holds that nobody has written yet; its version is 0. */
  readonly initial: Value | undefined;
  readonly onConflict: ConflictPolicy<Value>;
}

/** What happens when somebody else was first. */
export interface ConflictPolicy<Value> {
  /**
   * Puts two changes of one version together, so that neither is lost and nothing is done again. Must be pure. `base` is what both began
   * with, `mine` what this transaction wants, `theirs` the newest.
   */
  merge?(this: void, base: Value, mine: Value, theirs: Value): Value;
  /**
   * What a transaction does that can't be merged: `rerun` (default) is stopped at once and begins anew; `refresh` comes to its end, and is
   * then called again with its own result and what has changed; `never` gives up at once.
   */
  readonly again?: "rerun" | "refresh" | "never";
  /** After so many conflicts the next try holds a lease: others wait with their writes. 3 by default. */
  readonly leaseAfter?: number;
  /** How long a lease lasts at most; 30 seconds by default. */
  readonly leaseMs?: number;
  /** How often a transaction is tried before it gives up; 10 by default. */
  readonly triesMax?: number;
  /** How it gives up: `throw` (default) DOCUMENT_CONFLICT to the flow, or `park` the run until a person resumes it. */
  readonly escalate?: "throw" | "park";
}

/** One version of a document. */
export interface DocumentState<Value = unknown> {
  readonly value: Value;
  /** 0 as long as nobody has written it. */
  readonly version: number;
}

export interface ReadOptions {
  /**
   * This transaction will not write it. Only matters for documents that can be merged: a newer version then stops the work at once, because
   * there will be nothing to merge.
   */
  readonly onlyRead?: boolean;
}

/** One document, seen from one place in a run. */
export interface DocumentHandle<Value> {
  /** The newest value. Whoever read relies on it: until it is read again, a newer version stops this place's commits and effects. */
  read(options?: ReadOptions): Promise<DocumentState<Value>>;
  /** The newest value, only to look at: nothing is checked against it. */
  peek(): Promise<DocumentState<Value>>;
  /** Writes on top of the version that this place has read; without one, of the newest. @throws DOCUMENT_CONFLICT */
  write(value: Value): Promise<void>;
  /** Reads, changes and writes; returns what was written. @throws DOCUMENT_CONFLICT */
  change(change: (value: Value) => Value): Promise<Value>;
}

export interface Refreshed {
  /** What the try before returned. */
  readonly result: unknown;
  readonly changes: readonly DocumentChanged[];
}

/** What somebody else did to a document meanwhile. */
export interface DocumentChanged {
  readonly document: DocumentId;
  /** As it was read. */
  readonly before: DocumentState;
  readonly now: DocumentState;
  readonly diff: readonly Difference[];
}

/** A document that was read, and has a newer version. */
export interface StaleRead {
  readonly document: DocumentId;
  readonly seen: number;
  readonly newest: number;
}

/** What the ledger knows of one version of a document without its value. */
export interface DocumentRecord {
  readonly document: DocumentId;
  readonly version: number;
  /** The entry that wrote it. */
  readonly lsn: number;
}

/** One version of a document with who wrote it. */
export interface DocumentVersion<Value = unknown> extends DocumentState<Value> {
  readonly run: string;
  readonly step: StepKey;
  readonly at: number;
  /** What it changed in the version before. */
  readonly diff: readonly Difference[];
}
