import { toDifferences } from "../base/difference.ts";
import { TuttiError, toStoredError } from "../base/errors.ts";
import { toJsonText } from "../base/json.ts";
import type {
  DocumentChanged,
  DocumentHandle,
  DocumentState,
  DocumentType,
  ReadOptions,
  StaleRead,
} from "../contracts/document.ts";
import type { DocumentId, StepKey } from "../contracts/ids.ts";
import { parseWith } from "../contracts/schema.ts";
import type { NewEntry } from "../ledger/ledger.ts";
import { stopsAtOnce, type Conflicting } from "./conflict.ts";
import type { Driver } from "./driver.ts";
import { labelsAt, learn, toLabelField } from "./labels.ts";
import { enterReading, readDocument } from "./read-document.ts";
import type { DocumentReads } from "./read-sets.ts";
import type { DocumentPlace, OpenAttempt } from "./run-documents.ts";
import type { Scope } from "./scope.ts";
import { toBlobs } from "./step.ts";
import { toBody, toStoredValue, type StoredValue } from "./stored-value.ts";

/** How a transaction's function ended. */
export type AttemptEnd =
  | { readonly kind: "returned"; readonly output: unknown }
  | { readonly kind: "threw"; readonly error: TuttiError };

interface Seen {
  readonly type: DocumentType;
  readonly version: number;
  /** As text, so that nobody can change what was read. */
  readonly json: string | undefined;
  /** The code around the transaction had read it, and the transaction has not read it again. */
  readonly isOuter: boolean;
}

interface Written {
  readonly json: string;
  /** The version that it was begun on, if it was put together with a newer one. */
  readonly mergedFrom: number | undefined;
}

export interface AttemptPlace {
  readonly key: StepKey;
  readonly number: number;
  readonly outer: Scope;
  readonly inner: Scope;
}

const never = new Promise<never>(() => {});

/** One try of a transaction: what it has read, and what it wants to write. Nothing of that is seen by others before it commits. */
export class TransactionAttempt implements OpenAttempt {
  readonly place: AttemptPlace;
  ended = false;
  over = false;
  private readonly driver: Driver;
  readonly stop: (stale: readonly StaleRead[]) => void;
  private readonly seen = new Map<DocumentId, Seen>();
  private readonly written = new Map<DocumentId, Written>();
  /** Read by a function that said that it will not write them. */
  private readonly onlyRead = new Set<DocumentId>();
  private readonly watches: (() => void)[] = [];

  constructor(driver: Driver, place: AttemptPlace, stop: (stale: readonly StaleRead[]) => void) {
    this.driver = driver;
    this.place = place;
    this.stop = stop;
    driver.documents.attempts.set(place.inner, this);
  }

  /** Nothing of it counts any more. */
  end(): void {
    this.over = true;
    for (const forget of this.watches.splice(0)) forget();
    this.driver.documents.attempts.delete(this.place.inner);
  }

  versions(): DocumentReads {
    return new Map([...this.seen].map(([document, { version }]) => [document, version]));
  }

  open(place: DocumentPlace): DocumentHandle<unknown> {
    return {
      read: (options) => this.read(place, options),
      peek: () => peek(this.driver, place),
      write: (value) => this.write(place, value),
      change: async (change) => {
        const next = change((await this.read(place)).value);
        await this.write(place, next);
        return next;
      },
    };
  }

  async read(place: DocumentPlace, { onlyRead = false }: ReadOptions = {}): Promise<DocumentState> {
    const seen = this.seen.get(place.id);
    if (seen === undefined || (seen.isOuter && !this.written.has(place.id))) await this.see(place, undefined);
    if (onlyRead) this.onlyRead.add(place.id);
    return this.stateOf(place.id);
  }

  async write(place: DocumentPlace, value: unknown): Promise<void> {
    if (this.ended || this.over) return never; // not awaited by its function: it is not part of what that returned
    const what = `what was written to ${place.id}`;
    const parsed = await parseWith(place.type.value, value, { code: "INPUT_INVALID", what });
    const json = toJsonText(parsed, what);
    if (json === undefined) {
      throw new TuttiError("VALUE_NOT_STORABLE", `${what} is undefined`, { hint: "Write null for nothing." });
    }
    // On top of what the code around has read, if it has: what it decided, it decided on that.
    if (!this.seen.has(place.id))
      await this.see(place, this.driver.documents.reads.find(this.place.outer.path, place.id));
    const mergedFrom = this.written.get(place.id)?.mergedFrom;
    this.written.set(place.id, { json, mergedFrom });
  }

  private async see(place: DocumentPlace, version: number | undefined): Promise<void> {
    const { driver } = this;
    const key = enterReading(driver, place);
    if (key === undefined) return never;
    const { id, type } = place;
    const state = await readDocument(driver, { ...place, key, version });
    const present = this.seen.get(id);
    // Branches may read at the same time; then the first reading counts for all.
    if (present !== undefined && !present.isOuter) return undefined;
    const json = toJsonText(state.value, `the document ${id}`);
    this.seen.set(id, { type, version: state.version, json, isOuter: version !== undefined });
    if (present === undefined) this.watch(id, type);
    return undefined;
  }

  private stateOf(id: DocumentId): DocumentState {
    const seen = this.seen.get(id);
    const json = this.written.get(id)?.json ?? seen?.json;
    return { value: json === undefined ? undefined : JSON.parse(json), version: seen?.version ?? 0 };
  }

  /** Work on what is no longer true is stopped as soon as anybody in this process knows. */
  private watch(document: DocumentId, type: DocumentType): void {
    const unwatch = this.driver.host.documents.watch(document, (newest) => {
      const seen = this.seen.get(document)?.version ?? 0;
      if (newest <= seen || !stopsAtOnce(type.onConflict, this.onlyRead.has(document))) return;
      this.driver.delivery.whenLive(() => {
        if (!this.over && !this.ended && !this.driver.stopped) this.stop([{ document, seen, newest }]);
      });
    });
    const release = this.driver.whenLeft(unwatch);
    this.watches.push(() => {
      unwatch();
      release();
    });
  }

  hasReadAll(stale: readonly StaleRead[]): boolean {
    return stale.every(({ document }) => this.seen.get(document)?.isOuter === false);
  }

  /** How it has used what turned out to be stale. */
  toConflicting(stale: readonly StaleRead[]): readonly Conflicting[] {
    return stale.map((read) => {
      const seen = this.seen.get(read.document);
      const written = this.written.has(read.document);
      return { ...read, written, policy: seen?.type.onConflict, isOuter: seen?.isOuter ?? true };
    });
  }

  /** Puts what it wants to write together with what others wrote. @throws what a merge function throws, INPUT_INVALID */
  async merge(stale: readonly StaleRead[]): Promise<void> {
    for (const { document } of stale) {
      const seen = this.seen.get(document);
      const written = this.written.get(document);
      const merge = seen?.type.onConflict.merge;
      if (seen === undefined || written === undefined || merge === undefined) continue;
      const theirs = await this.driver.host.documents.read(document);
      if (theirs === undefined) continue;
      learn(this.place.outer, theirs.labels);
      const base: unknown = seen.json === undefined ? undefined : JSON.parse(seen.json);
      const what = `the merged ${document}`;
      const merged = merge(base, JSON.parse(written.json), structuredClone(theirs.value));
      const json = toJsonText(await parseWith(seen.type.value, merged, { code: "INPUT_INVALID", what }), what);
      if (json === undefined) throw new TuttiError("VALUE_NOT_STORABLE", `${what} is undefined`);
      this.seen.set(document, { ...seen, version: theirs.version, json: toJsonText(theirs.value, what) });
      this.written.set(document, { json, mergedFrom: written.mergedFrom ?? seen.version });
    }
  }

  /** What others did to what it has read, for a function that goes on from there. */
  async toChanges(stale: readonly StaleRead[]): Promise<readonly DocumentChanged[]> {
    const changes: DocumentChanged[] = [];
    for (const { document } of stale) {
      const seen = this.seen.get(document);
      const found = await this.driver.host.documents.read(document);
      if (seen === undefined || found === undefined) continue;
      learn(this.place.outer, found.labels);
      const before = {
        value: seen.json === undefined ? undefined : (JSON.parse(seen.json) as unknown),
        version: seen.version,
      };
      const now = { value: found.value, version: found.version };
      changes.push({ document, before, now, diff: toDifferences(before.value, now.value) });
    }
    return changes;
  }

  /** The versions that its transaction writes when it commits. */
  toWrites(): readonly { readonly document: DocumentId; readonly version: number }[] {
    return [...this.written.keys()].map((document) => ({
      document,
      version: (this.seen.get(document)?.version ?? 0) + 1,
    }));
  }

  /** The versions that its commit relies on. */
  reliedOn(): Map<DocumentId, number> {
    return new Map([...this.driver.documents.reads.at(this.place.outer.path), ...this.versions()]);
  }

  /** What it wants to write, as text. */
  toWritten(): readonly { readonly document: DocumentId; readonly json: string }[] {
    return [...this.written].map(([document, { json }]) => ({ document, json }));
  }

  /** The one entry that makes it so, all of it or, if something it relies on is stale, none. */
  toEntry(key: StepKey, end: AttemptEnd): NewEntry {
    const { driver, place } = this;
    const reads = this.reliedOn();
    const isDone = end.kind === "returned";
    const writes = isDone ? this.toWrites() : [];
    const values = writes.map(({ document, version }) => this.toStoredWrite(document, version));
    const out = isDone ? toStoredValue("out", end.output, key) : undefined;
    const uses = isDone ? driver.usedBy(end.output) : [];
    const fields = {
      reads: Object.fromEntries(reads),
      ...(isDone ? {} : { error: toStoredError(end.error) }),
      ...(uses.length === 0 ? {} : { uses }),
      ...toLabelField(labelsAt(place.outer)),
      ...(place.inner.consumed.length === 0 ? {} : { consumed: place.inner.consumed }),
      ...(place.number === 1 ? {} : { attempt: place.number }),
    };
    const list: StoredValue = {
      field: `"writes":[${values.map(({ body }) => body).join(",")}]`,
      json: undefined,
      blobs: values.flatMap(({ stored }) => stored.blobs ?? []),
    };
    const documents = writes.map(({ document }) => document);
    return {
      kind: "document-committed",
      key,
      body: toBody(fields, list, ...(out === undefined ? [] : [out])),
      ...toBlobs(list, out),
      document: { kind: "commit", reads, writes: documents, holder: key },
    };
  }

  private toStoredWrite(
    document: DocumentId,
    version: number,
  ): { readonly body: string; readonly stored: StoredValue } {
    const written = this.written.get(document);
    const value: unknown = written === undefined ? undefined : JSON.parse(written.json);
    const stored = toStoredValue("value", value, `the document ${document}`);
    const mergedFrom = written?.mergedFrom;
    const body = toBody({ document, version, ...(mergedFrom === undefined ? {} : { mergedFrom }) }, stored);
    return { body, stored };
  }
}

async function peek(driver: Driver, place: DocumentPlace): Promise<DocumentState> {
  const key = enterReading(driver, place);
  return key === undefined ? never : readDocument(driver, { ...place, key, peeked: true });
}
