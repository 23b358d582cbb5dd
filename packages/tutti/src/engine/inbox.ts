import type { ApprovalPackage } from "../contracts/approval-package.ts";
import type { ApprovalRecord } from "../contracts/approval.ts";
import type { ReasonCode } from "../contracts/autonomy.ts";
import type { ApprovalFilter } from "../ledger/ledger.ts";

/** So many approvals are decided together. */
export const votesAtOnceMax = 100;

/** What a person says. `saw`: the hash of the package that they were shown, or its first six digits or more. */
export type PersonsVote = { readonly by: string; readonly saw: string } & Said;

export type Said = {
  readonly note?: string;
  /** Why it is changed or refused, as one word. */
  readonly code?: ReasonCode;
} & (
  | { readonly verdict: "approve" | "abstain" }
  | { readonly verdict: "reject"; readonly reason: string }
  /** A yes to the same tool with this input. */
  | { readonly verdict: "edit"; readonly input: unknown }
  /** The answer to a question. */
  | { readonly verdict: "answer"; readonly answer: unknown }
  | { readonly verdict: "delegate"; readonly to: string }
);

export interface ShownApproval {
  readonly approval: ApprovalRecord;
  /** What a vote is about; its hash is `approval.package`. */
  readonly package: ApprovalPackage;
}

/** What people are asked, and where they answer. */
export interface Approvals {
  /** Those that wait for people, the oldest first; with a filter also others. */
  list(filter?: ApprovalFilter): Promise<readonly ApprovalRecord[]>;
  /** Whether it waits for this person: a yes of theirs would count now. */
  mayDecide(approval: ApprovalRecord, by: string): boolean;
  /** @throws TuttiError APPROVAL_UNKNOWN */
  show(id: string): Promise<ShownApproval>;
  /**
   * Records a vote and returns the approval as it is after it. Resolves when it is durable.
   * @throws TuttiError APPROVAL_UNKNOWN, APPROVAL_DECIDED, APPROVAL_STALE, APPROVAL_FORBIDDEN, INPUT_INVALID, POLICY_DENIED, RUN_WAITS
   */
  decide(id: string, vote: PersonsVote): Promise<ApprovalRecord>;
  /**
   * Records one vote on each of several approvals in one transaction: all of them or none, also when the process dies.
   * @throws TuttiError what `decide` throws, of one that can't be recorded, which `facts.approval` names; INPUT_INVALID for more than 100
   */
  decideAll(votesById: ReadonlyMap<string, PersonsVote>): Promise<readonly ApprovalRecord[]>;
}
