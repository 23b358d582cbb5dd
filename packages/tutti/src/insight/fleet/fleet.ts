import { setImmediate as nextTurn } from "node:timers/promises";

import { TuttiError } from "../../base/errors.ts";
import type { CallableHistory, HandOffPage } from "../../contracts/api/agents.ts";
import type { CallableLine, RunListFilter, RunPage, ShownStatus } from "../../contracts/api/runs.ts";
import type { ApprovalRecord } from "../../contracts/approval.ts";
import { toFreezeName, toFreezeNames, type Freeze } from "../../contracts/freeze.ts";
import { toRunId } from "../../contracts/ids.ts";
import { isOver, openStatuses, type RunRecord } from "../../contracts/run-record.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { toCallableHistory } from "./callable-history.ts";
import { applyToFleet, emptyFleet, type DocumentNotes, type FleetState } from "./fleet-state.ts";
import { listHandOffs, pairsMax } from "./hand-offs.ts";
import { fitsFilter, toRunLine, toStatus, type Mark, type RunNotes } from "./run-notes.ts";
import { loadFleet, saveFleet } from "./snapshot.ts";
import { toCallableLine, type Tally } from "./tally.ts";

/** All runs together: the list, the figures, whose is what. Follows the ledger whenever it is asked, so nobody has to tell it anything. */
export interface Fleet {
  /** Takes in what the ledger has more. @throws TuttiError LEDGER_CORRUPT, LEDGER_TOO_NEW */
  catchUp(): Promise<FleetState>;
  /** @throws TuttiError INPUT_INVALID for a cursor that was not given by a page */
  listRuns(filter: RunListFilter, looker?: Looker): Promise<RunPage>;
  findRun(run: string): Promise<FoundRun | undefined>;
  listCallables(tenant?: string): Promise<readonly CallableLine[]>;
  /** How one callable went over time, for one tenant or for all together. */
  showCallable(callable: Pick<CallableHistory, "kind" | "name">, tenant?: string): Promise<CallableHistory>;
  listHandOffs(tenant?: string): Promise<HandOffPage>;
  findDocument(document: string): Promise<DocumentNotes | undefined>;
  close(): Promise<void>;
}

/** Who looks at the list. */
export interface Looker {
  /** Only its runs; all of them without. */
  readonly tenant: string | undefined;
  readonly mayDecide: (approval: ApprovalRecord) => boolean;
  readonly maySettle: boolean;
}

export interface FoundRun {
  readonly notes: RunNotes;
  readonly mark: Mark | undefined;
}

export interface FleetOptions {
  /** Where its state is kept between two lives of the process. Without it, it is built from the ledger each time. */
  readonly snapshotFile?: string | undefined;
  /** What is frozen now. */
  readonly freezes?: () => readonly Freeze[];
}

/** So many entries are taken in before other work has its turn. */
const chunkEntries = 500;
const snapshotEveryEntries = 250_000;
const pageDefault = 50;
/** Marks of more open runs are not read for the list; those count as their entries say. */
const openRunsMax = 10_000;
/** Of more approvals than these the list does not say that runs wait for them. */
const approvalsMax = 2_000;
/** So far above a run a freeze is looked for. */
const ancestorsMax = 100;
/** Marks leave no entry, so what was read of them counts for this long. */
const marksKeptMs = 250;

export async function openFleet(ledger: Ledger, options: FleetOptions = {}): Promise<Fleet> {
  const { snapshotFile, freezes = () => [] } = options;
  const loaded = snapshotFile === undefined ? undefined : await loadFleet(snapshotFile, ledger);
  const fleet = loaded ?? emptyFleet();
  let savedLsn = fleet.lsn;
  const order = toOrder(fleet);
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
        if (entry.kind.startsWith("run-")) noteOrder(order, fleet.runs.get(entry.run), entry.kind === "run-started");
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
  const marking: Marking = { ledger, fleet, freezes };
  const marks = openMarks(marking);
  return {
    catchUp,
    async listRuns(filter, looker = anybody) {
      await catchUp();
      return toPage({ order, filter, looker, marks: await marks(fleet.lsn) });
    },
    async findRun(run) {
      await catchUp();
      const notes = fleet.runs.get(run);
      if (notes === undefined) return undefined;
      return { notes, mark: isOver(notes.status) ? undefined : await findMark(marking, notes) };
    },
    async listCallables(tenant) {
      await catchUp();
      return talliesOf(fleet, tenant).map(toCallableLine);
    },
    async showCallable(callable, tenant) {
      await catchUp();
      return toCallableHistory(talliesOf(fleet, tenant), callable);
    },
    async listHandOffs(tenant) {
      await catchUp();
      return { handOffs: listHandOffs(fleet.handOffs, tenant), isCut: fleet.handOffs.size >= pairsMax };
    },
    async findDocument(document) {
      await catchUp();
      return fleet.documents.get(document);
    },
    async close() {
      await running?.catch(() => {}); // whoever asked was told
      await save();
    },
  };
}

function talliesOf({ tallies }: FleetState, tenant: string | undefined): readonly Tally[] {
  return [...tallies.values()].filter((tally) => tenant === undefined || tally.tenant === tenant);
}

const anybody: Looker = { tenant: undefined, mayDecide: () => true, maySettle: true };

/** Runs as the list shows them, and how many are over: those are never counted again. */
interface RunOrder {
  /** The oldest first. */
  readonly all: RunNotes[];
  readonly open: Set<RunNotes>;
  readonly overByTenant: Map<string | undefined, Map<ShownStatus, number>>;
}

function toOrder({ runs }: FleetState): RunOrder {
  const order: RunOrder = { all: [], open: new Set(), overByTenant: new Map() };
  const sorted = [...runs.values()].toSorted((left, right) => left.startLsn - right.startLsn);
  for (const notes of sorted) noteOrder(order, notes, true);
  return order;
}

function noteOrder(order: RunOrder, notes: RunNotes | undefined, isNew: boolean): void {
  if (notes === undefined) return; // no run of a flow
  if (isNew) {
    order.all.push(notes);
    order.open.add(notes);
  }
  if (!isOver(notes.status) || !order.open.delete(notes)) return;
  const counts = order.overByTenant.get(notes.tenant) ?? new Map<ShownStatus, number>();
  order.overByTenant.set(notes.tenant, counts);
  counts.set(notes.status, (counts.get(notes.status) ?? 0) + 1);
}

function countRuns({ open, overByTenant }: RunOrder, marks: Marks, tenant: string | undefined): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [whose, over] of overByTenant) {
    if (tenant !== undefined && whose !== tenant) continue;
    for (const [status, count] of over) counts[status] = (counts[status] ?? 0) + count;
  }
  for (const notes of open) {
    if (tenant !== undefined && notes.tenant !== tenant) continue;
    const status = toStatus(notes, marks.get(notes.run));
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

type Marks = ReadonlyMap<string, Mark>;

interface Marking {
  readonly ledger: Ledger;
  readonly fleet: FleetState;
  readonly freezes: () => readonly Freeze[];
}

/** Where open runs stand, read again when there are new entries, or after a moment. */
function openMarks(marking: Marking): (lsn: number) => Promise<Marks> {
  const { ledger, fleet } = marking;
  let known: { readonly lsn: number; readonly until: number; readonly marks: Marks } | undefined;
  return async (lsn) => {
    const now = performance.now();
    if (known === undefined || known.lsn !== lsn || known.until < now) {
      const open = await ledger.listRuns({ statuses: openStatuses, limit: openRunsMax });
      const asked = Map.groupBy(
        await ledger.listApprovals({ states: ["open"], limit: approvalsMax }),
        ({ run }) => run,
      );
      const frozen = toFrozen(marking);
      const toMark = (record: RunRecord): Mark => {
        const notes = fleet.runs.get(record.id);
        return { ...record, asked: asked.get(record.id) ?? [], freeze: notes && frozen(notes) };
      };
      known = { lsn, until: now + marksKeptMs, marks: new Map(open.map((record) => [record.id, toMark(record)])) };
    }
    return known.marks;
  };
}

async function findMark(marking: Marking, notes: RunNotes): Promise<Mark | undefined> {
  const { ledger } = marking;
  const run = toRunId(notes.run);
  const record = await ledger.findRun(run);
  if (record === undefined) return undefined;
  const asked = await ledger.listApprovals({ run, states: ["open"], limit: approvalsMax });
  return { ...record, asked, freeze: toFrozen(marking)(notes) };
}

/** What reaches all of a run. A freeze of an agent stops only its own steps, and the rest of the run goes on. */
function toFrozen({ fleet, freezes }: Marking): (notes: RunNotes) => Freeze | undefined {
  const set = new Map(freezes().map((freeze) => [toFreezeName(freeze.target), freeze]));
  if (set.size === 0) return () => undefined;
  return ({ run, flow, tenant, parent }) => {
    const ancestors = [];
    let above = parent === undefined ? undefined : fleet.runs.get(parent);
    while (above !== undefined && ancestors.length < ancestorsMax) {
      ancestors.push({ run: toRunId(above.run), flow: above.flow });
      above = above.parent === undefined ? undefined : fleet.runs.get(above.parent);
    }
    const name = toFreezeNames(toRunId(run), { flow, tenant, ancestors }).find((each) => set.has(each));
    return name === undefined ? undefined : set.get(name);
  };
}

interface PageRequest {
  readonly order: RunOrder;
  readonly filter: RunListFilter;
  readonly looker: Looker;
  readonly marks: Marks;
}

function toPage({ order, filter, looker, marks }: PageRequest): RunPage {
  const { limit = pageDefault } = filter;
  const { tenant } = looker;
  const before = filter.cursor === undefined ? Number.POSITIVE_INFINITY : readCursor(filter.cursor);
  const found: RunNotes[] = [];
  for (let index = order.all.length - 1; index >= 0 && found.length <= limit; index--) {
    const notes = order.all[index];
    if (notes === undefined || notes.startLsn >= before || (tenant !== undefined && notes.tenant !== tenant)) continue;
    const mark = marks.get(notes.run);
    if (filter.needs === "you" && !needs(looker, notes, mark)) continue;
    if (fitsFilter(notes, mark, filter)) found.push(notes);
  }
  const runs = found.slice(0, limit).map((notes) => toRunLine(notes, marks.get(notes.run)));
  const last = found.length > limit ? found[limit - 1] : undefined;
  return {
    runs,
    counts: countRuns(order, marks, tenant),
    cursor: last === undefined ? undefined : String(last.startLsn),
  };
}

function needs({ mayDecide, maySettle }: Looker, notes: RunNotes, mark: Mark | undefined): boolean {
  if (mark === undefined || isOver(notes.status)) return false;
  return (maySettle && mark.status === "in-doubt") || mark.asked.some(mayDecide);
}

function readCursor(cursor: string): number {
  if (/^\d{1,15}$/u.test(cursor)) return Number(cursor);
  throw new TuttiError("INPUT_INVALID", "the cursor is none that a page gave", {
    hint: "Take it from the page before, or leave it out.",
  });
}
