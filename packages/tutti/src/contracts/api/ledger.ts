import { anything, fields, flag, integer, integerFrom, listOf, oneOf, text, type ValueOf } from "./described.ts";

/* The ledger as it can be read from outside: entries, the stream, documents, verification. */

/** One line of the ledger. Its body is missing where it is larger than 64 kB; `bytes` says how large it is. */
export const entryLine = fields(
  { lsn: integer, run: text, seq: integer, kind: text, key: text, at: integer, hash: text, bytes: integer },
  { body: anything },
);
export type EntryLine = ValueOf<typeof entryLine>;

export const entryFilter = fields(
  {},
  {
    /** Entries after this position. */
    after: integerFrom(0, Number.MAX_SAFE_INTEGER),
    /** Several are separated by commas. */
    kind: text,
    /** The beginning of a step's path. */
    key: text,
    limit: integerFrom(1, 1_000),
  },
);
/** `next`: where to go on (`after`), missing at the end. A page may be empty although more follow: a search looks at so many entries at a time. */
export const entryPage = fields({ entries: listOf(entryLine) }, { next: integer });
export type EntryPage = ValueOf<typeof entryPage>;

/** The head of an entry, as the stream sends it: bodies are read where they are needed. */
export const entryHead = fields({ lsn: integer, run: text, seq: integer, kind: text, key: text, at: integer });
export type EntryHead = ValueOf<typeof entryHead>;

/**
 * One event of `GET /api/stream`: name `entries`, the id is the `lsn` up to which the stream has looked, the data is this. Sent as soon as
 * there is something, at most every 33 ms. `Last-Event-ID` (or `after`) goes on behind that position. A comment comes every 15 seconds.
 */
export const streamBatch = fields({ entries: listOf(entryHead) });
export type StreamBatch = ValueOf<typeof streamBatch>;
/**
 * What goes on now and is in no entry: a step that begins (`step-started`), what a tool or an agent says of its work (`progress`), what a model
 * says while it says it (`delta`; with `tool`, a piece of the input of a call to that tool). A new attempt says everything anew.
 */
export const progress = fields(
  { kind: oneOf("step-started", "progress", "delta"), run: text, step: text, at: integer },
  {
    attempt: integer,
    text,
    agent: text,
    tool: text,
    /** Set where something of this step was left out before, because it was not read fast enough. */
    isCut: flag,
  },
);
export type Progress = ValueOf<typeof progress>;
/**
 * Another event of `GET /api/stream`: name `progress`, without an id. It is sent to whoever is there, is never stored, and does not come again. What
 * a step says never comes after the entry that ends it.
 */
export const progressBatch = fields({ progress: listOf(progress) });

/** Without `after` and `Last-Event-ID` it begins with what comes from now on. */
export const streamQuery = fields({}, { run: text, after: integerFrom(0, Number.MAX_SAFE_INTEGER) });

export const documentLine = fields({
  document: text,
  version: integer,
  lsn: integer,
  at: integer,
  run: text,
  step: text,
});
export const documentPage = fields({ documents: listOf(documentLine) });
export type DocumentPage = ValueOf<typeof documentPage>;
export const documentFilter = fields({}, { under: text, limit: integerFrom(1, 200) });

/** One version. A value of more than 64 kB is left out. */
export const documentVersion = fields(
  { version: integer, run: text, step: text, at: integer, diff: anything },
  { value: anything, bytes: integer },
);
export const documentHistory = fields({ document: text, versions: listOf(documentVersion) });
export type DocumentHistory = ValueOf<typeof documentHistory>;
export const documentQuery = fields({ document: text }, { limit: integerFrom(1, 100) });

/** What a run read and wrote. `newest`: the newest version now; a read is stale when it is older. */
export const documentUse = fields(
  {
    document: text,
    version: integer,
    step: text,
    seq: integer,
    at: integer,
    use: oneOf("read", "peeked", "written"),
    newest: integer,
  },
  { mergedFrom: integer },
);
export const documentUses = fields({ seq: integer, uses: listOf(documentUse) });
export type DocumentUses = ValueOf<typeof documentUses>;

/** Whether entries are what was once written; if not, the first that is not. */
export const verification = fields(
  { isIntact: flag, entries: integer, runs: integer },
  { lsn: integer, run: text, seq: integer, why: text },
);
export type VerificationReport = ValueOf<typeof verification>;
