import type { AgentVersion } from "../../contracts/autonomy.ts";
import type { PolicyRequest } from "../../contracts/policy.ts";

/** What the engine knows of agents and what they may do by themselves. */
export interface Autonomy {
  /** The level that people have granted, and the most that its tenant allows. */
  levelOf(agent: AgentVersion, resource: PolicyRequest["resource"]): number;
  tenantCap(tenant: string | undefined): number | undefined;
  /** Whether somebody has granted it anything that it could lose. */
  isCertified(agent: AgentVersion): boolean;
  /** Resolves when everything in the ledger has been looked at, and what it withdraws is durable. */
  catchUp(): Promise<void>;
}
