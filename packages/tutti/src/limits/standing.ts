import type { RunId } from "../contracts/ids.ts";
import type { Priority } from "../contracts/run-record.ts";
import { findLimits, type LimitTable } from "./limit.ts";

/** Who waits, as far as it decides who is next. */
export interface Standing {
  readonly run: RunId;
  readonly priority: Priority;
  /** It goes on with what it has begun: before those of its priority that have not. */
  readonly hasBegun: boolean;
  /** Empty for runs without one, which share as one tenant. */
  readonly tenant: string;
  readonly tenantShare: number;
  readonly flow: string;
  readonly flowShare: number;
}

/** Whom calls and runs count for when they wait. */
export interface Waiter {
  readonly run: RunId;
  readonly tenant?: string | undefined;
  readonly flow: string;
  readonly priority?: Priority | undefined;
  readonly hasBegun: boolean;
}

/** The waiter with its shares. */
export function toStanding(limits: LimitTable, { run, tenant, flow, priority, hasBegun }: Waiter): Standing {
  const shareOf = (kind: "tenant" | "flow", name: string | undefined): number =>
    (name === undefined ? undefined : findLimits(limits, kind, name)?.share) ?? 1;
  return {
    run,
    priority: priority ?? "normal",
    hasBegun,
    tenant: tenant ?? "",
    tenantShare: shareOf("tenant", tenant),
    flow,
    flowShare: shareOf("flow", flow),
  };
}
