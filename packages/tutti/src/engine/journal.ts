import { isTuttiError } from "../base/errors.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import { toRunId, type RunId } from "../contracts/ids.ts";
import type { Appended, Ledger, NewEntry, RunLog } from "../ledger/ledger.ts";

/** What the engine writes runs for that no flow drives. No flow can have such a name. */
export type JournalKind =
  | "topic"
  | "subscription"
  | "schedule"
  | "freeze"
  | "request"
  | "erasure"
  | "autonomy"
  | "review";

/** A run that the engine itself writes: chained, fenced and verified like any other. */
export interface Journal {
  readonly run: RunId;
  /** What it held when it was opened. */
  readonly entries: readonly LedgerEntry[];
  append(entry: NewEntry): Promise<Appended>;
}

export function toJournalFlow(kind: JournalKind): string {
  return `@${kind}`;
}

/** `topic:orders`. Runs of flows can't be given such an id. */
export function toJournalRun(kind: JournalKind, name: string): RunId {
  return toRunId(`${kind}:${name}`);
}

export function isJournalId(id: string): boolean {
  return /^(?:topic|subscription|schedule|freeze|request|erasure|autonomy|review):/u.test(id);
}

export function isJournalFlow(flow: string): boolean {
  return flow.startsWith("@");
}

/** Opens the journal of that name, or begins it. */
export async function openJournal(ledger: Ledger, kind: JournalKind, name: string): Promise<Journal> {
  const id = toJournalRun(kind, name);
  const flow = toJournalFlow(kind);
  const outcome = await ledger.start({ id, flow, version: "1", body: JSON.stringify({ flow, version: "1" }) });
  const { record, entries, log } = outcome.kind === "started" ? outcome.claim : await ledger.claim(id);
  // It never goes on by itself: whoever recovers runs has nothing to do here.
  if (record.status === "running") log.mark("waiting");
  return { run: id, entries, append: (entry) => log.append(entry) };
}

/** How often the right to write to a journal is taken again after another engine on this ledger took it. */
const claimsMax = 5;

/** For journals that several engines write to, such as topics: takes the right to write again when another engine had it meanwhile. */
export function openSharedJournal(ledger: Ledger, journal: Journal): Journal {
  let log: Promise<Pick<RunLog, "append">> = Promise.resolve(journal);
  return {
    ...journal,
    async append(entry) {
      for (let claims = 0; ; claims++) {
        const mine = log;
        try {
          return await (await mine).append(entry);
        } catch (error) {
          if (!isTuttiError(error) || error.code !== "LEDGER_FENCED" || claims === claimsMax) throw error;
          if (log === mine) log = ledger.claim(journal.run).then((claim) => claim.log);
        }
      }
    },
  };
}

/** The newest position in a run, 0 if there is none, found in few reads. */
export function findTail(ledger: Ledger, run: RunId): Promise<number> {
  return findLast(ledger, run, () => true);
}

/** The newest position whose entry is one of `isBefore`, which holds up to some entry and not after it; 0 if there is none. */
export async function findLast(ledger: Ledger, run: RunId, isBefore: (entry: LedgerEntry) => boolean): Promise<number> {
  const holds = async (position: number): Promise<boolean> => {
    const [entry] = await ledger.read(run, position, 1);
    return entry !== undefined && isBefore(entry);
  };
  let low = 0;
  let high = 1;
  while (await holds(high)) {
    low = high;
    high *= 2;
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (await holds(middle)) low = middle;
    else high = middle;
  }
  return low;
}
