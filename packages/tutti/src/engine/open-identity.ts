import { TuttiError } from "../base/errors.ts";
import { isTrustDomain, toIssuer, trustDomainDefault, type Capability } from "../contracts/capability.ts";
import { bodyOf } from "../contracts/entry.ts";
import { describeFreeze, toFreezeNames } from "../contracts/freeze.ts";
import { findPermissionProblem, type RunPermissions } from "../contracts/grant.ts";
import { isOver } from "../contracts/run-record.ts";
import type { CapabilitySigner } from "../identity/capability-signer.ts";
import type { CapabilityKeys } from "../identity/signing-keys.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { FreezeBook } from "./freezes.ts";

/** Who this engine is to others, and what it signs. */
export interface Identity {
  /** `tutti.local`, unless the engine was told another one. */
  readonly trustDomain: string;
  /** The public keys, for servers that trust this engine: a JWKS document. @throws TuttiError CONFIG_INVALID */
  keys(): Promise<CapabilityKeys>;
  /** Signs with a new key from now on. Servers need the new document; what was signed counts until it expires. */
  rotateKeys(): Promise<void>;
  /**
   * Resolves when a capability still counts: nobody has frozen it, its run goes on, and its effect is intended and not done yet.
   * @throws TuttiError CAPABILITY_REVOKED, CAPABILITY_USED
   */
  readonly confirm: (capability: Capability) => Promise<void>;
}

/** The same, beside what only the engine may do. */
export interface OwnIdentity {
  readonly shown: Identity;
  sign(capability: Capability): Promise<string>;
}

/** What an engine was told of it. */
interface Declared {
  readonly grants?: Readonly<Record<string, RunPermissions>>;
  readonly identity?: { readonly trustDomain?: string; readonly keyFile?: string };
  readonly ledger?: string | Ledger;
}

const grantPattern = /^(?:(?:flow|person|tenant)\/.+|\*)$/u;

/** @throws TuttiError DEFINITION_INVALID for what can't work, before anything is opened. */
export function checkIdentity({ grants = {}, identity = {} }: Declared): void {
  const { trustDomain = trustDomainDefault } = identity;
  if (!isTrustDomain(trustDomain)) {
    throw new TuttiError("DEFINITION_INVALID", `${JSON.stringify(trustDomain)} is no trust domain`, {
      hint: "Use lower case letters, digits and . - _: agents.example.com",
    });
  }
  for (const [name, permissions] of Object.entries(grants)) {
    const problem = grantPattern.test(name)
      ? findPermissionProblem(permissions)
      : { what: "nobody is named so", hint: "Name flow/<name>, person/<name>, tenant/<name> or *." };
    if (problem === undefined) continue;
    throw new TuttiError("DEFINITION_INVALID", `the grant of ${name}: ${problem.what}`, { hint: problem.hint });
  }
}

/** Nothing is loaded, and no key is made, before the first capability. */
export function openIdentity(
  { identity = {}, ledger: place }: Declared,
  engine: { readonly ledger: Ledger; readonly freezes: FreezeBook; readonly defaultLedger: string },
): OwnIdentity {
  const { trustDomain = trustDomainDefault } = identity;
  const beside = typeof place === "object" ? undefined : `${place ?? engine.defaultLedger}-keys.json`;
  const keyFile = identity.keyFile ?? beside;
  let opening: Promise<CapabilitySigner> | undefined;
  const openSigner = (): Promise<CapabilitySigner> => {
    opening ??= import("../identity/capability-signer.ts")
      .then(({ openCapabilitySigner }) => openCapabilitySigner({ trustDomain, keyFile }))
      .catch((error: unknown) => {
        opening = undefined; // the file may be repaired meanwhile
        throw error;
      });
    return opening;
  };
  const shown: Identity = {
    trustDomain,
    keys: async () => (await openSigner()).keys(),
    rotateKeys: async () => (await openSigner()).rotate(),
    async confirm(capability) {
      await refuseRevoked(engine, capability, toIssuer(trustDomain));
      await refuseDone(engine.ledger, capability);
    },
  };
  return { shown, sign: async (capability) => (await openSigner()).sign(capability) };
}

async function refuseRevoked(
  { ledger, freezes }: { readonly ledger: Ledger; readonly freezes: FreezeBook },
  { run, agents, use }: Capability,
  issuer: string,
): Promise<void> {
  const [first] = await ledger.read(run);
  if (first?.kind !== "run-started") throw toRevoked(`there is no run ${run}`);
  const names = toFreezeNames(run, bodyOf(first, first.kind));
  for (const agent of agents) names.push(`agent/${toAgentName(agent, issuer)}`);
  const freeze = freezes.any ? freezes.find(names) : undefined;
  if (freeze !== undefined) throw toRevoked(describeFreeze(freeze));
  const record = await ledger.findRun(run);
  if (use === "run" && (record === undefined || isOver(record.status))) throw toRevoked(`run ${run} has ended`);
}

/** `spiffe://…/agent/planner/v/1f0c…` is about the agent `planner`. */
function toAgentName(agent: string, issuer: string): string {
  return agent.slice(`${issuer}/agent/`.length, agent.lastIndexOf("/v/"));
}

/** The table of effects is kept in the transaction of each entry: with the intent the right begins, with the outcome it ends. */
async function refuseDone(ledger: Ledger, capability: Capability): Promise<void> {
  if (capability.use !== "run" || capability.class === "read" || capability.class === "local") return;
  const effect = await ledger.findEffect(capability.effect);
  const isOwn = effect?.run === capability.run && effect.step === capability.step;
  if (isOwn && (effect.state === "intended" || effect.state === "in-doubt")) return;
  const what = isOwn ? `is ${effect.state}` : "is not of this step";
  throw new TuttiError("CAPABILITY_USED", `the capability does not count: effect ${capability.effect} ${what}`, {
    hint: "Each call of a tool has one of its own.",
  });
}

function toRevoked(why: string): TuttiError {
  return new TuttiError("CAPABILITY_REVOKED", `the capability does not count: ${why}`, {
    hint: "Whoever froze or ended it may let it go on: `tutti freezes`, `tutti show`.",
  });
}
