import type { ApprovalRecord } from "../../packages/tutti/src/contracts/approval.ts";
import type {
  NeededApprovals,
  Policy,
  PolicyRequest,
  PolicyVerdict,
} from "../../packages/tutti/src/contracts/policy.ts";
import type { Said } from "../../packages/tutti/src/engine/inbox.ts";
import type { Tutti } from "../../packages/tutti/src/engine/tutti.ts";

/** Rules as a function: what a rule language is about is tested where it is built. */
export function toPolicy(decide: (request: PolicyRequest) => PolicyVerdict, version = "1"): Policy {
  return { name: "house", version, decide };
}

/** Calls of this tool, or of every one, need these approvals; all else is allowed. */
export function toAskingPolicy(
  need: Partial<NeededApprovals> = {},
  options: { tool?: string; version?: string } = {},
): Policy {
  return toPolicy(({ resource, action }) => {
    if (action !== "call-tool" || (options.tool !== undefined && resource.name !== options.tool))
      return { kind: "allow", rules: ["all"] };
    return {
      kind: "needs",
      rules: ["ask"],
      why: "somebody has to look at it",
      approvals: [{ count: 1, distinctFromInitiator: false, ...need }],
    };
  }, options.version);
}

/** The newest that waits for people. */
export async function findOpen(tutti: Tutti): Promise<ApprovalRecord> {
  const approval = (await tutti.approvals.list()).at(-1);
  if (approval === undefined) throw new Error("nothing waits for people");
  return approval;
}

/** Somebody votes on what is shown now. */
export async function vote(tutti: Tutti, by: string, said: Said = { verdict: "approve" }): Promise<ApprovalRecord> {
  const approval = await findOpen(tutti);
  return tutti.approvals.decide(approval.id, { by, saw: approval.package, ...said });
}
