import type { RunHandle, ShownApproval, Tutti } from "tutti";

import type { Outcome } from "./shapes.ts";

/** What people are asked about a request now, as they are shown it. */
export async function readAsked(tutti: Tutti, run: RunHandle<Outcome>): Promise<ShownApproval> {
  const state = await run.settled();
  const [asked] = state.kind === "asking" ? state.approvals : [];
  if (asked === undefined) throw new Error(`nothing is to be decided: ${run.id} is ${state.kind}`);
  return tutti.approvals.show(asked.id);
}
