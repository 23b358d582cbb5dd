import { setImmediate as nextTurn } from "node:timers/promises";

import { TuttiError } from "../../base/errors.ts";
import type { CallableLine, RunListFilter, RunPage } from "../../contracts/api/runs.ts";
import { toRunId } from "../../contracts/ids.ts";
import { isOver, openStatuses } from "../../contracts/run-record.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { applyToFleet, emptyFleet, type DocumentNotes, type FleetState } from "./fleet-state.ts";
import { fitsFilter, toRunLine, toStatus, type Mark, type RunNotes } from "./run-notes.ts";
import { loadFleet, saveFleet } from "./snapshot.ts";
import { toCallableLine } from "./tally.ts";

/** All runs together: the list, the figures, whose is what. Follows the ledger whenever it is asked, so nobody has to tell it anything. */
export interface Fleet {
  /** Takes in what the ledger has more. @throws TuttiError LEDGER_CORRUPT, LEDGER_TOO_NEW */
  catchUp(): Promise<FleetState>;
  /** `tenant`: only its runs; all of them without. @throws TuttiError INPUT_INVALID for a cursor that was not given by a page */
  listRuns(filter: RunListFilter, tenant?: string): Promise<RunPage>;
  findRun(run: string): Promise<FoundRun | undefined>;
  listCallables(tenant?: string): Promise<readonly CallableLine[]>;
  findDocument(document: string): Promise<DocumentNotes | undefined>;
  close(): Promise<void>;
}

export interface FoundRun {
  readonly notes: RunNotes;
  readonly mark: Mark | undefined;
}

export interface FleetOptions {
  /** Where its state is kept between two lives of the process. Without it, it is built from the ledger each time. */
  readonly snapshotFile?: string | undefined;
}

/** So many entries are taken in before other work has its turn. */
const chunkEntries = 500;
const snapshotEveryEntries = 250_000;
const pageDefault = 50;
/** Marks of more open runs are not read for the list; those count as their entries say. */
const openRunsMax = 10_000;
/** Marks leave no entry, so what was read of them counts for this long. */
const marksKeptMs = 250;

export async function openFleet(ledger: Ledger, options: FleetOptions = {}): Promise<Fleet> {
  const { snapshotFile } = options;
  const loaded = snapshotFile === undefined ? undefined : await loadFleet(snapshotFile, ledger);
  const fleet = loaded ?? emptyFleet();
  let savedLsn = fleet.lsn;
  let ordered = toOrder(fleet);
  let running: Promise<FleetState> | undefined;
  const save = async (): Promise<void> => {
    if (snapshotFile === undefined || savedLsn === fleet.lsn) return;
    await saveFleet(snapshotFile, fleet);
    savedLsn = fleet.lsn;
  };
  const follow = async (): Promise<FleetState> => {
    for (;;) {
      const entries = await ledger.scan(fleet.lsn, chunkEntries);
      for (const entry of entries) {
        applyToFleet(fleet, entry);
        const begun = entry.kind === "run-started" ? fleet.runs.get(entry.run) : undefined;
        if (begun !== undefined) ordered.push(begun);
      }
      if (entries.length < chunkEntries) return fleet;
      if (fleet.lsn - savedLsn >= snapshotEveryEntries) await save();
      await nextTurn();
    }
  };
  /** One at a time: two would take the same entries in twice. */
  const catchUp = (): Promise<FleetState> => {
    running ??= follow().finally(() => (running = undefined));
    return running;
  };
  const marks = openMarks(ledger);
  return {
    catchUp,
    async listRuns(filter, tenant) {
      await catchUp();
      return toPage({ ordered, filter, tenant, marks: await marks(fleet.lsn) });
    },
    async findRun(run) {
      await catchUp();
      const notes = fleet.runs.get(run);
      if (notes === undefined) return undefined;
      const mark = isOver(notes.status) ? undefined : await ledger.findRun(toRunId(run));
      return { notes, mark };
    },
    async listCallables(tenant) {
      await catchUp();
      return [...fleet.tallies.values()]
        .filter((tally) => tenant === undefined || tally.tenant === tenant)
        .map(toCallableLine);
    },
    async findDocument(document) {
      await catchUp();
      return fleet.documents.get(document);
    },
    async close() {
      await running?.catch(() => {}); // whoever asked was told
      await save();
      ordered = [];
    },
  };
}

function toOrder({ runs }: FleetState): RunNotes[] {
  return [...runs.values()].toSorted((left, right) => left.startLsn - right.startLsn);
}

type Marks = ReadonlyMap<string, Mark>;

/** Where open runs stand, read again when there are new entries, or after a moment. */
function openMarks(ledger: Ledger): (lsn: number) => Promise<Marks> {
  let known: { readonly lsn: number; readonly until: number; readonly marks: Marks } | undefined;
  return async (lsn) => {
    const now = performance.now();
    if (known === undefined || known.lsn !== lsn || known.until < now) {
      const open = await ledger.listRuns({ statuses: openStatuses, limit: openRunsMax });
      known = { lsn, until: now + marksKeptMs, marks: new Map(open.map((record) => [record.id, record])) };
    }
    return known.marks;
  };
}

interface PageRequest {
  readonly ordered: readonly RunNotes[];
  readonly filter: RunListFilter;
  readonly tenant: string | undefined;
  readonly marks: Marks;
}

function toPage({ ordered, filter, tenant, marks }: PageRequest): RunPage {
  const { limit = pageDefault } = filter;
  const before = filter.cursor === undefined ? Number.POSITIVE_INFINITY : readCursor(filter.cursor);
  const counts: Record<string, number> = {};
  const found: RunNotes[] = [];
  for (let index = ordered.length - 1; index >= 0; index--) {
    const notes = ordered[index];
    if (notes === undefined || (tenant !== undefined && notes.tenant !== tenant)) continue;
    const mark = marks.get(notes.run);
    const status = toStatus(notes, mark);
    counts[status] = (counts[status] ?? 0) + 1;
    if (found.length <= limit && notes.startLsn < before && fitsFilter(notes, mark, filter)) found.push(notes);
  }
  const runs = found.slice(0, limit).map((notes) => toRunLine(notes, marks.get(notes.run)));
  const last = found[limit - 1];
  return { runs, counts, cursor: found.length > limit && last !== undefined ? String(last.startLsn) : undefined };
}

function readCursor(cursor: string): number {
  if (/^\d{1,15}$/u.test(cursor)) return Number(cursor);
  throw new TuttiError("INPUT_INVALID", "the cursor is none that a page gave", {
    hint: "Take it from the page before, or leave it out.",
  });
}
