import type { TuttiError } from "../../base/errors.ts";
import type { ApprovalPackage } from "../../contracts/approval-package.ts";
import type { ApprovalKind, ApprovalMatter, ApprovalRecord, ApprovalStage } from "../../contracts/approval.ts";
import type { StaleRead } from "../../contracts/document.ts";
import type { StepKey } from "../../contracts/ids.ts";
import type { NeededApprovals } from "../../contracts/policy.ts";
import type { NewEntry } from "../../ledger/ledger.ts";
import type { Labels } from "../labels.ts";
import type { DocumentReads } from "../read-sets.ts";
import type { Pending } from "../scope.ts";

/** What a yes would be a yes to. */
export interface Asked {
  readonly about: string;
  /** Part by part; each is a hash or a version. */
  readonly binding: Readonly<Record<string, string>>;
  readonly needs: readonly NeededApprovals[];
  /** Made when people are to see it. */
  toPackage(until: { readonly dueAt: number }): Promise<ApprovalPackage>;
}

export interface Asking extends Asked {
  readonly key: StepKey;
  readonly pending: Pending;
  readonly kind: ApprovalKind;
  /** What a yes would be for, as the policy is told when somebody votes, and what may be said of what goes in. */
  readonly names: ApprovalMatter["names"];
  readonly labels: Labels;
  readonly stages: readonly ApprovalStage[];
  /** Entries that are written in front of the request. */
  readonly before: readonly NewEntry[];
  readonly reads: DocumentReads | undefined;
  /** Whether a person has given a directive since. */
  readonly isOutdated?: () => boolean;
  /** The same action with another input. @throws what says that it may not be */
  readonly edit?: (input: unknown) => Promise<Asked>;
  /** Whether what was answered can be used. @throws INPUT_INVALID */
  readonly parseAnswer?: (value: unknown) => Promise<unknown>;
}

/** What people are asked just now, by a step that waits for them. */
export interface Votable {
  readonly asking: Asking;
  /** Waits no more. False if it did not wait. */
  leave(): boolean;
}

export type Obtained =
  | {
      readonly kind: "granted";
      readonly approval: ApprovalRecord;
      /** As a person gave it: the answer, or the input that they changed. */
      readonly answer: unknown;
      readonly isEdited: boolean;
    }
  | { readonly kind: "refused"; readonly error: TuttiError; readonly approval: ApprovalRecord | undefined }
  /** A person gave another directive: what was asked is superseded. */
  | { readonly kind: "outdated" }
  | { readonly kind: "stale"; readonly documents: readonly StaleRead[] };
