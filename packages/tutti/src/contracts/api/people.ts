/* What people are asked and say. These routes come with approvals, directives and freezes, and are not served before:
     GET  /api/inbox                          → Inbox
     POST /api/approvals/:approval            ← ApprovalDecision      approver
     POST /api/approvals                      ← ApprovalBatch         approver; all of them or none
     GET  /api/runs/:run/directives           → DirectiveLine[]
     POST /api/directives                     ← DirectiveRequest      operator
     GET  /api/freezes                        → FreezeLine[]
     POST /api/freezes                        ← FreezeRequest         operator
     POST /api/freezes/:freeze/lift                                   operator
   Entries: approval-requested, approval-decided, directive-given, freeze-set, freeze-lifted. */

export type Risk = "low" | "medium" | "high" | "critical";

/** Something that waits for a person: a yes to an action, or the answer to a question. */
export interface InboxItem {
  readonly id: string;
  readonly kind: "approval" | "question" | "in-doubt";
  readonly run: string;
  readonly step: string;
  readonly askedAt: number;
  readonly expiresAt?: number;
  readonly risk: Risk;
  readonly agent?: string;
  readonly tool?: string;
  /** What is asked, in one sentence; rendered from the action, never an agent's prose. */
  readonly ask: string;
  readonly recommendation?: { readonly verdict: string; readonly why: string; readonly confidence?: number };
  /** What happens when nobody answers. */
  readonly otherwise: string;
  readonly whyNow: string;
  readonly evidence: readonly { readonly source: string; readonly quote?: string }[];
  readonly alternatives: readonly { readonly name: string; readonly why: string; readonly score?: number }[];
  /** The exact arguments; an approval counts for these and no others. */
  readonly input?: unknown;
  readonly digest?: string;
}

export interface Inbox {
  readonly items: readonly InboxItem[];
}

export interface ApprovalDecision {
  readonly decision: "approve" | "reject" | "answer";
  /** Of what was shown; anything else is refused as stale. */
  readonly digest: string;
  readonly reason?: string;
  /** Other arguments: policy decides anew on them. */
  readonly edit?: unknown;
  readonly answer?: unknown;
}

export interface ApprovalBatch {
  readonly decisions: readonly ({ readonly id: string } & ApprovalDecision)[];
}

export interface DirectiveRequest {
  readonly scope: { readonly run?: string; readonly agent?: string };
  readonly text: string;
}

export interface DirectiveLine extends DirectiveRequest {
  readonly version: number;
  readonly by: string;
  readonly at: number;
}

export interface FreezeRequest {
  readonly scope: { readonly run?: string; readonly agent?: string; readonly everything?: true };
  readonly reason: string;
}

export interface FreezeLine extends FreezeRequest {
  readonly id: string;
  readonly by: string;
  readonly at: number;
  readonly liftedAt?: number;
}
