import type { StoredError } from "../base/errors.ts";
import { bodyOf, type LedgerEntry } from "../contracts/entry.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Standing } from "./rank-candidates.ts";

/** How callables did, counted from the ledger. */
export interface TrackRecord {
  /** Of the last calls of this name, 50 at most; of all runs. Reads what was added since the last time. */
  standingOf(names: readonly string[]): Promise<readonly Standing[]>;
}

const outcomesMax = 50;
const batchEntriesMax = 1_000;
/** Read in one go; what is left is read the next time. */
const entriesMax = 200_000;

/** Opens a track record over a ledger. It keeps counts, no entries. */
export function openTrackRecord(ledger: () => Pick<Ledger, "scan">): TrackRecord {
  const book = openBook();
  let lsn = 0;
  const catchUp = async (): Promise<void> => {
    for (let read = 0; read < entriesMax; read += batchEntriesMax) {
      const entries = await ledger().scan(lsn, batchEntriesMax);
      for (const entry of entries) {
        if (entry.lsn > lsn) book.note(entry);
        lsn = Math.max(lsn, entry.lsn);
      }
      if (entries.length < batchEntriesMax) return;
    }
  };
  return {
    async standingOf(names) {
      await catchUp();
      return names.map((name) => book.standingOf(name));
    },
  };
}

interface Book {
  note(entry: LedgerEntry): void;
  standingOf(name: string): Standing;
}

function openBook(): Book {
  const outcomesByName = new Map<string, boolean[]>();
  /** Names of the calls that are going on, by run and step. */
  const openByRun = new Map<string, Map<string, string>>();
  const begin = ({ run, key }: LedgerEntry, name: string): void => {
    const open = openByRun.get(run) ?? new Map<string, string>();
    openByRun.set(run, open.set(key, name));
  };
  const end: Notes["end"] = ({ run, key }, error, name = openByRun.get(run)?.get(key)) => {
    openByRun.get(run)?.delete(key);
    // What was cancelled says nothing about who was at it.
    if (name === undefined || error?.code === "RUN_CANCELLED") return;
    const isDone = error === undefined;
    const outcomes = outcomesByName.get(name) ?? [];
    outcomes.push(isDone);
    if (outcomes.length > outcomesMax) outcomes.shift();
    outcomesByName.set(name, outcomes);
  };
  return {
    note: (entry) => noteEntry(entry, { begin, end, over: (run) => openByRun.delete(run) }),
    standingOf(name) {
      const outcomes = outcomesByName.get(name) ?? [];
      const done = outcomes.filter(Boolean).length;
      let atWork = 0;
      for (const open of openByRun.values()) for (const each of open.values()) if (each === name) atWork += 1;
      return { done, failed: outcomes.length - done, atWork };
    },
  };
}

interface Notes {
  readonly begin: (entry: LedgerEntry, name: string) => void;
  readonly end: (entry: LedgerEntry, error: Pick<StoredError, "code"> | undefined, name?: string) => void;
  readonly over: (run: string) => void;
}

function noteEntry(entry: LedgerEntry, { begin, end, over }: Notes): void {
  // A step without a call is code of a flow, which nobody chooses.
  const endCall = (ended: LedgerEntry, call: string | undefined, error: StoredError | undefined): void => {
    if (call !== undefined) end(ended, error, call);
  };
  switch (entry.kind) {
    case "agent-started":
      begin(entry, bodyOf(entry, entry.kind).agent);
      break;
    case "effect-intended":
      begin(entry, bodyOf(entry, entry.kind).tool);
      break;
    case "child-started":
      begin(entry, bodyOf(entry, entry.kind).flow);
      break;
    case "step-done":
      endCall(entry, bodyOf(entry, entry.kind).call, undefined);
      break;
    case "step-failed": {
      const { call, error } = bodyOf(entry, entry.kind);
      endCall(entry, call, error);
      break;
    }
    case "scope-closed":
    case "child-settled":
    case "effect-settled":
    case "effect-failed":
      end(entry, bodyOf(entry, entry.kind).error);
      break;
    case "run-done":
    case "run-failed":
    case "run-cancelled":
      over(entry.run);
      break;
    default:
      break;
  }
}
