import { TuttiError } from "../../base/errors.ts";
import { toEffective, type AgentVersion } from "../../contracts/autonomy.ts";
import { autonomyMaxOf } from "../../contracts/grant.ts";
import type { PolicyRequest } from "../../contracts/policy.ts";
import type { NewEntry } from "../../ledger/ledger.ts";
import type { Driver } from "../driver.ts";
import type { Scope } from "../scope.ts";
import { toBody } from "../stored-value.ts";
import type { GovernedCall } from "./governed-call.ts";
import { grantAt } from "./grants.ts";

/** An agent, and what it is about to do. */
export interface AgentDeed {
  readonly agent: AgentVersion;
  readonly resource: PolicyRequest["resource"];
  readonly labels: readonly string[] | undefined;
}

/** What an agent may do by itself in this place: the lowest of everything that limits it. */
export function toAutonomy(driver: Driver, scope: Scope, { agent, resource, labels }: AgentDeed): number {
  const { autonomy } = driver.host;
  const effective = toEffective({
    certified: autonomy.levelOf(agent, resource),
    tenantCap: autonomy.tenantCap(driver.history.started.tenant),
    directiveCap: driver.directiveInUse?.autonomyCap,
    labels,
  });
  return Math.min(effective, autonomyMaxOf(grantAt(driver, scope)));
}

/** What is said of a call that an agent in shadow would have made: its intent, which nobody follows. */
export function toShadowEntry({ key, tool, effect, called }: GovernedCall): NewEntry {
  const body = toBody({ effect, tool: tool.name, class: tool.effect, digest: called.digest });
  return { kind: "effect-shadowed", key, body };
}

export function toShadowed({ tool, scope }: GovernedCall): TuttiError {
  const agent = scope.actor?.name ?? "the agent";
  return new TuttiError("AUTONOMY_SHADOW", `${tool.name} was not called: ${agent} works in shadow`, {
    hint: "It is recorded what would have been done. Go on without its result.",
  });
}
