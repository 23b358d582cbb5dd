import { TuttiError } from "../../base/errors.ts";
import type { Tool } from "../../contracts/callable.ts";
import { findRefusal, isNarrow, mintGrant, narrowGrant, type Grant, type GrantPart } from "../../contracts/grant.ts";
import type { RunId } from "../../contracts/ids.ts";
import type { Driver } from "../driver.ts";
import type { Scope } from "../scope.ts";

const nothingGranted: Grant = { actors: [], parts: [] };

/** What may be done in a place of a run: what the run may, narrowed by every agent around it. */
export function grantAt({ run, history }: Pick<Driver, "run" | "history">, scope: Scope): Grant {
  const given = history.started.grant ?? nothingGranted;
  if (scope.actor === undefined) return given; // no agent is around it
  const around: { readonly actor: string; readonly part?: GrantPart }[] = [];
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
    if (at.agent === undefined || at.actor === undefined) continue;
    const { name, version, permissions } = at.actor;
    const part = permissions === undefined ? {} : { part: { of: `${run}/agent/${name}`, ...permissions } };
    around.push({ actor: `${name}@${version}`, ...part });
  }
  return around.toReversed().reduce<Grant>(narrowGrant, given);
}

/** Why a tool may not be called in this place. `isTimed`: also because it is too late for it. */
export function refuseUngranted(
  driver: Driver,
  { tool, scope }: { readonly tool: Tool; readonly scope: Scope },
  isTimed = true,
): TuttiError | undefined {
  const grant = grantAt(driver, scope);
  if (grant === nothingGranted) return undefined;
  const now = isTimed ? driver.host.clock.now() : undefined;
  const problem = findRefusal(grant, { tool: tool.name, actsFor: driver.history.started.by, now });
  return problem === undefined ? undefined : toRefusal(`${tool.name} was not called`, problem);
}

/** An agent that may not act for the person of this run does not begin. @throws TuttiError GRANT_EXCEEDED */
export function refuseActor(driver: Driver, scope: Scope): void {
  const problem = findRefusal(grantAt(driver, scope), { actsFor: driver.history.started.by });
  if (problem !== undefined) throw toRefusal(`${scope.agent ?? "the agent"} did not begin`, problem);
}

export function isLimited(driver: Driver, scope: Scope): boolean {
  return isNarrow(grantAt(driver, scope));
}

/** What a child of this place may do; nothing where nobody is limited and no agent asks for it. */
export function toChildGrant(
  driver: Driver,
  scope: Scope,
  child: { readonly run: RunId; readonly flow: string },
): { readonly grant?: Grant } {
  const { by, tenant } = driver.history.started;
  const from = grantAt(driver, scope);
  const grant = mintGrant(driver.host.grants, { ...child, by, tenant, now: driver.host.clock.now(), from });
  return grant === undefined ? {} : { grant };
}

export function toRefusal(what: string, why: string): TuttiError {
  return new TuttiError("GRANT_EXCEEDED", `${what}: ${why}`, {
    hint: "Do something else; or have it allowed, in `grants` of the engine or in `permissions` of the agent.",
  });
}
