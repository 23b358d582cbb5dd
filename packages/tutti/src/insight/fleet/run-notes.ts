import type { RunLine, RunListFilter, ShownStatus } from "../../contracts/api/runs.ts";
import type { ApprovalRecord } from "../../contracts/approval.ts";
import { describeFreeze, type Freeze } from "../../contracts/freeze.ts";
import type { Usage } from "../../contracts/outcome.ts";
import { isOver, type RunStatus } from "../../contracts/run-record.ts";
import { toSpent } from "./tally.ts";

/** Work that somebody gave to somebody. */
export interface HandedWork {
  readonly from: string;
  readonly to: string;
  readonly isBegun: boolean;
  /** It began in this run, and not in the one that it was forked from. */
  readonly isCounted: boolean;
}

/** What is kept of one run for the list. Plain data, changed in place. */
export interface RunNotes {
  readonly run: string;
  readonly flow: string;
  readonly version: string;
  readonly tenant: string | undefined;
  readonly parent: string | undefined;
  readonly forkedFrom: string | undefined;
  readonly startedAt: number;
  /** Its place in the list. */
  readonly startLsn: number;
  /** As its entries say. That it waits is not among them. */
  status: RunStatus;
  seq: number;
  lsn: number;
  at: number;
  endedAt: number | undefined;
  now: string | undefined;
  /** Outermost steps so far; the first ones by name, so that none is counted twice. */
  phases: string[];
  phasesBeyond: number;
  stepsDone: number;
  stepsFailed: number;
  retries: number;
  /** Keys of effects whose outcome nobody knows. */
  inDoubt: string[];
  agents: string[];
  usage: Usage;
  confidenceLowest: number | undefined;
  confidenceNewest: number | undefined;
  error: { readonly code: string; readonly message: string; readonly hint?: string | undefined } | undefined;
  /** The entries since its start were taken over from the run that it was forked from, so nothing of them was spent again. */
  isTakingOver: boolean;
  /** Steps that have begun and have no outcome, with when and what. */
  open: Record<string, { readonly at: number; readonly name: string }>;
  /** Work that was given by somebody and has no outcome, by its step; what a message only announced is not begun yet. */
  handed: Record<string, HandedWork>;
  children: string[];
}

/** What the ledger's own table says of a run and its entries do not. */
export interface Mark {
  readonly status: RunStatus;
  readonly wakeAt: number | undefined;
  /** What people are asked. */
  readonly asked: readonly ApprovalRecord[];
  /** What keeps it from beginning anything. */
  readonly freeze: Freeze | undefined;
}

const askedMax = 5;

export function toStatus(notes: RunNotes, mark: Mark | undefined): ShownStatus {
  if (mark === undefined || isOver(notes.status)) return notes.status;
  if (mark.status !== "running" && mark.status !== "waiting") return mark.status;
  if (mark.freeze !== undefined) return "frozen";
  return mark.asked.length > 0 ? "asking" : mark.status;
}

export function toRunLine(notes: RunNotes, mark: Mark | undefined): RunLine {
  const { run, flow, version, tenant, parent, forkedFrom, startedAt, seq, lsn, at, endedAt, now } = notes;
  const { stepsDone, stepsFailed, retries, agents, confidenceLowest, confidenceNewest, error } = notes;
  return {
    run,
    flow,
    version,
    tenant,
    parent,
    forkedFrom,
    startedAt,
    seq,
    lsn,
    at,
    endedAt,
    now,
    stepsDone,
    stepsFailed,
    retries,
    agents,
    confidenceLowest,
    confidenceNewest,
    error,
    status: toStatus(notes, mark),
    ...(isOver(notes.status) || mark === undefined ? {} : toWaits(mark)),
    phases: notes.phases.length + notes.phasesBeyond,
    inDoubt: notes.inDoubt.length,
    spent: toSpent(notes.usage),
  };
}

function toWaits({ wakeAt, asked, freeze }: Mark): Pick<RunLine, "wakeAt" | "asked" | "frozen"> {
  const shown = asked.slice(0, askedMax).map(({ id, about, dueAt }) => ({ approval: id, about, dueAt }));
  return {
    wakeAt,
    asked: shown.length === 0 ? undefined : shown,
    frozen: freeze === undefined ? undefined : describeFreeze(freeze),
  };
}

/** Whether a run belongs to what was asked for; who is needed is not looked at. */
export function fitsFilter(notes: RunNotes, mark: Mark | undefined, filter: RunListFilter): boolean {
  if (filter.status !== undefined && !filter.status.split(",").includes(toStatus(notes, mark))) return false;
  if (filter.flow !== undefined && notes.flow !== filter.flow) return false;
  if (filter.agent !== undefined && !notes.agents.includes(filter.agent)) return false;
  if (filter.parent !== undefined && notes.parent !== filter.parent) return false;
  if (filter.costAboveUsd !== undefined && (notes.usage.costUsd ?? 0) <= filter.costAboveUsd) return false;
  if (filter.confidenceBelow !== undefined && (notes.confidenceLowest ?? 1) >= filter.confidenceBelow) return false;
  return filter.q === undefined || mentions(notes, filter.q.toLowerCase());
}

function mentions({ run, flow, now = "", error }: RunNotes, words: string): boolean {
  const told = error === undefined ? "" : `${error.code} ${error.message}`;
  return [run, flow, now, told].some((text) => text.toLowerCase().includes(words));
}
