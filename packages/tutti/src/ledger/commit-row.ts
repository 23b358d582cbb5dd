import type { TuttiError } from "../base/errors.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import type { RunId } from "../contracts/ids.ts";
import type { RunStatus } from "../contracts/run-record.ts";
import type { RunHead } from "./commit-store.ts";
import type { Appended, AppendWaiter, NewEntry, NewRun, Pace, RunLog } from "./ledger.ts";

/** What waits to be written, in the order in which it was asked for. */
export type Row = AppendRow | StartRow | MarkRow | KeepRow | FlushRow;

/** What became of a start: a new run, held by who started it, or the one that answers to its id or key already. */
export type Started =
  | { readonly kind: "started"; readonly head: RunHead; readonly log: RunLog; readonly first: LedgerEntry }
  | { readonly kind: "exists"; readonly run: RunId };

export interface AppendRow {
  readonly kind: "append";
  readonly log: LogState;
  readonly entry: NewEntry;
  readonly waiter: AppendWaiter;
  readonly pace: Pace;
  outcome: Appended | undefined;
  refusal: TuttiError | undefined;
}

interface StartRow {
  readonly kind: "start";
  readonly run: NewRun;
  readonly resolve: (outcome: Started) => void;
  readonly reject: (error: TuttiError) => void;
  outcome: Started | undefined;
}

interface MarkRow {
  readonly kind: "mark";
  readonly log: LogState;
  readonly status: RunStatus;
  readonly wakeAt: number | undefined;
}

interface KeepRow {
  readonly kind: "keep";
  readonly name: string;
  readonly state: string;
}

interface FlushRow {
  readonly kind: "flush";
  readonly resolve: () => void;
  readonly reject: (error: TuttiError) => void;
}

/** One driver's log as the queue sees it. */
export interface LogState {
  readonly run: RunId;
  readonly epoch: number;
  head: RunHead;
  /** Called once for each of the log's entries, in order: durable, or why not. */
  settle(error: TuttiError | undefined): void;
}
