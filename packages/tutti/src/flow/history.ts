import type { StoredError } from "../base/errors.ts";
import { bodyOf, type BodyOf, type EntryKind, type LedgerEntry } from "../contracts/entry.ts";
import type { EffectKey, RunId } from "../contracts/ids.ts";

/** Kinds whose entries are handed to the flow's code, in their order. All others only set the scene. */
const deliveredKinds = [
  "step-done",
  "step-failed",
  "effect-settled",
  "effect-failed",
  "effect-shared",
  "timer-fired",
  "signal-received",
  "scope-closed",
  "child-settled",
  "cancel-requested",
] as const satisfies readonly EntryKind[];

export type DeliveredKind = (typeof deliveredKinds)[number];

export interface Delivered {
  readonly kind: DeliveredKind;
  readonly key: string;
  readonly seq: number;
  readonly entry: LedgerEntry;
}

/** An effect that was intended and has no outcome yet. */
export interface OpenIntent {
  readonly key: string;
  readonly body: BodyOf<"effect-intended">;
  /** In doubt since the last crash or error, and nobody has said yet what happened. */
  readonly inDoubt: boolean;
  /** Somebody found that it did not happen, so it may be intended again. */
  readonly cleared: boolean;
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
  readonly attempts: ReadonlyMap<string, BodyOf<"attempt-failed">>;
  readonly undoAttempts: ReadonlyMap<EffectKey, BodyOf<"undo-failed">>;
  readonly timers: ReadonlyMap<string, number>;
  readonly children: ReadonlyMap<string, RunId>;
  readonly values: ReadonlyMap<string, unknown>;
  /** Keys of entries that are written once and never handed over: notes, agents that started, a rollback. */
  readonly written: ReadonlySet<string>;
  readonly signalIds: ReadonlySet<string>;
}

/** @throws TuttiError LEDGER_CORRUPT */
export function readHistory(entries: readonly LedgerEntry[]): History {
  const first = entries[0];
  if (first === undefined || first.kind !== "run-started") return bodyOf({ version: 1, body: "", run: first?.run ?? ("?" as RunId), seq: 1 }, "run-started") as never;
  const recorded = new Map<string, Delivered>();
  const delivered: Delivered[] = [];
  const openIntents = new Map<string, OpenIntent>();
  const attempts = new Map<string, BodyOf<"attempt-failed">>();
  const undoAttempts = new Map<EffectKey, BodyOf<"undo-failed">>();
  const timers = new Map<string, number>();
  const children = new Map<string, RunId>();
  const values = new Map<string, unknown>();
  const written = new Set<string>();
  const signalIds = new Set<string>();
  const closed = new Set<string>();
  const consumed = new Set<number>();

  for (const entry of entries) {
    const { kind, key } = entry;
    if (isDelivered(kind)) {
      const item: Delivered = { kind, key, seq: entry.seq, entry };
      delivered.push(item);
      if (key !== "") recorded.set(key, item);
    }
    switch (kind) {
      case "effect-intended":
        openIntents.set(key, { key, body: bodyOf(entry, kind), inDoubt: false, cleared: false, error: undefined });
        break;
      case "effect-in-doubt":
        change(openIntents, key, { inDoubt: true, cleared: false, error: bodyOf(entry, kind).error });
        break;
      case "effect-resolved":
        change(openIntents, key, { inDoubt: false, cleared: true, error: openIntents.get(key)?.error });
        break;
      case "effect-settled":
      case "effect-failed":
        openIntents.delete(key);
        break;
      case "attempt-failed":
        attempts.set(key, bodyOf(entry, kind));
        change(openIntents, key, { inDoubt: false, cleared: true, error: undefined });
        break;
      case "undo-failed": {
        const body = bodyOf(entry, kind);
        undoAttempts.set(body.effect, body);
        break;
      }
      case "timer-set":
        timers.set(key, bodyOf(entry, kind).dueAt);
        break;
      case "child-started":
        children.set(key, bodyOf(entry, kind).child);
        break;
      case "value-drawn":
        values.set(key, bodyOf(entry, kind).value);
        break;
      case "note-written":
      case "agent-started":
      case "rollback-started":
        written.add(key);
        break;
      case "signal-received":
        signalIds.add(bodyOf(entry, kind).id);
        break;
      case "scope-closed":
        closed.add(key);
        for (const seq of bodyOf(entry, kind).consumed ?? []) consumed.add(seq);
        break;
      default:
        break;
    }
  }

  const order = delivered.filter((item) => !consumed.has(item.seq) && !isInside(item.key, closed));
  return {
    started: bodyOf(first, "run-started"),
    startedAt: first.at,
    order,
    recorded,
    openIntents,
    attempts,
    undoAttempts,
    timers,
    children,
    values,
    written,
    signalIds,
  };
}

const deliveredSet: ReadonlySet<string> = new Set(deliveredKinds);

export function isDelivered(kind: EntryKind): kind is DeliveredKind {
  return deliveredSet.has(kind);
}

function change(intents: Map<string, OpenIntent>, key: string, state: Pick<OpenIntent, "inDoubt" | "cleared" | "error">): void {
  const intent = intents.get(key);
  if (intent !== undefined) intents.set(key, { ...intent, ...state });
}

/** True when a scope above this key is closed: its code does not run again, so nobody will ask for the key. */
function isInside(key: string, closed: ReadonlySet<string>): boolean {
  if (closed.size === 0) return false;
  for (let slash = key.lastIndexOf("/"); slash > 0; slash = key.lastIndexOf("/", slash - 1)) {
    if (closed.has(key.slice(0, slash))) return true;
  }
  return false;
}
