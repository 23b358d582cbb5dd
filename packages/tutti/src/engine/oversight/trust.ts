import { addToCusum, oneSided95, toWilsonLower } from "../../base/statistics.ts";
import {
  autonomyDefault,
  autonomyMax,
  isSevere,
  toAgentId,
  type AgentVersion,
  type AutonomyEvidence,
} from "../../contracts/autonomy.ts";
import type { Judgement } from "../../insight/oversight/judgements.ts";

/** So many decided cases since the last severe override, and agreement of at least so much, before more autonomy is proposed. */
export const casesMin = 30;
export const agreementMin = 0.9;

/** Overrides are usual in 5 of 100 cases, and a reason to step back when they come twice as often. A false alarm comes about once in 2,300 cases. */
const overrideRates = { usual: 0.05, alarming: 0.1 };
const alarmAbove = 3.7;

/** What is known of an agent and a kind of action since its level changed last. */
export interface Trust {
  readonly agent: AgentVersion;
  readonly action: string;
  /** Since the last severe override. */
  decided: number;
  agreed: number;
  severe: number;
  overrideSum: number;
  readonly by: Set<string>;
  /** Why it may do less from now on. */
  trouble: Trouble | undefined;
}

export interface Trouble {
  readonly reason: string;
  /** The entry that showed it. */
  readonly lsn: number;
  /** `all`: everything that was granted. `one`: one level. */
  readonly loses: "all" | "one";
}

export interface TrustBook {
  note(judgement: Judgement): void;
  /** Its level has changed, or a change was proposed: what comes after counts. */
  restart(agent: AgentVersion, action: string): void;
  list(): readonly Trust[];
}

export function openTrustBook(): TrustBook {
  const trustByAgent = new Map<string, Map<string, Trust>>();
  const find = (agent: AgentVersion, action: string): Trust => {
    const actions = trustByAgent.get(toAgentId(agent)) ?? new Map<string, Trust>();
    trustByAgent.set(toAgentId(agent), actions);
    const trust = actions.get(action) ?? toFresh(agent, action);
    actions.set(action, trust);
    return trust;
  };
  return {
    note(judgement) {
      const { agent, kinds } = judgement.deed;
      if (agent !== undefined) for (const action of kinds) addJudgement(find(agent, action), judgement);
    },
    restart: (agent, action) => void trustByAgent.get(toAgentId(agent))?.delete(action),
    list: () => [...trustByAgent.values()].flatMap((actions) => [...actions.values()]),
  };
}

function toFresh(agent: AgentVersion, action: string): Trust {
  return { agent, action, decided: 0, agreed: 0, severe: 0, overrideSum: 0, by: new Set(), trouble: undefined };
}

function addJudgement(trust: Trust, { verdict, lsn, code, by }: Judgement): void {
  for (const person of by) trust.by.add(person);
  const isBad = verdict === "undone" || verdict === "in-doubt" || isSevere(code);
  if (isBad) {
    // What was agreed before speaks for nothing any more.
    trust.severe += 1;
    trust.decided = 0;
    trust.agreed = 0;
  }
  if (verdict === "undone" || verdict === "in-doubt") {
    const reason = verdict === "undone" ? "a person had taken back what it did" : "nobody knows what a call of it did";
    trust.trouble ??= { reason, lsn, loses: "all" };
    return;
  }
  trust.decided += 1;
  if (verdict === "agreed") trust.agreed += 1;
  trust.overrideSum = addToCusum(trust.overrideSum, verdict !== "agreed", overrideRates);
  if (isSevere(code)) trust.trouble ??= { reason: `a person stopped it as ${code}`, lsn, loses: "all" };
  else if (trust.overrideSum > alarmAbove)
    trust.trouble ??= { reason: "people decided otherwise more often than is usual", lsn, loses: "one" };
}

/** What is left of a level. */
export function toLevelLeft(level: number, { loses }: Pick<Trouble, "loses">): number {
  return loses === "all" ? Math.min(level, autonomyDefault) : Math.max(autonomyDefault, level - 1);
}

export function toEvidence({ decided, agreed, severe, by }: Trust): AutonomyEvidence {
  return { decided, agreed, severe, lower: toWilsonLower(agreed, decided, oneSided95), by: [...by].toSorted() };
}

/** The level that what is known speaks for, or nothing. Only of single tools: what is true of one says nothing of others of its tier. */
export function decidePromotion(trust: Trust, level: number): number | undefined {
  const { decided, lower } = toEvidence(trust);
  const isEarned = decided >= casesMin && lower >= agreementMin;
  return isEarned && trust.action.startsWith("tool/") && level < autonomyMax ? level + 1 : undefined;
}
