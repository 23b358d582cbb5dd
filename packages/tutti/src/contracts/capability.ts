import type { EffectClass } from "./callable.ts";
import type { EffectKey, RunId, StepKey } from "./ids.ts";

/** What a tool does with it: its work, the question whether an effect has happened, or taking it back. */
export type CapabilityUse = "run" | "check" | "undo";

/** The right to do one thing once: what a tool can show whoever it asks. */
export interface Capability {
  /** Used up with the first use. */
  readonly id: string;
  /** The person that it is done for, if the run was started by one. */
  readonly actsFor: string | undefined;
  /** The identifiers of the agents that act through each other, the first first. None for a flow's own code. */
  readonly agents: readonly string[];
  readonly run: RunId;
  readonly step: StepKey;
  readonly tool: string;
  readonly class: EffectClass;
  readonly use: CapabilityUse;
  /** SHA-256 over the canonical JSON of the input. */
  readonly digest: string;
  readonly effect: EffectKey;
  /** The version of the directives that it is done under; 0 while nobody has given one. */
  readonly directive: number;
  readonly autonomyMax: number;
  /** Milliseconds since 1970. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** A capability lives no longer, in milliseconds. */
export const capabilityLifeMs = 60_000;

export const trustDomainDefault = "tutti.local";
const trustDomainPattern = /^[a-z0-9][a-z0-9._-]{0,254}$/u;

export function isTrustDomain(name: string): boolean {
  return trustDomainPattern.test(name);
}

/** Who signs what the engines of a trust domain say. */
export function toIssuer(trustDomain: string): string {
  return `spiffe://${trustDomain}`;
}

/** The identifier of an agent that is at work, given as `planner@1f0c…`: another version is somebody else. */
export function toAgentId(trustDomain: string, actor: string): string {
  return `${toIssuer(trustDomain)}/${toAgentPath(actor)}`;
}

/** `agent/planner/v/1f0c…`: the identifier without the trust domain. */
export function toAgentPath(actor: string): string {
  const at = actor.lastIndexOf("@");
  return `agent/${actor.slice(0, at)}/v/${actor.slice(at + 1)}`;
}
