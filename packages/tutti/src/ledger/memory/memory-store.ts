import { must } from "../../base/assert.ts";
import { liveApprovalStates, type ApprovalRecord } from "../../contracts/approval.ts";
import type { AccountRecord, Reservation } from "../../contracts/budget.ts";
import { entryVersion, type LedgerEntry } from "../../contracts/entry.ts";
import type { ApprovalId, EffectKey, RunId } from "../../contracts/ids.ts";
import { type EffectRecord, isOver, type RunRecord } from "../../contracts/run-record.ts";
import { firstStatus, type CommitStore, type StartKey } from "../commit-store.ts";
import type { LedgerReader } from "../ledger-reader.ts";
import type { ApprovalFilter, EffectFilter, RunFilter } from "../ledger.ts";
import { createDocumentTable, type DocumentTable } from "./document-table.ts";
import { createStagedList, createStagedMap, type StagedList, type StagedMap } from "./staged.ts";

interface Tables {
  readonly entries: StagedList<LedgerEntry>;
  readonly entriesByRun: Map<RunId, LedgerEntry[]>;
  readonly runs: StagedMap<RunId, RunRecord>;
  readonly effects: StagedMap<EffectKey, EffectRecord>;
  readonly startKeys: StagedMap<string, StartKey>;
  readonly blobs: StagedMap<string, string>;
  readonly accounts: StagedMap<string, AccountRecord>;
  readonly reservations: StagedMap<string, Reservation>;
  readonly kept: StagedMap<string, string>;
  readonly documents: DocumentTable;
  readonly approvals: StagedMap<ApprovalId, ApprovalRecord>;
}

export interface MemoryStore {
  readonly store: CommitStore;
  readonly reader: LedgerReader;
}

export function createMemoryStore(sync: CommitStore["sync"]): MemoryStore {
  const tables: Tables = {
    entries: createStagedList(),
    entriesByRun: new Map(),
    runs: createStagedMap(),
    effects: createStagedMap(),
    startKeys: createStagedMap(),
    blobs: createStagedMap(),
    accounts: createStagedMap(),
    reservations: createStagedMap(),
    kept: createStagedMap(),
    documents: createDocumentTable(),
    approvals: createStagedMap(),
  };
  const store: CommitStore = {
    ...(sync === undefined ? {} : { sync }),
    ...toTransaction(tables),
    ...toWrites(tables),
    ...toBudgetWrites(tables),
    findTail() {
      const last = tables.entries.committed.at(-1);
      return { lsn: last?.lsn ?? 0, at: last?.at ?? 0 };
    },
    findStartKey: (key) => tables.startKeys.find(key),
    findEffect: (key) => tables.effects.find(key),
    findDocument: (document) => tables.documents.find(document),
    putDocument: (record) => tables.documents.put(record),
    listLiveApprovals: () => [...tables.approvals.values()].filter(({ state }) => liveApprovalStates.includes(state)),
    findApproval: (id) => tables.approvals.find(id),
    putApproval: (approval) => tables.approvals.put(approval.id, approval),
    findHead(run) {
      const record = tables.runs.find(run);
      if (record === undefined) return undefined;
      const last = must(tables.entriesByRun.get(run)?.at(-1), `run ${run} has a first entry`);
      const { flow, version, startedAt, parent, startKey, epoch, status, wakeAt, endedAt } = record;
      const origin = { flow, version, startedAt, parent, startKey };
      return { number: 0, run, origin, epoch, seq: last.seq, hash: last.hash, status, wakeAt, endedAt };
    },
  };
  return { store, reader: toReader(tables) };
}

function toTransaction(tables: Tables): Pick<CommitStore, "begin" | "commit" | "rollback"> {
  const { entriesByRun, ...staged } = tables;
  const { entries } = tables;
  return {
    begin() {},
    commit() {
      for (const entry of entries.staged) {
        const ofRun = entriesByRun.get(entry.run);
        if (ofRun === undefined) entriesByRun.set(entry.run, [entry]);
        else ofRun.push(entry);
      }
      for (const table of Object.values(staged)) table.commit();
    },
    rollback() {
      for (const table of Object.values(staged)) table.rollback();
    },
  };
}

type Writes = Pick<CommitStore, "insertRun" | "insertEntry" | "insertBlob" | "updateRun" | "putStartKey" | "putEffect">;

function toWrites({ entries, runs, effects, startKeys, blobs }: Tables): Writes {
  return {
    insertRun({ id, flow, version, parent, startKey }, { startedAt, epoch }) {
      const times = { startedAt, endedAt: undefined, wakeAt: undefined };
      runs.put(id, { id, flow, version, status: firstStatus, epoch, ...times, parent, startKey });
      return 0;
    },
    insertEntry(head, { kind, key, body }, { lsn, at }) {
      const { run, seq, hash } = head;
      entries.staged.push({ lsn, run, seq, kind, key, at, version: entryVersion, body, hash });
    },
    insertBlob({ hash, content }) {
      blobs.put(hash, blobs.find(hash) ?? content);
    },
    updateRun({ run, epoch, status, wakeAt, endedAt }) {
      const record = must(runs.find(run), `run ${run} exists`);
      runs.put(run, { ...record, epoch, status, wakeAt, endedAt });
    },
    putStartKey: (key, start) => startKeys.put(key, start),
    putEffect: (effect) => effects.put(effect.key, effect),
  };
}

type BudgetWrites = Pick<
  CommitStore,
  "listReservations" | "putReservation" | "removeReservation" | "findAccount" | "putAccount" | "putKept"
>;

function toKey({ run, key }: Reservation): string {
  return JSON.stringify([run, key]);
}

function toBudgetWrites({ accounts, reservations, kept }: Tables): BudgetWrites {
  return {
    listReservations: () => [...reservations.values()],
    putReservation: (reservation) => reservations.put(toKey(reservation), reservation),
    removeReservation: (reservation) => reservations.remove(toKey(reservation)),
    findAccount: (account) => accounts.find(account),
    putAccount: (record) => accounts.put(record.account, record),
    putKept: (name, state) => kept.put(name, state),
  };
}

function toReader({
  entries,
  entriesByRun,
  runs,
  effects,
  blobs,
  accounts,
  kept,
  documents,
  approvals,
}: Tables): LedgerReader {
  return {
    read: (run, fromSeq, limit) =>
      (entriesByRun.get(run) ?? []).slice(
        Math.max(fromSeq, 1) - 1,
        limit === undefined ? undefined : Math.max(fromSeq, 1) - 1 + limit,
      ),
    readOf: ({ run }) => [...(entriesByRun.get(run) ?? [])],
    readOfAll: (heads) => heads.map(({ run }) => [...(entriesByRun.get(run) ?? [])]),
    readRuns: () => [], // what is in memory is looked up as quickly one by one
    scan(afterLsn, limit) {
      const from = Math.max(afterLsn, 0);
      return entries.committed.slice(from, from + Math.max(limit, 0));
    },
    readBlob: (hash) => blobs.findCommitted(hash),
    findRun: (run) => runs.findCommitted(run),
    listRuns(filter) {
      const found = [...runs.values()].filter((run) => fitsRun(run, filter)).toReversed();
      return filter.limit === undefined ? found : found.slice(0, filter.limit);
    },
    findEffect: (key) => effects.findCommitted(key),
    listEffects: (filter) =>
      [...effects.values()]
        .filter((effect) => fitsEffect(effect, filter))
        .toSorted((left, right) => (left.key < right.key ? -1 : 1)),
    listAccounts: (filter) =>
      [...accounts.values()]
        .filter(({ account }) => account.startsWith(filter.under ?? ""))
        .toSorted((left, right) => (left.account < right.account ? -1 : 1))
        .slice(0, filter.limit),
    listKept: () =>
      [...kept.entries()]
        .map(([name, state]) => ({ name, state }))
        .toSorted((left, right) => (left.name < right.name ? -1 : 1)),
    findDocument: documents.findCommitted,
    listDocuments: documents.list,
    listVersions: documents.versions,
    findApproval: (id) => approvals.findCommitted(id),
    listApprovals: (filter) =>
      [...approvals.values()].filter((approval) => fitsApproval(approval, filter)).slice(0, filter.limit),
  };
}

function fitsRun(run: RunRecord, filter: RunFilter): boolean {
  if (filter.statuses !== undefined && !filter.statuses.includes(run.status)) return false;
  if (filter.flow !== undefined && run.flow !== filter.flow) return false;
  if (filter.parent !== undefined && run.parent !== filter.parent) return false;
  return filter.dueBy === undefined || (!isOver(run.status) && run.wakeAt !== undefined && run.wakeAt <= filter.dueBy);
}

function fitsEffect(effect: EffectRecord, filter: EffectFilter): boolean {
  if (filter.run !== undefined && effect.run !== filter.run) return false;
  if (filter.step !== undefined && effect.step !== filter.step) return false;
  return filter.states === undefined || filter.states.includes(effect.state);
}

function fitsApproval(approval: ApprovalRecord, filter: ApprovalFilter): boolean {
  if (filter.run !== undefined && approval.run !== filter.run) return false;
  if (filter.step !== undefined && approval.step !== filter.step) return false;
  if (filter.askedAfter !== undefined && approval.askedLsn <= filter.askedAfter) return false;
  return filter.states === undefined || filter.states.includes(approval.state);
}
