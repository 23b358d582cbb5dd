import { describeThrown, TuttiError } from "../../base/errors.ts";
import type { CountedVote } from "../../contracts/approval.ts";
import type { StepKey } from "../../contracts/ids.ts";
import type { Policy, PolicyRequest, PolicyVerdict } from "../../contracts/policy.ts";
import type { NewEntry } from "../../ledger/ledger.ts";
import type { Driver } from "../driver.ts";
import { riskAt, toLabelField, toSeenLabels, type Labels } from "../labels.ts";
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
}

/** What the policy said, and the entry that keeps it: made when it is asked for, because most of what is allowed leaves no trace. */
export interface Decision {
  readonly verdict: PolicyVerdict;
  readonly entry: NewEntry;
}

/** Asks the policy. Whatever goes wrong in it is a no. */
export function decideDeed(
  driver: Driver,
  policy: Policy,
  asked: { readonly deed: Deed; readonly votes: readonly CountedVote[] },
): Decision {
  const request = toRequest(driver, asked.deed, asked.votes);
  const verdict = decide(policy, request);
  const { name, version } = policy;
  let entry: NewEntry | undefined;
  return {
    verdict,
    get entry() {
      return (entry ??= toEntry(asked.deed, { request, verdict, policy: { name, version } }));
    },
  };
}

function decide(policy: Policy, request: PolicyRequest): PolicyVerdict {
  try {
    return policy.decide(request);
  } catch (error) {
    const errors = [describeThrown(error)];
    return { kind: "deny", rules: [], why: "the policy could not decide", errors };
  }
}

function toRequest(driver: Driver, deed: Deed, votes: readonly CountedVote[]): PolicyRequest {
  const { run } = driver;
  const { flow, tenant, by } = driver.history.started;
  const { actor: agent } = deed.scope;
  const { input, costUsd, action, resource, labels } = deed;
  const risk = riskAt(deed.scope);
  const context: PolicyRequest["context"] = {
    run,
    flow,
    ...(tenant === undefined ? {} : { tenant }),
    ...(input?.json === undefined ? {} : { input: JSON.parse(input.json) as unknown }),
    ...toLabelField(toSeenLabels(labels)),
    ...(risk === 0 ? {} : { injectionRisk: risk }),
    ...(costUsd === undefined ? {} : { costCents: Math.ceil(costUsd * 100) }),
    approvals: votes.filter(({ verdict }) => verdict === "approve").map(({ by: who, roles }) => ({ by: who, roles })),
    ...(by === undefined ? {} : { initiator: by }),
  };
  const principal: PolicyRequest["principal"] =
    agent === undefined
      ? { kind: "run", run, flow }
      : { kind: "agent", ...agent, autonomy: toAutonomy(driver, agent, { resource, labels: context.labels }), run };
  return { principal, action, resource, context };
}

interface Decided {
  readonly request: PolicyRequest;
  readonly verdict: PolicyVerdict;
  readonly policy: { readonly name: string; readonly version: string };
}

/** A large input stands in a blob, which the call that follows shares. */
function toEntry({ key, input }: Deed, decided: Decided): NewEntry {
  if (input?.blobs === undefined) return { kind: "policy-decided", key, body: JSON.stringify(decided) };
  const { input: _, ...context } = decided.request.context;
  const body = toBody({ ...decided, request: { ...decided.request, context } }, input);
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
