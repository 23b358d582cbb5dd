import { isErrorCode, type ErrorCode } from "../base/error-codes.ts";
import type { StoredError } from "../base/errors.ts";
import {
  anything,
  branded,
  decimal,
  fields,
  flag,
  integer,
  listOf,
  oneOf,
  recordOf,
  ShapeError,
  text,
  type Shape,
  type ShapeOf,
} from "../base/shape.ts";
import { askedShape } from "./approval.ts";
import {
  autonomyCappedShape,
  autonomyGrantedShape,
  autonomyProposalShape,
  autonomyWithdrawnShape,
  reasonCodes,
} from "./autonomy.ts";
import { amountShape, budgetsShape } from "./budget.ts";
import { directiveShape } from "./directive.ts";
import { freezeShape } from "./freeze.ts";
import { grantShape, permissionsShape } from "./grant.ts";
import type { ApprovalId, DocumentId, EffectKey, RunId, StepKey } from "./ids.ts";
import { decidedShape, permittedShape, policyNameShape, policyRequestShape, policyVerdictShape } from "./policy.ts";
import { sampleShape, samplingShape } from "./review.ts";
import { priorities } from "./run-record.ts";

const runId: Shape<RunId> = branded(text);
const stepKey: Shape<StepKey> = branded(text);
const effectKey: Shape<EffectKey> = branded(text);

const approvalId: Shape<ApprovalId> = branded(text);
const documentId: Shape<DocumentId> = branded(text);
const errorCode: Shape<ErrorCode> = (value, path) => {
  if (isErrorCode(value)) return value;
  throw new ShapeError(path, "an error code", value);
};

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- facts are written by toStoredError and only shown to people
export const storedError: Shape<StoredError> = fields(
  { code: errorCode, message: text },
  { hint: text, facts: recordOf(anything), effect: oneOf("none", "done", "unknown"), name: text, causes: listOf(text) },
) as Shape<StoredError>; // facts are written by toStoredError and only shown to people

/** A value that was too large for its entry, by content hash. */
const blobRef = fields({ hash: text, bytes: integer });

export const usageShape = fields(
  { modelCalls: integer, inputTokens: integer, outputTokens: integer },
  {
    cachedInputTokens: integer,
    cacheWriteTokens: integer,
    reasoningTokens: integer,
    costUsd: decimal,
    unpricedCalls: integer,
  },
);
const confidence = fields({ value: decimal, source: oneOf("check", "agreement", "judge", "logprobs", "self", "rule") });
const evidence = listOf(fields({ source: text }, { quote: text }));

/** Where a value came from: the steps whose results were handed in. */
const provenance = { uses: listOf(stepKey) };
/** `out` or, when it is large, `outRef`. Neither: nothing was returned. */
const output = { out: anything, outRef: blobRef };
const input = { input: anything, inputRef: blobRef };
const known = { confidence, evidence, usage: usageShape, model: text };

/** How long the attempt took, in milliseconds; absent for less than one. */
const took = { tookMs: integer };

/** What a tool said about its work (contracts/callable.ts). */
export const toolReport = fields(
  {},
  { provider: text, tried: listOf(fields({ provider: text, code: errorCode })), usage: usageShape, note: text },
);
const reported = { report: toolReport };

/** Versions of documents, by id, that must have been the newest when the entry was written. */
const reads = recordOf(integer);
/** What the code that got this may have learned: trust and data classes. */
const labelled = { labels: listOf(text) };
const requested = fields({ approval: approvalId, dueAt: integer });
/** An approval as it is asked for. */
const toAsked = (value: unknown, path: string): ShapeOf<typeof requested> & ShapeOf<typeof askedShape> => ({
  ...requested(value, path),
  ...askedShape(value, path),
});
const effectOrigin = fields({ run: runId, step: stepKey });

/**
 * Every kind of entry with the shape of its body, version 1. Kinds are noun-verb.
 * Entries about one step carry its path as their key.
 */
export const bodies = {
  "run-started": fields(
    { flow: text, version: text },
    {
      ...input,
      parent: fields({ run: runId, step: stepKey, onParentEnd: oneOf("cancel", "keep") }),
      /** The runs that this one was started for, the nearest first. */
      ancestors: listOf(fields({ run: runId, flow: text })),
      /** `copied`: so many entries after this one were taken over. `by`: who forked it. */
      forkedFrom: fields({ run: runId, step: stepKey, seq: integer, lineage: runId }, { copied: integer, by: text }),
      edits: recordOf(fields({}, { input: anything, output: anything })),
      startKey: text,
      tenant: text,
      /** The id of the key that the run's data is sealed with: it is about a person, whose key may be destroyed. */
      personal: text,
      /** Of its input. */
      ...labelled,
      /** The person who started it. */
      by: text,
      /** What it may do; absent where nothing limits it and no agent handed anything on. */
      grant: grantShape,
      priority: oneOf(...priorities),
      /** Accounts that the run pays into whatever the engine declares, with their limits: its own, and those of the run that started it. */
      budgets: budgetsShape,
    },
  ),
  "run-done": fields({}, { ...output, ...labelled, uses: listOf(stepKey) }),
  "run-failed": fields({ error: storedError }, labelled),
  "run-cancelled": fields({ reason: text }, labelled),
  "run-parked": fields({ error: storedError }, { step: stepKey }),
  "run-paused": fields({ by: text }, { reason: text }),
  "run-resumed": fields({ by: text }, { reason: text }),
  "cancel-requested": fields({ by: text, reason: text }),
  /** A run that had failed or was cancelled goes on: what it did is taken back. */
  "undo-requested": fields({ by: text }, { reason: text }),
  "directive-given": directiveShape,

  "step-done": fields(
    {},
    {
      ...output,
      ...input,
      ...provenance,
      ...reported,
      ...took,
      call: text,
      effect: oneOf("read", "local"),
      attempt: integer,
      digest: text,
      edited: flag,
    },
  ),
  "step-failed": fields(
    { error: storedError },
    { ...input, ...reported, ...took, call: text, attempt: integer, digest: text },
  ),
  "attempt-failed": fields(
    { error: storedError, attempt: integer, nextAt: integer },
    { ...reported, ...took, doubtful: flag },
  ),

  "effect-intended": fields(
    { effect: effectKey, tool: text, class: oneOf("idempotent", "once"), digest: text },
    {
      ...input,
      ...provenance,
      undo: flag,
      reads,
      /** What of the policy allowed it; a second attempt does not say so again. */
      decided: decidedShape,
      /** The yes that it was begun on, and is used up by it. */
      approval: approvalId,
      /** A person changed the input; `digest` is that of what the code asked for. */
      edited: text,
    },
  ),
  "effect-settled": fields(
    { effect: effectKey, by: oneOf("tool", "check", "person") },
    { ...output, ...labelled, ...reported, attempt: integer, note: text, error: storedError },
  ),
  "effect-failed": fields({ effect: effectKey, error: storedError }, { ...reported, attempt: integer }),
  "effect-shared": fields(
    { effect: effectKey, from: effectOrigin },
    { ...output, ...input, ...provenance, ...labelled, call: text, digest: text },
  ),
  "effect-in-doubt": fields({ effect: effectKey, why: text }, { ...reported, error: storedError }),
  /** What an agent in shadow would have done. The input stands in the step's own record. */
  "effect-shadowed": fields({ effect: effectKey, tool: text, class: oneOf("idempotent", "once"), digest: text }),
  "effect-resolved": fields({ effect: effectKey, by: oneOf("check", "person", "freeze") }, { note: text }),

  "rollback-started": fields({ error: storedError }),
  "effect-undone": fields({ effect: effectKey }, { ...reported, attempt: integer }),

  "budget-reserved": fields({ amount: amountShape, budgets: budgetsShape }),
  "budget-settled": fields({ charged: amountShape, by: oneOf("call", "outcome", "crash", "end") }),

  "timer-set": fields({ dueAt: integer }),
  "timer-fired": fields({}),
  "signal-received": fields(
    { name: text, id: text },
    { ...labelled, payload: anything, payloadRef: blobRef, from: effectOrigin },
  ),

  "agent-started": fields(
    { agent: text, version: text },
    { ...input, ...provenance, does: text, digest: text, permissions: permissionsShape },
  ),
  "scope-closed": fields(
    {},
    {
      ...output,
      ...known,
      ...labelled,
      error: storedError,
      consumed: listOf(integer),
      agent: text,
      digest: text,
      reads,
    },
  ),
  "child-started": fields(
    { child: runId, flow: text, version: text },
    { ...provenance, digest: text, onParentEnd: oneOf("cancel", "keep") },
  ),
  "child-settled": fields({ child: runId }, { ...output, ...labelled, error: storedError }),

  "votes-counted": fields(
    {
      rule: text,
      outcome: oneOf("agreed", "split"),
      votes: listOf(
        fields({ voter: text, step: stepKey, family: text, weight: decimal, agrees: flag }, { reason: text }),
      ),
      silent: listOf(fields({ voter: text, code: errorCode })),
    },
    { confidence, reason: text, rounds: integer },
  ),
  "message-sent": fields(
    { from: text, to: text, intent: text, bytes: integer },
    { readBy: stepKey, inReplyTo: stepKey, withheld: integer, note: text },
  ),
  "decision-made": fields(
    { about: text, chosen: text, why: text },
    { alternatives: listOf(fields({ name: text, why: text }, { score: decimal })), confidence },
  ),

  /**
   * What a policy was asked about a step, and what it said, unless that stands in the intent or the vote that it allows: read all with `toPolicyDecisions`.
   * `inputRef` holds the request's `context.input` when that is large.
   */
  "policy-decided": fields(
    { request: policyRequestShape, verdict: policyVerdictShape, policy: policyNameShape },
    { inputRef: blobRef },
  ),

  // approvals: the record of one follows from these, in their order
  "approval-requested": (value: unknown, path: string) => toAsked(value, path),
  /** `saw`: the hash of what was shown. Of an edit: what a yes is bound to from now on. */
  "approval-voted": fields(
    {
      approval: approvalId,
      by: text,
      saw: text,
      verdict: oneOf("approve", "reject", "edit", "answer", "delegate", "abstain"),
    },
    {
      roles: listOf(text),
      note: text,
      /** Why an override, as one word. */
      code: oneOf(...reasonCodes),
      to: text,
      answer: text,
      binding: recordOf(text),
      package: text,
      about: text,
      /** Which rules of which policy let it count, as far as it could lead to a yes. */
      decided: permittedShape,
    },
  ),
  "approval-overdue": fields({ approval: approvalId, stage: integer, next: oneOf("deny", "escalate", "proceed") }),
  "approval-decided": fields(
    { approval: approvalId, state: oneOf("granted", "rejected", "expired", "superseded", "withdrawn") },
    { by: text, why: text },
  ),
  /** The yes was used for a call that has no intent. */
  "approval-used": fields({ approval: approvalId }),

  "task-claimed": fields({ by: text, until: integer, why: text, others: listOf(fields({ name: text, why: text })) }),
  "task-released": fields({ by: text, why: text }),

  // topics: in the run of a topic, whose positions they are
  "event-published": fields(
    { id: text },
    { ...labelled, payload: anything, payloadRef: blobRef, eventKey: text, from: effectOrigin },
  ),
  /** A step of a run waits for one event more under this key, of those since `since`. */
  "event-awaited": fields({ run: runId, step: stepKey, since: integer }, { eventKey: text }),
  "event-handed": fields({ run: runId, event: integer }, { eventKey: text }),

  // subscriptions: in the run of a subscription; every event up to `through` is done with
  "subscription-set": fields({ topic: text, flow: text, after: integer }),
  "event-acted": fields({ events: listOf(integer), through: integer, run: runId }, { eventKey: text }),
  "event-parked": fields({ events: listOf(integer), through: integer, error: storedError }),
  "events-passed": fields({ through: integer }),
  "event-released": fields({ event: integer, verdict: oneOf("retry", "drop"), by: text }),

  // schedules: in the run of a schedule; every due time up to the newest of these is done with
  "schedule-set": fields({ cron: text, timeZone: text, flow: text, at: integer }),
  "schedule-fired": fields({ dueAt: integer, run: runId }),
  "schedule-skipped": fields({ dueAt: integer, why: text }),
  "schedule-parked": fields({ dueAt: integer, error: storedError }),

  // autonomy: in the one run of all certificates. A proposal is an approval; a yes to it is a grant.
  "autonomy-granted": autonomyGrantedShape,
  "autonomy-capped": autonomyCappedShape,
  "autonomy-withdrawn": autonomyWithdrawnShape,
  "autonomy-proposed": (value: unknown, path: string) => ({
    ...toAsked(value, path),
    ...autonomyProposalShape(value, path),
  }),

  // reviews: in the one run of all samples. A sample is an approval; its answer is the review.
  "sampling-set": samplingShape,
  "output-sampled": (value: unknown, path: string) => ({ ...toAsked(value, path), ...sampleShape(value, path) }),

  // freezes: in the one run of all freezes
  "freeze-set": freezeShape,
  "freeze-lifted": freezeShape,

  "document-read": fields(
    { document: documentId, version: integer },
    /** `peeked`: nothing is checked against it. */
    { ...labelled, value: anything, valueRef: blobRef, peeked: flag },
  ),
  "document-committed": fields(
    {
      reads,
      writes: listOf(
        fields(
          { document: documentId, version: integer },
          /** `mergedFrom`: it was begun on an older version than the one before it, and put together with what came between. */
          { value: anything, valueRef: blobRef, mergedFrom: integer },
        ),
      ),
    },
    /** `error`: it threw, on a state that was true. */
    { ...output, ...provenance, ...labelled, error: storedError, consumed: listOf(integer), attempt: integer },
  ),
  "document-conflicted": fields(
    {
      stale: listOf(fields({ document: documentId, seen: integer, newest: integer })),
      next: oneOf("rerun", "refresh", "lease", "park"),
    },
    {
      /** What the next try holds. */
      leased: fields({ documents: listOf(documentId), leaseMs: integer }),
      /** For a refresh: what the try returned, and what has changed. */
      data: anything,
      dataRef: blobRef,
      ...labelled,
      consumed: listOf(integer),
    },
  ),
  "document-leased": fields({ documents: listOf(documentId), untilMs: integer }),

  // requests: in the run of the server's commands
  /** What a command over HTTP was answered: the same key is given the same answer. `request` and `digest` are hashes. */
  "command-answered": fields(
    { request: text, digest: text, by: text, command: text, status: integer },
    { run: text, answer: anything },
  ),
  /** In the run of all erasures: the key is destroyed next. */
  "erasure-ordered": fields({ key: text, by: text }),

  "value-drawn": fields({ value: anything }),
  "note-written": fields({ text: text }, { data: anything, dataRef: blobRef }),
} as const;
