import { TuttiError } from "../../base/errors.ts";
import { sha256 } from "../../base/hash.ts";
import type { EffectClass } from "../../contracts/callable.ts";
import { capabilityLifeMs, toAgentId, type Capability, type CapabilityUse } from "../../contracts/capability.ts";
import { describeFreeze } from "../../contracts/freeze.ts";
import { autonomyHighest, autonomyMaxOf, expiryOf, findRefusal } from "../../contracts/grant.ts";
import type { EffectKey } from "../../contracts/ids.ts";
import type { AttemptHost } from "../attempts.ts";
import type { Driver } from "../driver.ts";
import { findFreeze } from "../hold.ts";
import type { Scope } from "../scope.ts";
import { grantAt, toRefusal } from "./grants.ts";

/** What a tool is about to do for a call. Of an effect the intent is durable. */
export interface Dispatch {
  readonly effect: EffectKey;
  readonly tool: string;
  readonly class: EffectClass;
  readonly scope: Scope;
  /** Of the input that it is done with. */
  readonly digest: string;
  readonly use: CapabilityUse;
}

/**
 * The right to do what a tool was called for, signed. There is one for each time that a tool is called: its id follows from the step, the
 * attempt and the driver's epoch, so asking again in the same attempt gives the same right.
 * @throws TuttiError CAPABILITY_REVOKED, GRANT_EXCEEDED
 */
export async function mintCapability(driver: Driver, dispatch: Dispatch, host: AttemptHost): Promise<string> {
  const { scope, tool, use } = dispatch;
  host.signal.throwIfAborted();
  const freeze = findFreeze(driver, scope);
  if (freeze !== undefined)
    throw new TuttiError("CAPABILITY_REVOKED", `${tool} gets no capability: ${describeFreeze(freeze)}`, {
      hint: "It goes on when the freeze is lifted.",
    });
  const { by: actsFor } = driver.history.started;
  const grant = grantAt(driver, scope);
  const issuedAt = driver.host.clock.now();
  // What was done may be taken back, and asked for, at any time.
  const problem = use === "run" ? findRefusal(grant, { tool, actsFor, now: issuedAt }) : undefined;
  if (problem !== undefined) throw toRefusal(`${tool} gets no capability`, problem);
  const expiresAt = Math.min(issuedAt + capabilityLifeMs, use === "run" ? expiryOf(grant) : Number.POSITIVE_INFINITY);
  const directives = driver.directiveInUse;
  const capability: Capability = {
    id: sha256(`${driver.run}\n${host.step}\n${use}\n${driver.log.epoch}\n${host.attempt}`).slice(0, 32),
    actsFor,
    agents: grant.actors.map((actor) => toAgentId(driver.host.trustDomain, actor)),
    run: driver.run,
    step: host.step,
    tool,
    class: dispatch.class,
    use,
    digest: dispatch.digest,
    effect: dispatch.effect,
    directive: directives?.state.version ?? driver.history.directives.at(-1)?.version ?? 0,
    autonomyMax: Math.min(autonomyMaxOf(grant), directives?.autonomyCap ?? autonomyHighest),
    issuedAt,
    expiresAt,
  };
  return driver.host.signCapability(capability);
}
