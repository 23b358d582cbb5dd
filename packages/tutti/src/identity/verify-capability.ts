import { createLocalJWKSet, errors, jwtVerify, type JWTPayload } from "jose";

import { systemClock, type Clock } from "../base/clock.ts";
import type { ErrorCode } from "../base/error-codes.ts";
import { describeThrown, TuttiError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import { toCanonicalJson } from "../base/json.ts";
import { ShapeError } from "../base/shape.ts";
import {
  capabilityLifeMs,
  toIssuer,
  trustDomainDefault,
  type Capability,
  type CapabilityUse,
} from "../contracts/capability.ts";
import type { CapabilityUses } from "./capability-uses.ts";
import { capabilityType, parseClaims } from "./claims.ts";
import type { CapabilityKeys } from "./signing-keys.ts";

export interface ExpectedCapability {
  /** The tool that asks, by the name that it has in Tutti. */
  readonly audience: string;
  /** What it asks for: exactly the tool's input. */
  readonly input: unknown;
  /** The JWKS document of the engine that is trusted, or what fetches it. */
  readonly keys: CapabilityKeys | (() => Promise<CapabilityKeys>);
  /** Whose word it is; "tutti.local" by default. */
  readonly trustDomain?: string;
  /** What it is used for: to `run` the tool (the default), to `check` what became of it, or to `undo` it. */
  readonly use?: CapabilityUse;
  /** The person whose things are asked for. Left out, it counts for anybody's. */
  readonly actsFor?: string;
  /** What was used already: one for all servers of this audience. */
  readonly uses: CapabilityUses;
  /** Asks the engine whether it still counts, where the engine is in reach: `tutti.identity.confirm`. */
  readonly confirm?: (capability: Capability) => Promise<void>;
  readonly clock?: Clock;
}

/** Clocks of two machines may differ by so much. */
const toleranceS = 5;
const tokenCharactersMax = 16_000;

/**
 * Whether a token gives the right to do exactly this, now, for the first time. Only then it returns, and the token is used up.
 * @throws TuttiError CAPABILITY_INVALID, CAPABILITY_EXPIRED, CAPABILITY_MISPLACED, CAPABILITY_USED, CAPABILITY_REVOKED
 */
export async function verifyCapability(token: string, expected: ExpectedCapability): Promise<Capability> {
  const clock = expected.clock ?? systemClock;
  const capability = readCapability(await readClaims(token, expected, clock));
  refuseMisplaced(capability, expected);
  await expected.confirm?.(capability);
  // Last, and at once: of two that come together one is first.
  expected.uses.take(capability, clock.now());
  return capability;
}

async function readClaims(token: string, expected: ExpectedCapability, clock: Clock): Promise<JWTPayload> {
  const { audience, keys, trustDomain = trustDomainDefault } = expected;
  if (typeof token !== "string" || token.length > tokenCharactersMax)
    throw refuse("CAPABILITY_INVALID", `it is no text of at most ${tokenCharactersMax} characters`);
  const known = toKeySet(typeof keys === "function" ? await keys() : keys);
  try {
    const { payload } = await jwtVerify(token, known, {
      algorithms: ["EdDSA"],
      typ: capabilityType,
      issuer: toIssuer(trustDomain),
      audience,
      requiredClaims: ["sub", "jti", "iat", "nbf", "exp"],
      clockTolerance: toleranceS,
      currentDate: new Date(clock.now()),
    });
    return payload;
  } catch (error) {
    throw refuse(toCode(error), describeThrown(error), error);
  }
}

const keySets = new WeakMap<CapabilityKeys, ReturnType<typeof createLocalJWKSet>>();

/** Keys are read once for a document. */
function toKeySet(keys: CapabilityKeys): ReturnType<typeof createLocalJWKSet> {
  const known = keySets.get(keys);
  if (known !== undefined) return known;
  try {
    const made = createLocalJWKSet({ keys: keys.keys.map((key) => ({ ...key })) });
    keySets.set(keys, made);
    return made;
  } catch (error) {
    throw refuse("CAPABILITY_INVALID", "the JWKS document can't be read", error);
  }
}

function toCode(error: unknown): ErrorCode {
  if (error instanceof errors.JWTExpired) return "CAPABILITY_EXPIRED";
  if (!(error instanceof errors.JWTClaimValidationFailed)) return "CAPABILITY_INVALID";
  if (error.claim === "aud") return "CAPABILITY_MISPLACED";
  return error.claim === "nbf" && error.reason === "check_failed" ? "CAPABILITY_EXPIRED" : "CAPABILITY_INVALID";
}

function readCapability(payload: JWTPayload): Capability {
  let capability: Capability;
  try {
    capability = parseClaims(payload);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw refuse("CAPABILITY_INVALID", error.message, error);
  }
  if (capability.expiresAt - capability.issuedAt > capabilityLifeMs)
    throw refuse("CAPABILITY_INVALID", `it would live longer than ${capabilityLifeMs} ms`);
  return capability;
}

function refuseMisplaced(capability: Capability, { input, use = "run", actsFor }: ExpectedCapability): void {
  if (capability.use !== use) throw refuse("CAPABILITY_MISPLACED", `it is for ${capability.use}, not for ${use}`);
  if (actsFor !== undefined && capability.actsFor !== actsFor)
    throw refuse("CAPABILITY_MISPLACED", `it acts for ${capability.actsFor ?? "nobody"}, not for ${actsFor}`);
  if (capability.digest !== sha256(toCanonicalJson(input)))
    throw refuse("CAPABILITY_MISPLACED", "it is for another input of this tool");
}

function refuse(code: ErrorCode, why: string, cause?: unknown): TuttiError {
  return new TuttiError(code, `the capability does not count: ${why}`, {
    hint: "Ask for another one, for exactly what is to be done: `host.capability()` in the tool.",
    ...(cause === undefined ? {} : { cause }),
  });
}
