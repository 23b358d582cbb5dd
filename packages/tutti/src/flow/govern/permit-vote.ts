import type { ApprovalRecord, ApprovalVote, Unapproved } from "../../contracts/approval.ts";
import type { BodyOf } from "../../contracts/entry.ts";
import type { Policy, PolicyRequest, PolicyVerdict } from "../../contracts/policy.ts";
import { askPolicy } from "./policy-decision.ts";

/** Whether the policy lets a vote count. */
export type Permit =
  /** With what the vote's entry says of it, where a policy was asked. */
  | { readonly kind: "permitted"; readonly decided: BodyOf<"approval-voted">["decided"] }
  | ({ readonly kind: "refused" } & Refusal);

interface Refusal extends Pick<Unapproved, "reason" | "why"> {
  readonly hint?: string;
  readonly rules?: readonly string[];
}

/** A no is always safe, and whoever abstains adds nothing to a yes: nobody has to be allowed to. */
export function canLeadToYes(verdict: ApprovalVote["verdict"]): boolean {
  return verdict !== "reject" && verdict !== "abstain";
}

/**
 * Puts a vote that can lead to a yes before the policy of the engine that takes it. Whatever the policy says but allow is a no: a vote can't wait
 * for votes. Pure, so that whoever lists what somebody may decide says what becomes of their vote.
 */
export function permitVote(
  policy: Policy | undefined,
  approval: Pick<ApprovalRecord, "run" | "matter" | "initiator">,
  voter: Pick<ApprovalVote, "by" | "roles">,
): Permit {
  const { matter, run } = approval;
  if (policy === undefined) return matter?.policy === undefined ? permittedByNobody : refuseUngoverned(matter.policy);
  if (matter === undefined)
    return {
      kind: "refused",
      reason: "stale",
      why: "it was asked before the policy could be told what it is about",
      hint: `It is asked anew when its run goes on: tutti resume ${run}. A no is taken at any time.`,
    };
  const { by, roles = [] } = voter;
  const context = toContext(approval, matter);
  const matters: { readonly name: string; readonly rules: readonly string[] }[] = [];
  for (const name of matter.names) {
    const verdict = askPolicy(policy, {
      principal: { kind: "person", person: by, roles },
      action: "approve",
      resource: { kind: "approval", name },
      context,
    });
    if (verdict.kind !== "allow")
      return refuse(`the policy ${policy.name} does not let ${by} say yes to ${name}`, verdict);
    matters.push({ name, rules: verdict.rules });
  }
  return { kind: "permitted", decided: { policy: { name: policy.name, version: policy.version }, context, matters } };
}

const permittedByNobody: Permit = { kind: "permitted", decided: undefined };

function refuseUngoverned(asked: string): Permit {
  return {
    kind: "refused",
    reason: "forbidden",
    why: `it was asked under the policy ${asked}, and here is none that could be asked`,
    hint: "Vote where the project's tutti.config.ts is, or through the engine that runs. A no is taken anywhere.",
  };
}

function refuse(what: string, verdict: Exclude<PolicyVerdict, { readonly kind: "allow" }>): Permit {
  const { kind, why, rules } = verdict;
  return {
    kind: "refused",
    reason: "forbidden",
    why: `${what}: ${why}${kind === "needs" ? " (a vote can't wait for votes)" : ""}`,
    hint: "Let somebody decide whom the policy permits it, or have the policy changed.",
    rules,
  };
}

function toContext(
  { run, initiator }: Pick<ApprovalRecord, "run" | "initiator">,
  { flow, tenant, labels }: NonNullable<ApprovalRecord["matter"]>,
): PolicyRequest["context"] {
  return {
    run,
    flow,
    approvals: [],
    ...(tenant === undefined ? {} : { tenant }),
    ...(labels === undefined ? {} : { labels }),
    ...(initiator === undefined ? {} : { initiator }),
  };
}
