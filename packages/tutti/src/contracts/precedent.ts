export const precedentDecisions = ["edited", "rejected", "undone", "answered", "approved"] as const;

/** What people decided before, in a case like this one: of a call otherwise than was proposed, of a question whatever they said. */
export interface Precedent {
  /** The position in the ledger of the entry that says so. */
  readonly id: string;
  readonly decision: (typeof precedentDecisions)[number];
  /** How much of this case is in it, from 0 to 1. */
  readonly similarity: number;
  readonly text: string;
}

/** What a case is, for finding others like it. */
export interface Like {
  readonly tenant: string | undefined;
  readonly text: string;
  /** Only calls of this tool, or of this agent. */
  readonly tool?: string;
  readonly agent?: string;
  /** Instead of calls: what was asked like this, see `toQuestion`. */
  readonly question?: string;
}

/** What a flow asks under one name, whichever time and wherever: `refund/reason`. */
export function toQuestion(flow: string, step: string): string {
  return `${flow}/${step.slice(step.lastIndexOf("/") + 1).replace(/#\d+$/u, "")}`;
}
