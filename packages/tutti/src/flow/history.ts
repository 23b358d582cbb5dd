import { fromStoredError, TuttiError, type StoredError } from "../base/errors.ts";
import type { GivenDirective } from "../contracts/directive.ts";
import { bodyOf, type BodyOf, type EntryKind, type LedgerEntry } from "../contracts/entry.ts";
import type { RunId } from "../contracts/ids.ts";

/** Kinds whose entries are handed to the flow's code, in their order. All others only set the scene. */
const deliveredKinds = [
  "step-done",
  "step-failed",
  "effect-settled",
  "effect-failed",
  "effect-shared",
  "timer-fired",
  "signal-received",
  "directive-given",
  "scope-closed",
  "child-settled",
  "cancel-requested",
  "document-read",
  "document-committed",
  "document-conflicted",
  "document-leased",
] as const satisfies readonly EntryKind[];

export type DeliveredKind = (typeof deliveredKinds)[number];

export type DocumentKind = Extract<DeliveredKind, `document-${string}`>;

export type Delivered = LedgerEntry & { readonly kind: DeliveredKind };

/** An effect that was intended and has no outcome yet. */
export interface OpenIntent {
  readonly key: string;
  readonly body: BodyOf<"effect-intended">;
  /** In doubt since the last crash or error, and nobody has said yet what happened. */
  readonly inDoubt: boolean;
  /** Somebody found that it did not happen, so it may be intended again. */
  readonly cleared: boolean;
  /** Some attempt ended without anybody knowing what it did, so a later clean failure does not mean that nothing happened. */
  readonly doubtful: boolean;
  /** What the tool threw when it came in doubt; nothing after a crash. */
  readonly error: StoredError | undefined;
}

/** What a run's entries say, sorted by how replay uses them. */
export interface History {
  readonly started: BodyOf<"run-started">;
  readonly startedAt: number;
  /** In ledger order, without what lies inside closed scopes and the signals consumed there. */
  readonly order: readonly Delivered[];
  readonly recorded: ReadonlyMap<string, Delivered>;
  readonly openIntents: ReadonlyMap<string, OpenIntent>;
  /** Digest of the input that a step was called with, by key, for kinds whose own entry does not carry it. */
  readonly digests: ReadonlyMap<string, string>;
  readonly attempts: ReadonlyMap<string, BodyOf<"attempt-failed">>;
  readonly timers: ReadonlyMap<string, number>;
  readonly children: ReadonlyMap<string, RunId>;
  readonly openChildren: ReadonlyMap<RunId, "cancel" | "keep">;
  readonly values: ReadonlyMap<string, unknown>;
  /** Steps with a reservation that was not settled. */
  readonly reserved: ReadonlySet<string>;
  /** Keys of entries that are written once and never handed over: notes, agents that started, a rollback. */
  readonly written: ReadonlySet<string>;
  readonly signalIds: ReadonlySet<string>;
  /** Everything that people want of the run, in order. */
  readonly directives: readonly GivenDirective[];
  /** A person wants what the run did to be taken back, although it had ended. */
  readonly undoRequested: boolean;
}

/** Most runs need few of these, so they are made on first use. */
interface Collected {
  recorded?: Map<string, Delivered>;
  delivered?: Delivered[];
  openIntents?: Map<string, OpenIntent>;
  digests?: Map<string, string>;
  attempts?: Map<string, BodyOf<"attempt-failed">>;
  timers?: Map<string, number>;
  children?: Map<string, RunId>;
  openChildren?: Map<RunId, "cancel" | "keep">;
  values?: Map<string, unknown>;
  reserved?: Set<string>;
  written?: Set<string>;
  signalIds?: Set<string>;
  directives?: GivenDirective[];
  undoRequested?: boolean;
  /** Paths of closed scopes, and the signals that were consumed inside. */
  closed?: Set<string>;
  consumed?: Set<number>;
}

/** @throws TuttiError LEDGER_CORRUPT */
export function readHistory(entries: readonly LedgerEntry[]): History {
  const first = entries[0];
  if (first?.kind !== "run-started") {
    throw new TuttiError("LEDGER_CORRUPT", `run ${first?.run ?? "?"} does not begin with its start`, {
      hint: "Run `tutti verify`, and restore the ledger from a backup.",
    });
  }
  const collected: Collected = {};
  // A new run has no past, and most runs are new when they are driven.
  if (entries.length > 1) entries.forEach((entry) => collect(collected, entry));
  return toHistory(first, collected);
}

function collect(collected: Collected, entry: LedgerEntry): void {
  if (isDelivered(entry)) collectDelivered(collected, entry);
  else if (entry.kind.startsWith("effect-")) collectEffect(collected, entry);
  else collectScene(collected, entry);
}

// Field by field: to put together what is there with what all share takes as long as all the rest.
function toHistory(first: LedgerEntry, collected: Collected): History {
  return {
    started: bodyOf(first, "run-started"),
    startedAt: first.at,
    order: toOrder(collected),
    recorded: collected.recorded ?? nothing.recorded,
    openIntents: collected.openIntents ?? nothing.openIntents,
    digests: collected.digests ?? nothing.digests,
    attempts: collected.attempts ?? nothing.attempts,
    timers: collected.timers ?? nothing.timers,
    children: collected.children ?? nothing.children,
    openChildren: collected.openChildren ?? nothing.openChildren,
    values: collected.values ?? nothing.values,
    reserved: collected.reserved ?? nothing.reserved,
    written: collected.written ?? nothing.written,
    signalIds: collected.signalIds ?? nothing.signalIds,
    directives: collected.directives ?? nothing.directives,
    undoRequested: collected.undoRequested ?? false,
  };
}

/** What all runs share that have nothing of it: a history is only read. */
const nothing: Omit<History, "started" | "startedAt" | "undoRequested"> = {
  order: [],
  recorded: new Map(),
  openIntents: new Map(),
  digests: new Map(),
  attempts: new Map(),
  timers: new Map(),
  children: new Map(),
  openChildren: new Map(),
  values: new Map(),
  reserved: new Set(),
  written: new Set(),
  signalIds: new Set(),
  directives: [],
};

function toOrder({ delivered = [], consumed, closed }: Collected): readonly Delivered[] {
  if (closed === undefined) return delivered; // only what closes consumes
  return delivered.filter((item) => consumed?.has(item.seq) !== true && !isInside(item.key, closed));
}

function collectDelivered(collected: Collected, entry: Delivered): void {
  const { kind, key } = entry;
  (collected.delivered ??= []).push(entry);
  if (key !== "") (collected.recorded ??= new Map()).set(key, entry);
  switch (kind) {
    case "effect-settled":
    case "effect-failed":
      collected.openIntents?.delete(key);
      break;
    case "child-settled":
      collected.openChildren?.delete(bodyOf(entry, kind).child);
      break;
    case "signal-received":
      (collected.signalIds ??= new Set()).add(bodyOf(entry, kind).id);
      break;
    case "directive-given":
      (collected.directives ??= []).push(bodyOf(entry, kind));
      break;
    case "scope-closed":
    case "document-committed":
    case "document-conflicted":
      (collected.closed ??= new Set()).add(key);
      for (const seq of bodyOf(entry, kind).consumed ?? []) (collected.consumed ??= new Set()).add(seq);
      break;
    default:
      break;
  }
}

function collectEffect(collected: Collected, entry: LedgerEntry): void {
  const { kind, key } = entry;
  const openIntents = (collected.openIntents ??= new Map<string, OpenIntent>());
  switch (kind) {
    case "effect-intended": {
      const body = bodyOf(entry, kind);
      openIntents.set(key, {
        key,
        body,
        inDoubt: false,
        cleared: false,
        doubtful: openIntents.get(key)?.doubtful ?? false,
        error: undefined,
      });
      (collected.digests ??= new Map()).set(key, body.digest);
      break;
    }
    case "effect-in-doubt":
      change(openIntents, key, { inDoubt: true, cleared: false, error: bodyOf(entry, kind).error });
      break;
    case "effect-resolved":
      change(openIntents, key, { inDoubt: false, cleared: true, doubtful: false, error: openIntents.get(key)?.error });
      break;
    default:
      break;
  }
}

function collectScene(collected: Collected, entry: LedgerEntry): void {
  const { kind, key } = entry;
  switch (kind) {
    case "attempt-failed": {
      const body = bodyOf(entry, kind);
      (collected.attempts ??= new Map()).set(key, body);
      const doubtful =
        body.doubtful === true ||
        collected.openIntents?.get(key)?.doubtful === true ||
        fromStoredError(body.error).effect !== "none";
      change(collected.openIntents, key, { inDoubt: false, cleared: !doubtful, doubtful, error: undefined });
      break;
    }
    case "timer-set":
      (collected.timers ??= new Map()).set(key, bodyOf(entry, kind).dueAt);
      break;
    case "child-started": {
      const { child, onParentEnd, digest } = bodyOf(entry, kind);
      if (digest !== undefined) (collected.digests ??= new Map()).set(key, digest);
      (collected.children ??= new Map()).set(key, child);
      (collected.openChildren ??= new Map()).set(child, onParentEnd ?? "cancel");
      break;
    }
    case "value-drawn":
      (collected.values ??= new Map()).set(key, bodyOf(entry, kind).value);
      break;
    case "budget-reserved":
      (collected.reserved ??= new Set()).add(key);
      break;
    case "budget-settled":
      collected.reserved?.delete(key);
      break;
    case "undo-requested":
      collected.undoRequested = true;
      break;
    case "note-written":
    case "votes-counted":
    case "message-sent":
    case "decision-made":
    case "agent-started":
    case "rollback-started":
      (collected.written ??= new Set()).add(key);
      break;
    default:
      break;
  }
}

const deliveredSet: ReadonlySet<string> = new Set(deliveredKinds);

export function isDelivered(entry: LedgerEntry): entry is Delivered {
  return deliveredSet.has(entry.kind);
}

function change(intents: Map<string, OpenIntent> | undefined, key: string, state: Partial<OpenIntent>): void {
  const intent = intents?.get(key);
  if (intent !== undefined) intents?.set(key, { ...intent, ...state });
}

/** True when a scope above this key is closed: its code does not run again, so nobody will ask for the key. */
function isInside(key: string, closed: ReadonlySet<string>): boolean {
  for (let slash = key.lastIndexOf("/"); slash > 0; slash = key.lastIndexOf("/", slash - 1)) {
    if (closed.has(key.slice(0, slash))) return true;
  }
  return false;
}
