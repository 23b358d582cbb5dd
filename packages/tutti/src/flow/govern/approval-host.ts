import type { ApprovalLadder, ApprovalRecord, Person } from "../../contracts/approval.ts";
import type { ApprovalId, RunId, StepKey } from "../../contracts/ids.ts";

/** What the engine does for approvals. */
export interface ApprovalHost {
  /** Who may decide; without it, anybody, but then nobody has a role. */
  readonly people: readonly Person[] | undefined;
  /** By `tool/<name>`, `rule/<id>`, `role/<role>`, or `*`. */
  readonly ladders: Readonly<Record<string, ApprovalLadder>>;
  /** What a step has asked for, the oldest first. */
  ofStep(run: RunId, step: StepKey): Promise<readonly ApprovalRecord[]>;
  find(id: ApprovalId): Promise<ApprovalRecord | undefined>;
  readBlob(hash: string): Promise<string | undefined>;
  /** Calls `wake` when somebody has voted. Returns the function that forgets it. */
  watch(id: ApprovalId, wake: () => void): () => void;
}
