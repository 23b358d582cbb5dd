import { budget } from "./commands.ts";
import { anything, decimal, fields, flag, integer, listOf, oneOf, recordOf, text, type ValueOf } from "./described.ts";

/* What people are asked and say: approvals, directives, freezes. The words are those of docs/approvals.md and docs/directives.md. */

const counted = fields({ by: text, verdict: oneOf("approve", "abstain"), stage: integer }, { seatOf: text });

/** Something that waits for people, or waited. `saw`: the hash of what is shown; a vote names it. */
export const approvalLine = fields(
  {
    approval: text,
    kind: oneOf("action", "decision", "question"),
    state: oneOf("open", "granted", "used", "rejected", "expired", "superseded", "withdrawn"),
    run: text,
    step: text,
    about: text,
    saw: text,
    /** 1 for the first time that the step asks. */
    round: integer,
    /** The stage that decides now, from 0, and how many there are. */
    stage: integer,
    stages: integer,
    dueAt: integer,
    votes: listOf(counted),
    risk: oneOf("low", "medium", "high"),
  },
  { tool: text, initiator: text, decidedBy: text, why: text },
);
export type ApprovalLine = ValueOf<typeof approvalLine>;

/** What waits for people, the soonest due first. `isCut`: more waits than is listed. */
export const inbox = fields({ approvals: listOf(approvalLine), isCut: flag });
export type Inbox = ValueOf<typeof inbox>;

/** Words, and whose they are. An agent's are its own: nobody has checked them. */
const said = fields({ text, by: oneOf("engine", "agent") });

/** What people are shown before they decide, made by the engine from the action itself. */
export const approvalPackage = fields(
  {
    summary: text,
    askedBy: text,
    rules: listOf(text),
    recommendation: said,
    reasons: listOf(said),
    alternatives: listOf(said),
    evidence: listOf(fields({ step: text, what: text })),
    risk: fields({ level: oneOf("low", "medium", "high"), why: text }),
    otherwise: text,
    deciders: listOf(text),
    versions: recordOf(text),
  },
  {
    /** `input` is JSON as text. `preview`: what it would look like, by the tool itself. */
    action: fields(
      { tool: text, does: text, input: text, changes: text, canBeUndone: flag },
      { preview: fields({ after: text }, { before: text }), previewProblem: text },
    ),
    details: text,
    options: listOf(text),
    why: text,
    confidence: decimal,
    costUsd: decimal,
  },
);
export type ShownPackage = ValueOf<typeof approvalPackage>;
export const approvalDetail = fields({ line: approvalLine, package: approvalPackage });
export type ApprovalDetail = ValueOf<typeof approvalDetail>;

/**
 * A vote of whoever asks. `saw`: the hash of what was shown; on anything else the vote is refused with APPROVAL_STALE. `reject` needs a
 * `reason`, `edit` an `input`, `answer` an `answer`, `delegate` a person in `to`.
 */
export const voteRequest = fields(
  { saw: text, verdict: oneOf("approve", "abstain", "reject", "edit", "answer", "delegate") },
  { reason: text, note: text, input: anything, answer: anything, to: text },
);
export type VoteRequest = ValueOf<typeof voteRequest>;

/** A standing instruction; which of the optional parts it needs follows from its kind. */
export const directiveRequest = fields(
  { kind: oneOf("goal", "constraint", "context", "budget", "autonomy", "stop", "take-over", "hand-back") },
  { text, budget, level: integer, agent: text, output: anything, reason: text },
);
export type DirectiveRequest = ValueOf<typeof directiveRequest>;
/** `stopped`: questions to models that it stopped. `isWaiting`: nobody drives the run now; it counts from when somebody does. */
export const directed = fields({ version: integer, stopped: integer, isWaiting: flag });

export const directiveLine = fields(
  { version: integer, kind: text, by: text, seq: integer, at: integer, says: text },
  { from: text, reason: text },
);
export const directivePage = fields({ directives: listOf(directiveLine) });
export type DirectiveLine = ValueOf<typeof directiveLine>;

const reach = oneOf("agent", "flow", "run", "tenant", "all");
/** What stands still: `all`, or one by its name. */
export const freezeRequest = fields({ reach }, { name: text, reason: text });
export const freezeLine = fields({ reach, by: text, at: integer }, { name: text, reason: text });
export const freezePage = fields({ freezes: listOf(freezeLine) });
export type FreezeLine = ValueOf<typeof freezeLine>;
