import { bodyOf, type BodyOf, type EntryKind, type LedgerEntry } from "../../contracts/entry.ts";
import { addUsage, noUsage, type Usage } from "../../contracts/outcome.ts";
import { spentOn } from "../../contracts/spent.ts";
import { findModelReply } from "../model-reply.ts";
import { beginWork, finishWork, noteMessage, type HandOffs } from "./hand-offs.ts";
import type { TalliedCall } from "./periods.ts";
import type { RunNotes } from "./run-notes.ts";
import { addCall, toTally, type TalliedCallable, type Tally } from "./tally.ts";

/** Who wrote a document last, and whose it is: `shared` once runs of several tenants wrote it. */
export interface DocumentNotes {
  readonly tenant: string | undefined;
  readonly isShared: boolean;
  readonly version: number;
  readonly lsn: number;
  readonly at: number;
  readonly run: string;
  readonly step: string;
}

/** Everything that is known of all runs together, up to one entry of the ledger. */
export interface FleetState {
  lsn: number;
  /** Of the entry at `lsn`: another ledger in the same place has another. */
  hash: string;
  readonly runs: Map<string, RunNotes>;
  readonly tallies: Map<string, Tally>;
  readonly documents: Map<string, DocumentNotes>;
  readonly handOffs: HandOffs;
}

export function emptyFleet(): FleetState {
  return { lsn: 0, hash: "", runs: new Map(), tallies: new Map(), documents: new Map(), handOffs: new Map() };
}

const agentsMax = 20;
const phasesMax = 50;
const childrenMax = 200;

/** Takes the next entry of the ledger in. One that can't be read stays the next one. @throws TuttiError LEDGER_CORRUPT, LEDGER_TOO_NEW */
export function applyToFleet(fleet: FleetState, entry: LedgerEntry): void {
  applyEntry(fleet, entry);
  fleet.lsn = entry.lsn;
  fleet.hash = entry.hash;
}

function applyEntry(fleet: FleetState, entry: LedgerEntry): void {
  if (entry.kind === "run-started") begin(fleet, entry);
  const notes = fleet.runs.get(entry.run);
  if (notes === undefined) return; // a topic, subscription or schedule
  const isNext = entry.lsn - notes.startLsn === entry.seq - 1 && entry.at === notes.startedAt;
  if (!isNext) notes.isTakingOver = false;
  notes.seq = entry.seq;
  notes.lsn = entry.lsn;
  notes.at = entry.at;
  if (entry.key !== "") noteStep(notes, entry.key);
  applyKind({ fleet, notes, entry }, entry.kind);
}

function begin(fleet: FleetState, entry: LedgerEntry): void {
  const { flow, version, tenant, parent, forkedFrom } = bodyOf(entry, "run-started");
  if (flow.startsWith("@")) return;
  const above = parent === undefined ? undefined : fleet.runs.get(parent.run);
  if (above !== undefined && above.children.length < childrenMax) above.children.push(entry.run);
  fleet.runs.set(entry.run, {
    run: entry.run,
    flow,
    version,
    tenant,
    parent: parent?.run,
    forkedFrom: forkedFrom?.run,
    startedAt: entry.at,
    startLsn: entry.lsn,
    status: "running",
    endedAt: undefined,
    now: undefined,
    seq: entry.seq,
    lsn: entry.lsn,
    at: entry.at,
    phases: [],
    phasesBeyond: 0,
    stepsDone: 0,
    stepsFailed: 0,
    retries: 0,
    inDoubt: [],
    agents: [],
    usage: noUsage,
    confidenceLowest: undefined,
    confidenceNewest: undefined,
    error: undefined,
    isTakingOver: forkedFrom !== undefined,
    open: {},
    handed: {},
    children: [],
  });
}

/** Only the first names are kept; of a run with more, the last one tells whether the next is new. */
function noteStep(notes: RunNotes, key: string): void {
  const end = key.indexOf("/", 1);
  const outermost = end < 0 ? key : key.slice(0, end);
  const before = notes.now ?? "";
  notes.now = key;
  if (notes.phases.includes(outermost)) return;
  if (notes.phases.length < phasesMax) notes.phases.push(outermost);
  else if (before !== outermost && !before.startsWith(`${outermost}/`)) notes.phasesBeyond += 1;
}

interface Place {
  readonly fleet: FleetState;
  readonly notes: RunNotes;
  readonly entry: LedgerEntry;
}

type Apply<Kind extends EntryKind> = (place: Place, body: BodyOf<Kind>) => void;

// The type parameter ties the kind to its applier and its body.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the body sees the tie, the rule does not
function applyKind<Kind extends EntryKind>(place: Place, kind: Kind): void {
  const apply = (appliers as { readonly [Some in EntryKind]?: Apply<Some> })[kind];
  if (apply !== undefined) apply(place, bodyOf(place.entry, kind));
}

/** Kinds that change what the list and the figures say; the others are not even parsed. */
const appliers = {
  "run-done": (place) => endRun(place, "done"),
  "run-failed": (place, { error }) => {
    place.notes.error = toTold(error);
    endRun(place, "failed");
  },
  "run-cancelled": (place) => endRun(place, "cancelled"),
  "run-parked": ({ notes }, { error }) => {
    notes.status = "parked";
    notes.error = toTold(error);
  },
  "run-paused": ({ notes }) => void (notes.status = "paused"),
  "run-resumed": ({ notes }) => {
    notes.status = "running";
    notes.error = undefined;
  },

  "step-done": (place, { call, out, attempt, report }) => {
    place.notes.stepsDone += 1;
    spend(place, report?.usage);
    const reply = findModelReply(place.entry.key, out);
    if (reply !== undefined) {
      spend(place, reply.usage);
      tally(place, { kind: "model", name: reply.model }, { end: "done", attempt, usage: reply.usage });
    } else if (call !== undefined)
      tally(place, { kind: "tool", name: call }, { end: "done", attempt, usage: report?.usage });
  },
  "step-failed": (place, { call, error, attempt, report }) => {
    place.notes.stepsFailed += 1;
    spend(place, spentOn(error));
    if (call === undefined) return;
    const end = error.code === "RUN_CANCELLED" ? "cancelled" : "failed";
    tally(place, { kind: "tool", name: call }, { end, attempt, usage: report?.usage });
  },
  "attempt-failed": (place, { error }) => {
    place.notes.retries += 1;
    spend(place, spentOn(error));
  },

  "effect-intended": (place, { tool }) => open(place, tool),
  "effect-settled": (place, { effect, attempt, report, error }) => {
    certain(place, effect);
    spend(place, report?.usage);
    place.notes[error === undefined ? "stepsDone" : "stepsFailed"] += 1;
    closeTool(place, { end: error === undefined ? "done" : "failed", attempt, usage: report?.usage });
  },
  "effect-failed": (place, { effect, attempt, report }) => {
    certain(place, effect);
    place.notes.stepsFailed += 1;
    closeTool(place, { end: "failed", attempt, usage: report?.usage });
  },
  "effect-shared": ({ notes }) => void (notes.stepsDone += 1),
  "effect-in-doubt": ({ notes }, { effect }) => {
    notes.status = "in-doubt";
    if (!notes.inDoubt.includes(effect)) notes.inDoubt.push(effect);
  },
  "effect-resolved": (place, { effect }) => certain(place, effect),

  "agent-started": (place, { agent }) => {
    const { agents } = place.notes;
    if (agents.length < agentsMax && !agents.includes(agent)) agents.push(agent);
    beginWork(place, agent);
    open(place, agent);
  },
  "scope-closed": (place, { agent, usage, confidence, error }) => {
    const { notes } = place;
    finishWork(place, error?.code);
    if (confidence !== undefined) {
      notes.confidenceNewest = confidence.value;
      notes.confidenceLowest = Math.min(notes.confidenceLowest ?? 1, confidence.value);
    }
    if (agent === undefined) return;
    const at = agent.lastIndexOf("@");
    const callable = { kind: "agent", name: agent.slice(0, at), version: agent.slice(at + 1) } as const;
    const end = error === undefined ? "done" : error.code === "RUN_CANCELLED" ? "cancelled" : "failed";
    tally(place, callable, { end, usage, confidence: confidence?.value, beganAt: close(place)?.at });
  },
  "child-started": (place, { flow }) => beginWork(place, flow),
  "child-settled": (place, { error }) => {
    place.notes[error === undefined ? "stepsDone" : "stepsFailed"] += 1;
    finishWork(place, error?.code);
  },
  "message-sent": (place, message) => noteMessage(place, message),
  "document-committed": ({ fleet, notes, entry }, { writes }) => {
    for (const { document, version } of writes) {
      const before = fleet.documents.get(document);
      const isShared = before !== undefined && (before.isShared || before.tenant !== notes.tenant);
      const { run, lsn, at, key } = entry;
      fleet.documents.set(document, { tenant: notes.tenant, isShared, version, lsn, at, run, step: key });
    }
  },
} satisfies { readonly [Kind in EntryKind]?: Apply<Kind> };

function endRun({ fleet, notes, entry }: Place, end: "done" | "failed" | "cancelled"): void {
  notes.status = end;
  notes.endedAt = entry.at;
  notes.open = {};
  notes.handed = {};
  notes.isTakingOver = false;
  tally(
    { fleet, notes, entry },
    { kind: "flow", name: notes.flow, version: notes.version },
    { end, beganAt: notes.startedAt, usage: notes.usage },
  );
}

function spend({ notes }: Place, usage: Usage | undefined): void {
  if (usage !== undefined && usage.modelCalls > 0 && !notes.isTakingOver) notes.usage = addUsage(notes.usage, usage);
}

type Called = Pick<TalliedCallable, "kind" | "name"> & { readonly version?: string };

function tally({ fleet, notes, entry }: Place, called: Called, call: Omit<TalliedCall, "at">): void {
  if (notes.isTakingOver) return;
  const { kind, name, version } = called;
  const key = JSON.stringify([notes.tenant ?? null, kind, name, version ?? null]);
  let found = fleet.tallies.get(key);
  if (found === undefined) {
    found = toTally({ tenant: notes.tenant, kind, name, version }, entry.at);
    fleet.tallies.set(key, found);
  }
  addCall(found, { ...call, at: entry.at });
}

function open({ notes, entry }: Place, name: string): void {
  notes.open[entry.key] = { at: entry.at, name };
}

function close({ notes, entry }: Place): { readonly at: number; readonly name: string } | undefined {
  const opened = notes.open[entry.key];
  delete notes.open[entry.key];
  return opened;
}

function closeTool(place: Place, call: Pick<TalliedCall, "end" | "attempt" | "usage">): void {
  const opened = close(place);
  if (opened !== undefined) tally(place, { kind: "tool", name: opened.name }, { ...call, beganAt: opened.at });
}

/** It is known what became of an effect. */
function certain({ notes }: Place, effect: string): void {
  notes.inDoubt = notes.inDoubt.filter((each) => each !== effect);
  if (notes.inDoubt.length === 0 && notes.status === "in-doubt") notes.status = "running";
}

function toTold(error: BodyOf<"run-failed">["error"]): NonNullable<RunNotes["error"]> {
  const { code, message, hint } = error;
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}
