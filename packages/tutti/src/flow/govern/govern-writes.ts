import type { TuttiError } from "../../base/errors.ts";
import { sha256 } from "../../base/hash.ts";
import { toCanonicalJson } from "../../base/json.ts";
import type { ApprovalPackage } from "../../contracts/approval-package.ts";
import type { ApprovalRecord } from "../../contracts/approval.ts";
import type { StaleRead } from "../../contracts/document.ts";
import type { DocumentId, StepKey } from "../../contracts/ids.ts";
import { toPolicyId, type NeededApprovals } from "../../contracts/policy.ts";
import type { ApprovalChange, NewEntry } from "../../ledger/ledger.ts";
import type { Driver } from "../driver.ts";
import { labelsAt } from "../labels.ts";
import type { DocumentReads } from "../read-sets.ts";
import type { Pending, Scope } from "../scope.ts";
import { toStoredValue } from "../stored-value.ts";
import { describeOtherwise, toVisible } from "./action-package.ts";
import { describeStages, toStages } from "./approval-stages.ts";
import { obtainApproval, toDirectiveVersion } from "./obtain-approval.ts";
import { decideDeed, toDecisionEntry, toDenial, type Deed } from "./policy-decision.ts";

/** Documents that are about to change together. */
export interface GovernedWrites {
  readonly key: StepKey;
  readonly scope: Scope;
  readonly pending: Pending;
  readonly writes: readonly { readonly document: DocumentId; readonly json: string }[];
  readonly reads: DocumentReads;
}

export interface WritePassage {
  /** With what the commit does to the yes that it is made on. */
  go(use: { readonly approval?: ApprovalChange }): unknown;
  refuse(error: TuttiError): unknown;
  stale(documents: readonly StaleRead[]): unknown;
}

/** The policy in front of a commit: every document that it writes is decided, and one yes is for all of them together. */
export function governWrites(driver: Driver, call: GovernedWrites, passage: WritePassage): void {
  const { policy } = driver.host;
  if (policy === undefined || call.writes.length === 0) {
    passage.go({});
    return;
  }
  const decide = (votes: ApprovalRecord["votes"]): Decided => {
    const decisions = call.writes.map((write) => decideDeed(driver, policy, { ...toDeed(call, write), votes }));
    const entries = decisions.map(toDecisionEntry);
    for (const { verdict } of decisions)
      if (verdict.kind === "deny")
        return { entries, refusal: toDenial(`writing ${call.key}`, verdict), needs: undefined };
    const asked = decisions.flatMap(({ verdict }) => (verdict.kind === "needs" ? [verdict] : []));
    const [first] = asked;
    if (first === undefined) return { entries, refusal: undefined, needs: undefined };
    const approvals = asked.flatMap((verdict) => verdict.approvals);
    return {
      entries,
      refusal: undefined,
      needs: { rules: asked.flatMap(({ rules }) => rules), why: first.why, approvals },
    };
  };
  const { entries, refusal, needs } = decide([]);
  if (refusal !== undefined || needs === undefined) {
    for (const entry of entries) void driver.append(entry);
    if (refusal === undefined) passage.go({});
    else passage.refuse(refusal);
    return;
  }
  const binding = toBinding(driver, call, toPolicyId(policy));
  const { ladders } = driver.host.approvals;
  const stages = toStages(ladders["*"], false);
  const about = `write ${call.writes.map(({ document }) => document).join(", ")}`;
  obtainApproval(
    driver,
    {
      key: call.key,
      pending: call.pending,
      kind: "action",
      names: call.writes.map(({ document }) => `document/${document}`),
      labels: labelsAt(call.scope),
      stages,
      about,
      binding,
      reads: call.reads,
      isOutdated: () => toDirectiveVersion(driver) !== binding["directive"],
      needs: needs.approvals,
      before: entries,
      toPackage: async ({ dueAt }) => toPackage(driver, call, { needs, about, stages, dueAt, binding }),
    },
    (obtained) => {
      if (obtained.kind === "refused") passage.refuse(obtained.error);
      else if (obtained.kind === "stale") passage.stale(obtained.documents);
      else if (obtained.kind === "outdated") governWrites(driver, call, passage);
      else {
        const after = decide(obtained.approval.votes);
        for (const entry of after.entries) void driver.append(entry);
        if (after.refusal !== undefined) passage.refuse(after.refusal);
        else passage.go({ approval: { kind: "use", id: obtained.approval.id, step: call.key, binding } });
      }
    },
  );
}

interface Needed {
  readonly rules: readonly string[];
  readonly why: string;
  readonly approvals: readonly NeededApprovals[];
}

interface Decided {
  readonly entries: readonly NewEntry[];
  readonly refusal: TuttiError | undefined;
  readonly needs: Needed | undefined;
}

function toDeed({ key, scope }: GovernedWrites, { document, json }: GovernedWrites["writes"][number]): Deed {
  const resource = { kind: "document", name: document } as const;
  const input = toStoredValue("input", JSON.parse(json), `the document ${document}`);
  return { key, scope, action: "write-document", resource, input, costUsd: undefined, labels: labelsAt(scope) };
}

function toBinding(driver: Driver, call: GovernedWrites, policy: string): ApprovalRecord["binding"] {
  const { actor: agent } = call.scope;
  const { flow, version } = driver.history.started;
  return {
    agent: agent === undefined ? "" : `${agent.name}@${agent.version}`,
    input: sha256(toCanonicalJson(call.writes)),
    flow: `${flow}@${version}`,
    policy,
    directive: toDirectiveVersion(driver),
    reads: sha256(toCanonicalJson(Object.fromEntries(call.reads))),
  };
}

interface Shown extends Pick<ApprovalRecord, "about" | "stages" | "dueAt" | "binding"> {
  readonly needs: Needed;
}

const shownCharactersMax = 20_000;

function toPackage(
  driver: Driver,
  { key, scope, writes }: GovernedWrites,
  { needs, about, stages, dueAt, binding }: Shown,
): ApprovalPackage {
  const askedBy = scope.actor === undefined ? `run ${driver.run}` : `agent ${scope.actor.name}@${scope.actor.version}`;
  return toVisible<ApprovalPackage>({
    kind: "action",
    summary: `${askedBy} wants to ${about}`,
    run: driver.run,
    step: key,
    askedBy,
    details: writes
      .map(({ document, json }) => `${document}: ${json}`)
      .join("\n")
      .slice(0, shownCharactersMax),
    rules: needs.rules,
    why: needs.why,
    recommendation: { by: "engine", text: "None: neither the agent nor the engine has one." },
    reasons: [{ by: "engine", text: needs.why }],
    alternatives: [
      { by: "engine", text: "Do nothing: reject it, and the documents stay as they are." },
      { by: "engine", text: "Reject it with a reason that says what should be written instead." },
    ],
    evidence: [],
    risk: { level: "medium", why: "It changes what other agents and runs go by; earlier versions are kept." },
    dueAt,
    otherwise: describeOtherwise(stages),
    deciders: describeStages(needs.approvals, stages),
    versions: binding,
  });
}
