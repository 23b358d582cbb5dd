import {
  anything,
  decimal,
  fields,
  flag,
  integer,
  integerFrom,
  listOf,
  oneOf,
  recordOf,
  text,
  type ValueOf,
} from "./described.ts";

/* Runs as people see them: the list, the score (phases, lanes, steps, edges), reasons, decisions and messages.
   Times are milliseconds since 1970, money is US dollars, a step is named by its path. */

/** `asking`: it waits for people. `frozen`: a freeze reaches it, and nothing in it is begun. */
export const runStatus = oneOf(
  "running",
  "waiting",
  "asking",
  "frozen",
  "paused",
  "in-doubt",
  "parked",
  "done",
  "failed",
  "cancelled",
);
export type ShownStatus = ValueOf<typeof runStatus>;

/** An error as the ledger holds it: a code of docs/errors.md, what happened, what to do. */
export const toldError = fields({ code: text, message: text }, { hint: text });
export type ToldError = ValueOf<typeof toldError>;

/** Tokens and money. `unpricedCalls`: how many of `modelCalls` are not in `costUsd`. */
export const spent = fields({
  modelCalls: integer,
  inputTokens: integer,
  outputTokens: integer,
  costUsd: decimal,
  unpricedCalls: integer,
});
export type Spent = ValueOf<typeof spent>;

/** A run in the list. */
export const runLine = fields(
  {
    run: text,
    flow: text,
    version: text,
    status: runStatus,
    startedAt: integer,
    /** Its newest entry: position in the run, position in the ledger, and when. */
    seq: integer,
    lsn: integer,
    at: integer,
    /** Outermost steps so far. */
    phases: integer,
    stepsDone: integer,
    stepsFailed: integer,
    /** Attempts that failed and were followed by another. */
    retries: integer,
    /** Effects whose outcome nobody knows. */
    inDoubt: integer,
    /** Names of its agents, at most 20. */
    agents: listOf(text),
    spent,
  },
  {
    tenant: text,
    endedAt: integer,
    wakeAt: integer,
    parent: text,
    forkedFrom: text,
    /** The step of its newest entry. */
    now: text,
    /** The lowest and the newest confidence of its results, from 0 to 1. */
    confidenceLowest: decimal,
    confidenceNewest: decimal,
    /** Why it failed or is parked. */
    error: toldError,
    /** What people are asked, at most five: `GET /api/approvals/:approval` shows all of it. */
    asked: listOf(fields({ approval: text, about: text, dueAt: integer })),
    /** By whom it was frozen, and why. */
    frozen: text,
  },
);
export type RunLine = ValueOf<typeof runLine>;

export const runFilter = fields(
  {},
  {
    /** Several are separated by commas. */
    status: text,
    flow: text,
    agent: text,
    parent: text,
    /** In the id, the flow, the present step or the error. */
    q: text,
    costAboveUsd: decimal,
    confidenceBelow: decimal,
    /** `you`: only runs that ask something which the caller may decide, or in whose effects the caller may settle a doubt. */
    needs: oneOf("you"),
    /** Given by the page before. */
    cursor: text,
    limit: integerFrom(1, 200),
  },
);
export type RunListFilter = ValueOf<typeof runFilter>;

/** Newest first. `counts`: all runs that may be seen, by status. */
export const runPage = fields({ runs: listOf(runLine), counts: recordOf(integer) }, { cursor: text });
export type RunPage = ValueOf<typeof runPage>;

/** A value, where it is small; a large one is read by its hash at `/api/runs/:run/blobs/:hash`. Neither: nothing. */
export const toldValue = fields({}, { value: anything, hash: text, bytes: integer, preview: text });
export type ToldValue = ValueOf<typeof toldValue>;

export const runDetail = fields(
  { line: runLine, input: toldValue, output: toldValue, children: listOf(text) },
  {
    /** Who paused it, or why it was cancelled. */
    note: text,
    cancelRequested: flag,
    /** Where it was forked from, and who started it. */
    forkedAt: fields({ run: text, step: text }, { by: text }),
    startedBy: fields({ run: text, step: text }),
  },
);
export type RunDetail = ValueOf<typeof runDetail>;

export const stepState = oneOf("running", "waiting", "in-doubt", "done", "undone", "failed", "cancelled");

/**
 * One step on the score. `seq`: the entry that first named it, or a step inside it. `ownSeq`: the first entry about itself. `changedSeq`: the
 * newest that changed it. Who draws steps in the order of `ownSeq` by what they have then never has to move one.
 */
export const scoreNode = fields(
  {
    path: text,
    name: text,
    kind: oneOf("agent", "tool", "step", "timer", "signal", "child", "scope", "decision", "votes", "message", "note"),
    /** The agent it belongs to; "flow" for what no agent does. */
    lane: text,
    phase: integer,
    state: stepState,
    seq: integer,
    ownSeq: integer,
    changedSeq: integer,
    attempt: integer,
  },
  {
    /** What had ended before it in the same part; what it is inside of, when nothing had. Never changes. */
    before: text,
    callable: text,
    agentVersion: text,
    startedAt: integer,
    endedAt: integer,
    waitsFor: oneOf("time", "retry", "child", "signal", "person"),
    waitsUntil: integer,
    confidence: decimal,
    /** What it cost itself: of an agent, all its questions. */
    spent,
    error: toldError,
    /** What it returned or says, in a few words. */
    output: text,
    remark: text,
    effect: text,
    /** Its effect was there already: whose it is. */
    sharedFrom: fields({ run: text, step: text }),
    child: text,
    edited: flag,
  },
);
export type ScoreNode = ValueOf<typeof scoreNode>;

/** `data`: its result was handed in. `message`: it was told. `flow`: it only came before, in the same part. */
export const scoreEdge = fields({ from: text, to: text, kind: oneOf("data", "message", "flow") });
export type ScoreEdge = ValueOf<typeof scoreEdge>;

/** Part of a phase's strip: one agent in it. `retries`: attempts after the first. `longestMs`: of the steps that are over. */
export const phaseLane = fields(
  {
    lane: text,
    steps: integer,
    running: integer,
    failed: integer,
    waiting: integer,
    retries: integer,
    costUsd: decimal,
    longestMs: integer,
  },
  { confidenceLowest: decimal },
);

/** A phase: an outermost part of the flow, or some plain steps in a row. A long one is continued in further parts. */
export const phaseHead = fields(
  {
    phase: integer,
    /** The path of its outermost step. */
    path: text,
    name: text,
    part: integer,
    state: stepState,
    /** Nodes in it. */
    steps: integer,
    lanes: listOf(phaseLane),
    costUsd: decimal,
    /** Earlier phases whose results went in, with how many edges. */
    inputs: listOf(fields({ phase: integer, edges: integer })),
    /** Versions of documents that were written in it. */
    documentsWritten: integer,
    changedSeq: integer,
  },
  { startedAt: integer, endedAt: integer, confidenceLowest: decimal },
);
export type PhaseHead = ValueOf<typeof phaseHead>;

/** `seq`: up to which entry this is true. Ask again with `?seq=` for a moment in the past. */
export const score = fields({
  run: text,
  seq: integer,
  status: runStatus,
  lanes: listOf(text),
  phases: listOf(phaseHead),
  steps: integer,
  spent,
});
export type Score = ValueOf<typeof score>;

export const phase = fields({ seq: integer, head: phaseHead, nodes: listOf(scoreNode), edges: listOf(scoreEdge) });
export type Phase = ValueOf<typeof phase>;

/** What is new on the score since an entry: heads and nodes replace those of their number and path. Edges: all of the changed nodes. */
export const scoreChanges = fields({
  seq: integer,
  status: runStatus,
  phases: listOf(phaseHead),
  nodes: listOf(scoreNode),
  edges: listOf(scoreEdge),
  /** More has changed than fits: load the score anew. */
  isCut: flag,
});
export type ScoreChanges = ValueOf<typeof scoreChanges>;

const entrySeq = integerFrom(1, Number.MAX_SAFE_INTEGER);
export const atSeq = fields({}, { seq: entrySeq });

/** One thing that led to another. `parent`: the place in this list of what it led to; the first has none. */
export const reasonLine = fields(
  { kind: text, sentence: text, depth: integer },
  { step: text, seq: integer, parent: integer },
);
export type ReasonLine = ValueOf<typeof reasonLine>;
export const whySlice = fields({ run: text, reasons: listOf(reasonLine) });
export type WhySlice = ValueOf<typeof whySlice>;
/** `seq`: only what was known after this entry of the run. */
export const whyQuery = fields({}, { step: text, depth: integerFrom(1, 50), seq: entrySeq });

/** A decision: what was chosen, what else was possible, on what it leaned and what leaned on it. */
export const decisionLine = fields(
  {
    kind: oneOf("decision", "votes"),
    seq: integer,
    at: integer,
    step: text,
    lane: text,
    about: text,
    chosen: text,
    why: text,
    alternatives: listOf(fields({ name: text, why: text }, { score: decimal })),
    basedOn: listOf(text),
    ledTo: listOf(text),
  },
  {
    confidence: decimal,
    votes: listOf(fields({ voter: text, step: text, agrees: flag, weight: decimal }, { reason: text })),
    silent: listOf(fields({ voter: text, code: text })),
  },
);
export type DecisionLine = ValueOf<typeof decisionLine>;
export const decisionGraph = fields({ seq: integer, decisions: listOf(decisionLine) });
export type DecisionGraph = ValueOf<typeof decisionGraph>;

export const messageLine = fields(
  { seq: integer, at: integer, step: text, from: text, to: text, intent: text, bytes: integer },
  { readBy: text, inReplyTo: text, withheld: integer, note: text },
);
export type MessageLine = ValueOf<typeof messageLine>;
export const messagePage = fields({ seq: integer, messages: listOf(messageLine) });
export type MessagePage = ValueOf<typeof messagePage>;

/** What one agent version, tool, model or flow did so far. Latency is of calls whose beginning is recorded. */
export const callableLine = fields(
  {
    kind: oneOf("agent", "tool", "model", "flow"),
    name: text,
    calls: integer,
    done: integer,
    failed: integer,
    cancelled: integer,
    /** Attempts that failed and were followed by another. */
    retries: integer,
    spent,
    firstAt: integer,
    lastAt: integer,
  },
  {
    version: text,
    /** Upper ends of buckets that grow by a quarter. */
    latencyMs: fields({ count: integer, p50: integer, p95: integer, longest: integer }),
    confidence: fields({ count: integer, mean: decimal, lowest: decimal }),
  },
);
export type CallableLine = ValueOf<typeof callableLine>;
export const callablePage = fields({ callables: listOf(callableLine) });
export type CallablePage = ValueOf<typeof callablePage>;
export const callableFilter = fields({}, { kind: oneOf("agent", "tool", "model", "flow"), name: text });
