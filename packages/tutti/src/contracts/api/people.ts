import { directiveKinds } from "../directive.ts";
import { precedentDecisions } from "../precedent.ts";
import { budget, doubtfulEffect } from "./commands.ts";
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
import { toldError, toldValue } from "./runs.ts";

/* What people are asked and what they say: docs/approvals.md, docs/directives.md. Who says it is told by the token, never by a body. */

export const approvalKind = oneOf("action", "decision", "question", "promotion", "review");
export const approvalState = oneOf("open", "granted", "used", "rejected", "expired", "superseded", "withdrawn");

const needed = fields({ count: integer, distinctFromInitiator: flag }, { role: text });
const stage = fields(
  { deadlineMs: integer, onTimeout: oneOf("deny", "escalate", "proceed") },
  { need: needed, persons: listOf(text), except: listOf(text), delegates: listOf(text) },
);

/** Something that people are asked. `package`: the hash of what is shown; whoever decides says it as `saw`. */
export const approvalLine = fields(
  {
    id: text,
    run: text,
    step: text,
    kind: approvalKind,
    /** One sentence: what is asked. */
    about: text,
    state: approvalState,
    /** 1 for the first time that the step asks. */
    round: integer,
    package: text,
    /** What the policy asks for, over all stages. */
    needs: listOf(needed),
    stages: listOf(stage),
    /** The stage that decides now, from 0, and when its time is over. */
    stage: integer,
    dueAt: integer,
    votes: listOf(
      fields({ by: text, roles: listOf(text), stage: integer, verdict: oneOf("approve", "abstain") }, { seatOf: text }),
    ),
    delegations: listOf(fields({ from: text, to: text, stage: integer })),
    askedLsn: integer,
    lsn: integer,
  },
  {
    /** Who started the run. */
    initiator: text,
    /** Hash of the answer, or of the input as a person has changed it. */
    answer: text,
    decidedBy: text,
    why: text,
  },
);
export type ApprovalLine = ValueOf<typeof approvalLine>;

export const inboxFilter = fields(
  {},
  {
    run: text,
    /** `open` by default. */
    state: approvalState,
    /** `you`: only what the caller may decide now. */
    needs: oneOf("you"),
    /** Given by the page before. */
    cursor: text,
    limit: integerFrom(1, 200),
  },
);
export type InboxFilter = ValueOf<typeof inboxFilter>;

/** Approvals, the oldest first; on the first page of what is open, effects whose outcome a person has to say, too. */
export const inbox = fields({ approvals: listOf(approvalLine), inDoubt: listOf(doubtfulEffect) }, { cursor: text });
export type Inbox = ValueOf<typeof inbox>;

/** Words, and whose they are. Nobody has checked an agent's. */
const said = fields({ text, by: oneOf("engine", "agent", "flow") });

/** What a vote is about: made by the engine from the action itself. */
export const approvalPackage = fields(
  {
    kind: approvalKind,
    summary: text,
    run: text,
    step: text,
    askedBy: text,
    rules: listOf(text),
    recommendation: said,
    reasons: listOf(said),
    alternatives: listOf(said),
    evidence: listOf(fields({ step: text, what: text, hash: text })),
    risk: fields({ level: oneOf("low", "medium", "high"), why: text }),
    dueAt: integer,
    /** What happens if nobody decides. */
    otherwise: text,
    /** Who decides, stage by stage. */
    deciders: listOf(text),
    versions: recordOf(text),
  },
  {
    action: fields(
      { tool: text, does: text, input: text, changes: text, canBeUndone: flag },
      {
        /** A text, or `{ before, after }`. */
        preview: anything,
        previewProblem: text,
      },
    ),
    details: text,
    options: listOf(text),
    why: text,
    confidence: decimal,
    precedents: listOf(fields({ id: text, decision: oneOf(...precedentDecisions), similarity: decimal, text })),
    costUsd: decimal,
  },
);
export type ShownPackage = ValueOf<typeof approvalPackage>;
export const approvalDetail = fields({ approval: approvalLine, package: approvalPackage });
export type ApprovalDetail = ValueOf<typeof approvalDetail>;

/** `reject` needs a reason, `edit` an input, `answer` an answer, `delegate` to whom. `saw`: the whole hash of the package. */
const decision = { saw: text, verdict: oneOf("approve", "reject", "edit", "answer", "delegate", "abstain") } as const;
const decisionMore = { note: text, reason: text, input: anything, answer: anything, to: text } as const;
export const decideRequest = fields(decision, decisionMore);
export type DecideRequest = ValueOf<typeof decideRequest>;
/** All of them or none. */
export const batchRequest = fields({ decisions: listOf(fields({ id: text, ...decision }, decisionMore)) });
export type BatchRequest = ValueOf<typeof batchRequest>;
export const approvalList = fields({ approvals: listOf(approvalLine) });

/** A directive that a run was handed. `from`: it was given to a run above it, and has its version there. */
export const directiveLine = fields(
  { version: integer, kind: oneOf(...directiveKinds), by: text, at: integer, seq: integer, sentence: text },
  { reason: text, text, budget, level: integer, agent: text, plan: text, from: text, output: toldValue },
);
export type DirectiveLine = ValueOf<typeof directiveLine>;
export const directiveList = fields({ directives: listOf(directiveLine) });

/** `goal`, `constraint`, `context`: a text. `budget`, `autonomy` (a level), `plan-edit` (a plan and its edit), `take-over`, `hand-back` (an agent). */
export const directiveRequest = fields(
  { kind: oneOf(...directiveKinds, "pause", "resume") },
  { reason: text, text, budget, level: integer, plan: text, edit: anything, agent: text, output: anything },
);
export type DirectiveRequest = ValueOf<typeof directiveRequest>;
/** `stopped`: so many questions to models. `isWaiting`: it counts from when the run is driven. */
export const directed = fields({ version: integer, stopped: integer, isWaiting: flag });
export type Directed = ValueOf<typeof directed>;

/** What stands still. Without a name only for `all`. */
export const freezeRequest = fields(
  { reach: oneOf("agent", "flow", "run", "tenant", "all") },
  { name: text, reason: text },
);
export type FreezeRequest = ValueOf<typeof freezeRequest>;
export const freezeLine = fields(
  { reach: oneOf("agent", "flow", "run", "tenant", "all"), by: text, at: integer },
  { name: text, reason: text },
);
export type FreezeLine = ValueOf<typeof freezeLine>;
export const freezeList = fields({ freezes: listOf(freezeLine) });
export const undoRequest = fields({}, { reason: text });

/** Something that a run did. `seq`: the entry that says so. */
const didLine = { step: text, tool: text, seq: integer } as const;
/**
 * What `undo` would do, the newest first, and what it can't. `refusal`: why nothing would be done at all. `takenBack`: by an undo before.
 * `isCut`: there is more than is listed.
 */
export const undoPreview = fields(
  {
    takesBack: listOf(fields(didLine, { output: text })),
    stays: listOf(fields({ ...didLine, why: text })),
    takenBack: integer,
    isCut: flag,
  },
  { refusal: toldError },
);
export type UndoPreview = ValueOf<typeof undoPreview>;
