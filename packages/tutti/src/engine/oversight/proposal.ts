import { sha256 } from "../../base/hash.ts";
import { toCanonicalJson } from "../../base/json.ts";
import type { ApprovalPackage } from "../../contracts/approval-package.ts";
import { autonomyDefault, toAgentId, type AutonomyProposal } from "../../contracts/autonomy.ts";
import { toApprovalId, toStepKey, type RunId } from "../../contracts/ids.ts";
import { toPolicyField, type Policy } from "../../contracts/policy.ts";
import type { NewEntry } from "../../ledger/ledger.ts";
import { toJournalFlow } from "../journal.ts";
import { agreementMin, casesMin } from "./trust.ts";

const deadlineMs = 30 * 24 * 3_600_000;
const idDigits = 12;

export interface AskedOf {
  readonly run: RunId;
  readonly now: number;
  /** The last entry of the journal: no two proposals have the same. */
  readonly after: number;
  readonly peopleKnown: boolean;
  readonly policy: Policy | undefined;
}

/** A higher level, put before somebody who did not decide the cases that speak for it. One entry: with it people are asked. */
export function toProposal(proposal: AutonomyProposal, { run, now, after, peopleKnown, policy }: AskedOf): NewEntry {
  const { agent, version, action, level, evidence } = proposal;
  const id = toAgentId({ name: agent, version });
  const step = toStepKey(`/${id}/${action}`);
  const dueAt = now + deadlineMs;
  const binding = { agent: id, action, level: String(level) };
  const about = `Shall ${id} have level ${level} of autonomy for ${action}? People agreed in ${evidence.agreed} of ${evidence.decided} cases.`;
  const shown: ApprovalPackage = {
    kind: "promotion",
    summary: about,
    run,
    step,
    askedBy: "the engine",
    rules: [],
    recommendation: { by: "engine", text: "Yes, by the cases alone." },
    reasons: [
      {
        by: "engine",
        text: `At least ${(evidence.lower * 100).toFixed(1)} % agreement (Wilson, one-sided 95 %), where ${agreementMin * 100} % in at least ${casesMin} cases are needed since the last severe override.`,
      },
    ],
    alternatives: [
      { by: "engine", text: "Reject it: it keeps its level, and is proposed again after as many cases." },
      { by: "engine", text: "Grant another level, or for a time: tutti autonomy grant." },
    ],
    evidence: [],
    risk: {
      level: level > autonomyDefault + 2 ? "high" : "medium",
      why: "What the policy allows at this level is done without asking anybody.",
    },
    dueAt,
    otherwise: "If nobody decides in time, it keeps its level.",
    deciders: [`1 person, but not ${evidence.by.join(", ")}: they decided the cases`],
    versions: binding,
  };
  const content = toCanonicalJson(shown);
  const hash = sha256(content);
  const asked = {
    kind: "promotion",
    about,
    round: 1,
    binding,
    package: hash,
    needs: [],
    stages: [{ deadlineMs, onTimeout: "deny", except: evidence.by }],
    peopleKnown,
    matter: { names: [`promotion/${agent}`], flow: toJournalFlow("autonomy"), ...toPolicyField(policy) },
  } as const;
  const approval = toApprovalId(sha256(`${step}:${after}`).slice(0, idDigits));
  const none = { votes: [], delegations: [], stage: 0, state: "open" } as const;
  return {
    kind: "autonomy-proposed",
    key: step,
    body: JSON.stringify({ approval, dueAt, ...asked, agent, version, level, evidence, action }),
    blobs: [{ hash, content }],
    approval: { kind: "request", approval: { id: approval, run, step, dueAt, ...asked, ...none } },
  };
}
