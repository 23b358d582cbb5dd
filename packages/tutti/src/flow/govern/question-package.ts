import type { ApprovalPackage, Said } from "../../contracts/approval-package.ts";
import type { Advice, ApprovalStage } from "../../contracts/approval.ts";
import type { StepKey } from "../../contracts/ids.ts";
import { toQuestion } from "../../contracts/precedent.ts";
import type { Driver } from "../driver.ts";
import type { Scope } from "../scope.ts";
import { toVisible } from "./action-package.ts";
import { describeStages } from "./approval-stages.ts";

/** What people are asked without a call. */
export interface Shown {
  readonly key: StepKey;
  readonly scope: Scope;
  readonly kind: "question" | "decision";
  readonly sentence: string;
  readonly stage: readonly ApprovalStage[];
  readonly details: string | undefined;
  readonly options: readonly string[] | undefined;
  readonly advice: Advice | undefined;
  /** What happens if nobody decides, in words. */
  readonly otherwise: string;
}

const detailCharactersMax = 20_000;

/** What people are shown of a question: the flow's or the agent's words are marked as its own. */
export async function toQuestionPackage(
  driver: Driver,
  shown: Shown,
  { dueAt, binding }: { readonly dueAt: number; readonly binding: ApprovalPackage["versions"] },
): Promise<ApprovalPackage> {
  const { key, scope, kind, sentence, stage, details, options, advice } = shown;
  const { actor: agent } = scope;
  const by = agent === undefined ? "flow" : "agent";
  const toOwn = (text: string): Said => ({ by, text });
  const nothing = kind === "question" ? "Do nothing: leave it unanswered." : "Do nothing, or reject it with a reason.";
  const others = options ?? (kind === "question" ? ["Answer in your own words."] : ["Approve it."]);
  const { flow, tenant } = driver.history.started;
  const asked = { tenant, text: `${sentence} ${details ?? ""}`, question: toQuestion(flow, key) };
  const precedents = await driver.host.precedents(asked);
  return toVisible<ApprovalPackage>({
    kind,
    summary: sentence,
    run: driver.run,
    step: key,
    askedBy: agent === undefined ? `run ${driver.run}` : `agent ${agent.name}@${agent.version}`,
    ...(details === undefined ? {} : { details: details.slice(0, detailCharactersMax) }),
    ...(options === undefined ? {} : { options }),
    rules: [],
    recommendation:
      advice === undefined ? { by: "engine", text: `None: the ${by} only asks.` } : toOwn(advice.recommend),
    reasons: (advice?.reasons ?? []).map(toOwn),
    alternatives: [
      { by: "engine", text: nothing },
      ...others.map((text) => ({ by: "engine", text }) as const),
      ...(advice?.alternatives ?? []).map(toOwn),
    ],
    evidence: [],
    ...(precedents.length === 0 ? {} : { precedents }),
    ...(advice?.costUsd === undefined ? {} : { costUsd: advice.costUsd }),
    risk: toRisk(advice, by),
    dueAt,
    otherwise: shown.otherwise,
    deciders: describeStages([], stage),
    versions: binding,
  });
}

function toRisk(advice: Advice | undefined, by: Said["by"]): ApprovalPackage["risk"] {
  if (advice?.risk === undefined)
    return { level: "low", why: "What the flow does with it is decided by its own rules." };
  const { level, why } = advice.risk;
  return { level, why: `The ${by} says: ${why}` };
}
