import { decimal, fields, integer, listOf, text, type ShapeOf } from "../base/shape.ts";
import type { PolicyRequest } from "./policy.ts";

/**
 * How much an agent may do by itself. 0: shadow, nothing outside is changed. 1: operator, people do it with its help. 2: collaborator.
 * 3: consultant, it asks where it matters. 4: approver, people look at what can't be taken back. 5: observer, people look on.
 */
export const autonomyMax = 5;
/** Of an agent that nobody has granted anything: what it does is decided as the policy says of those who are not trusted yet. */
export const autonomyDefault = 1;
/** What an agent may do with what came from somewhere that nobody trusts. */
const untrustedMax = 2;

/** One version of an agent. Another version is another one, which has earned nothing yet. */
export interface AgentVersion {
  readonly name: string;
  readonly version: string;
}

export type AutonomyLevel = number;

/** A level for one kind of action: `tool/pay`, `tier/irreversible`, or `tier/compensable/personal` with a class of data. */
export interface Certificate {
  readonly action: string;
  readonly level: AutonomyLevel;
  /** When it ends; milliseconds since 1970. */
  readonly until: number | undefined;
  /** The entry that gave it this level. */
  readonly lsn: number;
}

export const autonomyTiers = ["read", "reversible", "compensable", "irreversible"] as const;
export type AutonomyTier = (typeof autonomyTiers)[number];

type Resource = PolicyRequest["resource"];

/** `compensable` and `irreversible` change something outside; `reversible` changes only what is kept inside; `read` changes nothing. */
export function toTier({ effect, reversible = false }: Resource): AutonomyTier {
  switch (effect) {
    case "read":
      return "read";
    case "local":
      return "reversible";
    default:
      return reversible ? "compensable" : "irreversible";
  }
}

/** Every kind of action that a call is, the most special first. A grant for a tier does not cover data of a class: that has grants of its own. */
export function toActionKinds(resource: Resource): readonly string[] {
  const tier = `tier/${toTier(resource)}`;
  const { dataClasses = [] } = resource;
  const tiers = dataClasses.length === 0 ? [tier] : dataClasses.map((each) => `${tier}/${each}`);
  return [`tool/${resource.name}`, ...tiers];
}

const kindPattern = /^(?:tool\/.+|tier\/(?:read|reversible|compensable|irreversible)(?:\/.+)?)$/u;

export function isActionKind(kind: string): boolean {
  return kindPattern.test(kind) && kind.length <= 200;
}

/** What an agent's certificates say of a call: those for the tool, else the lowest of those for the tier and each class of data. */
export function toCertified(
  certificates: ReadonlyMap<string, Certificate> | undefined,
  resource: Resource,
  now: number,
): AutonomyLevel {
  const levelOf = (action: string): number | undefined => {
    const found = certificates?.get(action);
    return found === undefined || (found.until !== undefined && found.until <= now) ? undefined : found.level;
  };
  const [tool = "", ...tiers] = toActionKinds(resource);
  return levelOf(tool) ?? Math.min(...tiers.map((action) => levelOf(action) ?? autonomyDefault));
}

/** The lowest of all that limit it. */
export function toEffective(limits: {
  readonly certified: AutonomyLevel;
  readonly tenantCap: AutonomyLevel | undefined;
  readonly directiveCap: AutonomyLevel | undefined;
  readonly labels: readonly string[] | undefined;
}): AutonomyLevel {
  const { certified, tenantCap = autonomyMax, directiveCap = autonomyMax, labels = [] } = limits;
  const taintCap = labels.includes("untrusted") ? untrustedMax : autonomyMax;
  return Math.min(certified, tenantCap, directiveCap, taintCap);
}

/** `writer@2` as it is typed. */
export function parseAgentVersion(typed: string): AgentVersion | undefined {
  const at = typed.lastIndexOf("@");
  if (at <= 0 || at === typed.length - 1) return undefined;
  return { name: typed.slice(0, at), version: typed.slice(at + 1) };
}

export function toAgentId({ name, version }: AgentVersion): string {
  return `${name}@${version}`;
}

/** `action`: the kind of action. */
const certified = { agent: text, version: text, action: text, level: integer };

export const autonomyGrantedShape = fields({ ...certified, by: text }, { reason: text, until: integer });
export const autonomyCappedShape = fields({ tenant: text, level: integer, by: text }, { reason: text });
/** `cause`: the entry that showed it. Without one a person withdrew it. */
export const autonomyWithdrawnShape = fields({ ...certified, by: text, reason: text }, { cause: integer });

/** What people decided of an agent's calls of one kind since its last change. */
export const autonomyEvidenceShape = fields({
  /** Since the last severe override, if there was one. */
  decided: integer,
  agreed: integer,
  severe: integer,
  /** The least that agreement is, by these cases. */
  lower: decimal,
  /** Who decided them. */
  by: listOf(text),
});
export type AutonomyEvidence = ShapeOf<typeof autonomyEvidenceShape>;

export const autonomyProposalShape = fields({ ...certified, evidence: autonomyEvidenceShape });
export type AutonomyProposal = ShapeOf<typeof autonomyProposalShape>;

/** Why an override was made, as one word. */
export const reasonCodes = [
  "wrong-target",
  "wrong-content",
  "not-needed",
  "bad-timing",
  "against-policy",
  "unsafe",
  "other",
] as const;
export type ReasonCode = (typeof reasonCodes)[number];

/** Those after which an agent is not trusted any further. */
export function isSevere(code: string | undefined): boolean {
  return code === "against-policy" || code === "unsafe";
}
