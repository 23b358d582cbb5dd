import { describeThrown, TuttiError } from "../../base/errors.ts";
import type { CountedVote } from "../../contracts/approval.ts";
import type { StepKey } from "../../contracts/ids.ts";
import type { PolicyDecision } from "../../contracts/policy-decision.ts";
import type { Policy, PolicyRequest, PolicyVerdict } from "../../contracts/policy.ts";
import type { NewEntry } from "../../ledger/ledger.ts";
import type { Driver } from "../driver.ts";
import { riskAt, toSeenLabels, type Labels } from "../labels.ts";
import type { Scope } from "../scope.ts";
import { toBody, type StoredValue } from "../stored-value.ts";
import { toAutonomy } from "./autonomy.ts";

/** What is about to happen at a place of a run. */
export interface Deed {
  readonly key: StepKey;
  readonly scope: Scope;
  readonly action: PolicyRequest["action"];
  readonly resource: PolicyRequest["resource"];
  readonly input: StoredValue | undefined;
  readonly costUsd: number | undefined;
  /** What the input may carry. */
  readonly labels: Labels;
  /** What people have said of it. */
  readonly votes?: readonly CountedVote[];
}

/** What the policy said of a deed. Most of what is allowed leaves no trace. */
export interface Decision extends PolicyDecision {
  readonly deed: Deed;
}

/** Asks the policy about a deed, with what people have said to it. */
export function decideDeed(driver: Driver, policy: Policy, deed: Deed): Decision {
  const request = toRequest(driver, deed);
  return { deed, request, verdict: askPolicy(policy, request), policy };
}

/** Whatever goes wrong in the policy is a no. */
export function askPolicy(policy: Policy, request: PolicyRequest): PolicyVerdict {
  try {
    return policy.decide(request);
  } catch (error) {
    const errors = [describeThrown(error)];
    return { kind: "deny", rules: [], why: "the policy could not decide", errors };
  }
}

// Made for every call, so it is built up in place; spreading what is there or not costs more than all the rules.
function toRequest(driver: Driver, deed: Deed): PolicyRequest {
  const { run } = driver;
  const { flow, tenant, by } = driver.history.started;
  const { actor: agent } = deed.scope;
  const { costUsd, action, resource } = deed;
  const labels = toSeenLabels(deed.labels);
  const risk = riskAt(deed.scope);
  const context: Growing<PolicyRequest["context"]> = { run, flow, approvals: toApprovals(deed.votes) };
  if (tenant !== undefined) context.tenant = tenant;
  if (labels.length > 0) context.labels = labels;
  if (risk > 0) context.injectionRisk = risk;
  if (costUsd !== undefined) context.costCents = Math.ceil(costUsd * 100);
  if (by !== undefined) context.initiator = by;
  addInput(context, deed.input?.json);
  if (agent === undefined) return { principal: { kind: "run", run, flow }, action, resource, context };
  const { name, version } = agent;
  const autonomy = toAutonomy(driver, deed.scope, { agent, resource, labels: context.labels });
  return { principal: { kind: "agent", name, version, autonomy, run }, action, resource, context };
}

type Growing<Shape> = { -readonly [Name in keyof Shape]: Shape[Name] };

const nobody: PolicyRequest["context"]["approvals"] = [];

function toApprovals(votes: Deed["votes"]): PolicyRequest["context"]["approvals"] {
  if (votes === undefined || votes.length === 0) return nobody;
  return votes.filter(({ verdict }) => verdict === "approve").map(({ by, roles }) => ({ by, roles }));
}

const parsedAtOnceMax = 1_000; // up to here parsing costs less than a getter

/** What is stored, and not what the code holds: that may be no JSON, and may change. A large input is parsed when somebody looks at it. */
function addInput(context: Growing<PolicyRequest["context"]>, json: string | undefined): void {
  if (json === undefined) return;
  if (json.length <= parsedAtOnceMax) {
    context.input = JSON.parse(json);
    return;
  }
  let parsed: { readonly input: unknown } | undefined;
  const get = (): unknown => (parsed ??= { input: JSON.parse(json) }).input;
  Object.defineProperty(context, "input", { enumerable: true, configurable: true, get });
}

/** A decision as an entry of its own. A large input stands in a blob, which the call that follows shares. */
export function toDecisionEntry({ deed: { key, input }, request, verdict, policy }: Decision): NewEntry {
  const { name, version } = policy;
  const decided = { request, verdict, policy: { name, version } };
  if (input?.blobs === undefined) return { kind: "policy-decided", key, body: JSON.stringify(decided) };
  const { input: _, ...context } = request.context;
  const body = toBody({ ...decided, request: { ...request, context } }, input);
  return { kind: "policy-decided", key, body, blobs: input.blobs };
}

export function toDenial(what: string, verdict: PolicyVerdict & { readonly kind: "deny" }): TuttiError {
  const broken = (verdict.errors?.length ?? 0) > 0;
  return new TuttiError("POLICY_DENIED", `${what} is not allowed: ${verdict.why}`, {
    hint: broken
      ? "The policy itself failed, and that is a no: `tutti why` shows its errors."
      : "Do something else, or have the policy changed.",
    facts: { rules: verdict.rules },
  });
}
