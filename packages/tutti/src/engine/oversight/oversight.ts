import type { ApprovalRecord } from "../../contracts/approval.ts";
import type { AutonomyEvidence } from "../../contracts/autonomy.ts";
import type { Like, Precedent } from "../../contracts/precedent.ts";
import type { Autonomy } from "../../flow/govern/autonomy-host.ts";
import type { Override } from "../../insight/oversight/overrides.ts";

/** What one version of an agent may do of one kind, and why. */
export interface AutonomyLine {
  readonly agent: string;
  readonly version: string;
  readonly action: string;
  readonly level: number;
  readonly until: number | undefined;
  /** What people decided since it changed last. */
  readonly evidence: AutonomyEvidence;
  /** The approval that waits, when a higher level is proposed. */
  readonly proposal: string | undefined;
}

export interface GrantRequest {
  /** `writer@2` */
  readonly agent: string;
  /** `tool/pay`, `tier/irreversible`, `tier/compensable/personal` */
  readonly action: string;
  readonly level: number;
  readonly by: string;
  readonly reason?: string;
  /** When it ends; milliseconds since 1970. */
  readonly until?: number;
}

export type WithdrawRequest = Omit<GrantRequest, "until" | "reason"> & { readonly reason: string };

export interface CapRequest {
  readonly tenant: string;
  readonly level: number;
  readonly by: string;
  readonly reason?: string;
}

/** `tutti.autonomy`: what agents may do by themselves. */
export interface AutonomyDesk {
  /** Of all agents, or of those of this name. */
  list(agent?: string): Promise<readonly AutonomyLine[]>;
  /** Resolves when it is durable; it counts from then on. @throws TuttiError INPUT_INVALID */
  grant(request: GrantRequest): Promise<void>;
  /** Leaves it this level. @throws TuttiError INPUT_INVALID */
  withdraw(request: WithdrawRequest): Promise<void>;
  /** The most that any agent may do for a tenant. @throws TuttiError INPUT_INVALID */
  cap(request: CapRequest): Promise<void>;
}

/** `tutti.overrides`: what people decided otherwise than was proposed. */
export interface Overrides {
  /** All of them, the oldest first. */
  read(): AsyncIterable<Override>;
}

/** Everything that people do about agents, as the engine keeps it. */
export interface OversightBook extends Autonomy {
  readonly desk: AutonomyDesk;
  findPrecedents(like: Like, limit: number): Promise<readonly Precedent[]>;
  /** Somebody has decided something. Resolves when what it means for agents counts; of their calls that follows in the background. */
  decided(approval: ApprovalRecord): Promise<void>;
  /** Resolves when nothing is at work any more. */
  close(): Promise<void>;
}
