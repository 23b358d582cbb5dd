/** What people decided otherwise before, in a case like this one. */
export interface Precedent {
  /** The position in the ledger of the entry that says so. */
  readonly id: string;
  readonly decision: "edited" | "rejected" | "undone";
  /** How much of this case is in it, from 0 to 1. */
  readonly similarity: number;
  readonly text: string;
}

/** What a case is, for finding others like it. */
export interface Like {
  readonly tenant: string | undefined;
  readonly text: string;
  /** Only of this tool, or of this agent. */
  readonly tool?: string;
  readonly agent?: string;
}
