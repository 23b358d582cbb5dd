/** Policy as code: rules in the language of Cedar that decide what agents, runs and persons may do. */
export { toPolicyDecisions, type PolicyDecision } from "./contracts/policy-decision.ts";
export type { NeededApprovals, Policy, PolicyRequest, PolicyVerdict } from "./contracts/policy.ts";
export { replayPolicy, type PolicyDifference, type PolicyReplay, type ReplayOptions } from "./insight/replay-policy.ts";
export type { PolicyFinding } from "./policy/cedar/read-rules.ts";
export { defaultPolicy, defaultPolicyText } from "./policy/default-policy.ts";
export { checkPolicy, loadPolicy, policy, type PolicyText, type RuledPolicy } from "./policy/policy.ts";
export type { PolicyRule } from "./policy/rule.ts";
