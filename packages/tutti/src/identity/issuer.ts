import {
  errors,
  jwtVerify,
  type JWTHeaderParameters,
  type FlattenedJWSInput,
  type JWTPayload,
  type LocalJWKSet,
} from "jose";

import type { Clock } from "../base/clock.ts";
import { describeThrown, TuttiError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import { roles, type Role } from "../contracts/api/commands.ts";
import { checkIssuer, openIssuerKeys } from "./issuer-keys.ts";

/** A service that signs people in (OpenID Connect), and what its tokens say. */
export interface IssuerOptions {
  /** Its address, exactly as its tokens have it (`iss`): `https://login.example.org/realms/acme`. */
  readonly issuer: string;
  /** Whom a token must be for (`aud`): the name of this server at the issuer. */
  readonly audience: string;
  /**
   * The claim that says the role: `viewer`, `operator`, `approver` or `admin`; a list may hold other words too. A name, or a path like
   * `realm_access.roles`. `tutti_role` by default.
   */
  readonly roleClaim?: string | undefined;
  /** The claim that says the tenant; every token must then have it. Without it, tokens see every tenant's runs. */
  readonly tenantClaim?: string | undefined;
}

/** Whom a token speaks for. */
export interface Bearer {
  /** The token's subject: written into the ledger as who commanded, and as who decided. */
  readonly name: string;
  readonly role: Role;
  readonly tenant: string | undefined;
  readonly expiresAt: number;
}

export interface Issuer {
  /** @throws TuttiError CALLER_UNKNOWN, saying why; ISSUER_UNREACHABLE */
  verify(token: string): Promise<Bearer>;
}

/** Signatures that only the issuer can make. With a secret that both sides know, everybody who checks could also sign. */
const algorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];
/** Clocks of two machines may differ by so much. */
const toleranceMs = 5_000;
const tokenCharactersMax = 16_000;
/** Tokens that were found right lately: a stream asks again with everything that it sends. */
const knownMax = 1_000;
/** A name that can be shown in one line. */
const namePattern = /^[\p{L}\p{N}\p{P}\p{S} ]{1,120}$/u;

interface Known {
  readonly bearer: Bearer;
  /** It counts as long as its issuer publishes these. */
  readonly keys: LocalJWKSet;
}

/** @throws TuttiError USAGE when it can't be one */
export function openIssuer(options: IssuerOptions, clock: Clock): Issuer {
  checkIssuer(options.issuer);
  const keys = openIssuerKeys(options.issuer, clock);
  const knownByHash = new Map<string, Known>();
  return {
    async verify(token) {
      if (token.length > tokenCharactersMax) throw refuse(`it is longer than ${tokenCharactersMax} characters`);
      const hash = sha256(token);
      const known = knownByHash.get(hash);
      if (known?.keys === (await keys.current()) && clock.now() < known.bearer.expiresAt + toleranceMs)
        return known.bearer;
      knownByHash.delete(hash);
      let used: LocalJWKSet | undefined;
      const findKey = async (header: JWTHeaderParameters, input: FlattenedJWSInput) => {
        used = await keys.current();
        try {
          return await used(header, input);
        } catch (error) {
          if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
          used = await keys.newerThan(used); // it may sign with a new one
          return used(header, input);
        }
      };
      const bearer = toBearer(await readClaims(token, findKey, { options, clock }), options);
      if (used !== undefined) remember(knownByHash, hash, { bearer, keys: used });
      return bearer;
    },
  };
}

function remember(knownByHash: Map<string, Known>, hash: string, known: Known): void {
  for (const oldest of knownByHash.keys()) {
    if (knownByHash.size < knownMax) break;
    knownByHash.delete(oldest);
  }
  knownByHash.set(hash, known);
}

type FindKey = (header: JWTHeaderParameters, input: FlattenedJWSInput) => ReturnType<LocalJWKSet>;

async function readClaims(
  token: string,
  findKey: FindKey,
  { options, clock }: { readonly options: IssuerOptions; readonly clock: Clock },
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, findKey, {
      algorithms,
      issuer: options.issuer,
      audience: options.audience,
      requiredClaims: ["sub", "exp"],
      clockTolerance: toleranceMs / 1_000,
      currentDate: new Date(clock.now()),
    });
    return payload;
  } catch (error) {
    if (error instanceof TuttiError) throw error;
    throw refuse(describeThrown(error), error);
  }
}

function toBearer(claims: JWTPayload, { roleClaim = "tutti_role", tenantClaim }: IssuerOptions): Bearer {
  const { sub = "", exp = 0 } = claims;
  if (!namePattern.test(sub)) throw refuse("its subject can't be a person's name");
  const named = readClaim(claims, roleClaim);
  const found = roles.filter((role) => named === role || (Array.isArray(named) && named.includes(role)));
  // Admins may do all that the others may.
  const role = found.includes("admin") ? "admin" : found[0];
  if (role === undefined) throw refuse(`its claim ${roleClaim} names no role of ${roles.join(", ")}`);
  if (found.length > 1 && role !== "admin")
    throw refuse(`its claim ${roleClaim} names several roles: ${found.join(", ")}`);
  const tenant = tenantClaim === undefined ? undefined : readClaim(claims, tenantClaim);
  if (tenantClaim !== undefined && !(typeof tenant === "string" && namePattern.test(tenant)))
    throw refuse(`its claim ${tenantClaim} names no tenant`);
  return { name: sub, role, tenant: typeof tenant === "string" ? tenant : undefined, expiresAt: exp * 1_000 };
}

/** By its name, which may have dots in it; else by its path. */
function readClaim(claims: JWTPayload, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const part of name.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = Object.entries(value).find(([key]) => key === part)?.[1];
  }
  return value;
}

function refuse(why: string, cause?: unknown): TuttiError {
  return new TuttiError("CALLER_UNKNOWN", `the token does not count: ${why}`, {
    hint: "Sign in at the issuer again; what its tokens must say is in docs/server.md.",
    ...(cause === undefined ? {} : { cause }),
  });
}
