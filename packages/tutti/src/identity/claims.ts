import type { JWTPayload } from "jose";

import { anything, branded, fields, integer, listOf, oneOf, ShapeError, text, type Shape } from "../base/shape.ts";
import { toIssuer, type Capability } from "../contracts/capability.ts";
import type { EffectKey, RunId, StepKey } from "../contracts/ids.ts";

/** Says what kind of token it is, so that no other that the same key signed can be taken for one. */
export const capabilityType = "tutti-capability+jwt";
const detailType = "tutti_call";

const runId: Shape<RunId> = branded(text);
const stepKey: Shape<StepKey> = branded(text);
const effectKey: Shape<EffectKey> = branded(text);

/** Subject, actors and details as RFC 7519, 8693 and 9396 have them. */
const claims = fields({ sub: text, aud: text, jti: text, iat: integer, nbf: integer, exp: integer }, { act: anything });
const details = fields({
  run: runId,
  step: stepKey,
  effect: effectKey,
  directive: integer,
  autonomy_max: integer,
  authorization_details: listOf(
    fields({
      type: oneOf(detailType),
      tool: text,
      actions: listOf(oneOf("run", "check", "undo")),
      class: oneOf("read", "local", "idempotent", "once"),
      digest: text,
      times: integer,
    }),
  ),
});

export function toClaims(capability: Capability, trustDomain: string): JWTPayload {
  const { id, actsFor, agents, run, step, tool, use, digest, effect, directive, autonomyMax } = capability;
  const act = agents.reduce<object | undefined>((inner, sub) => ({ sub, ...(inner && { act: inner }) }), undefined);
  const issuedAt = Math.floor(capability.issuedAt / 1_000);
  return {
    iss: toIssuer(trustDomain),
    sub: actsFor === undefined ? `run/${run}` : `person/${actsFor}`,
    ...(act === undefined ? {} : { act }),
    aud: tool,
    jti: id,
    iat: issuedAt,
    nbf: issuedAt,
    exp: Math.floor(capability.expiresAt / 1_000),
    run,
    step,
    effect,
    directive,
    autonomy_max: autonomyMax,
    authorization_details: [{ type: detailType, tool, actions: [use], class: capability.class, digest, times: 1 }],
  };
}

/** @throws ShapeError for what no engine signs: more than one action, more than once, a subject that is nobody. */
export function parseClaims(payload: JWTPayload): Capability {
  const { sub, aud, jti, iat, exp, act } = claims(payload, "");
  const { run, step, effect, directive, autonomy_max: autonomyMax, authorization_details: list } = details(payload, "");
  const [detail, ...more] = list;
  const [use, ...others] = detail?.actions ?? [];
  if (detail === undefined || use === undefined || more.length + others.length > 0 || detail.times !== 1)
    throw new ShapeError("authorization_details", "one action, once", list);
  if (detail.tool !== aud) throw new ShapeError("authorization_details", "of the tool that it is for", detail.tool);
  if (!sub.startsWith("person/") && sub !== `run/${run}`) throw new ShapeError("sub", "a person, or the run", sub);
  return {
    id: jti,
    actsFor: sub.startsWith("person/") ? sub.slice("person/".length) : undefined,
    agents: toAgents(act),
    run,
    step,
    tool: aud,
    class: detail.class,
    use,
    digest: detail.digest,
    effect,
    directive,
    autonomyMax,
    issuedAt: iat * 1_000,
    expiresAt: exp * 1_000,
  };
}

const actor = fields({ sub: text }, { act: anything });
/** Enough for every chain that an engine hands on. */
const actorsMax = 32;

/** The outermost of the claim is who acts now, the innermost who was first. */
function toAgents(act: unknown): readonly string[] {
  const agents: string[] = [];
  for (let at = act; at !== undefined;) {
    if (agents.length >= actorsMax) throw new ShapeError("act", `at most ${actorsMax} actors`, undefined);
    const { sub, act: inner } = actor(at, "act");
    agents.unshift(sub);
    at = inner;
  }
  return agents;
}
