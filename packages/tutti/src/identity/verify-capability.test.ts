import { generateKeyPairSync } from "node:crypto";

import { assert, constantFrom, property, record, string } from "fast-check";
import { SignJWT, type JWTPayload } from "jose";
import { expect, test } from "vitest";

import { errorOf } from "../../../../test/engine/engine-fixture.ts";
import { mailInput, toCapability } from "../../../../test/identity/capability-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import type { ErrorCode } from "../base/error-codes.ts";
import { TuttiError } from "../base/errors.ts";
import type { Capability } from "../contracts/capability.ts";
import { openManualClock } from "../testing/manual-clock.ts";
import { openCapabilitySigner } from "./capability-signer.ts";
import { openCapabilityUses } from "./capability-uses.ts";
import { capabilityType, toClaims } from "./claims.ts";
import { openSigningKeys } from "./signing-keys.ts";
import { verifyCapability, type ExpectedCapability } from "./verify-capability.ts";

const trustDomain = "tutti.local";

async function openMailServer() {
  const clock = openManualClock();
  const signer = await openCapabilitySigner({ trustDomain, keyFile: undefined });
  const uses = openCapabilityUses();
  const verify = (token: string, change: Partial<ExpectedCapability> = {}): Promise<Capability> =>
    verifyCapability(token, { audience: "mail.send", input: mailInput, keys: signer.keys(), uses, clock, ...change });
  const sign = (change: Partial<Capability> = {}): Promise<string> => signer.sign(toCapability(clock.now(), change));
  return { clock, signer, verify, sign };
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const toParts = (token: string): [string, string, string] => {
  const [header = "", payload = "", signature = ""] = token.split(".");
  return [header, payload, signature];
};
const readPart = (text: string): Record<string, unknown> => JSON.parse(Buffer.from(text, "base64url").toString());

/** Signed by the trusted key, with claims that no engine makes. */
async function forge(change: (claims: JWTPayload) => JWTPayload, header: { typ?: string } = {}) {
  const clock = openManualClock();
  const keys = await openSigningKeys(undefined);
  const claims = change(toClaims(toCapability(clock.now()), trustDomain));
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: "EdDSA", typ: capabilityType, kid: keys.kid, ...header })
    .sign(keys.privateKey);
  const uses = openCapabilityUses();
  return errorOf(
    verifyCapability(token, { audience: "mail.send", input: mailInput, keys: keys.published, uses, clock }),
  );
}

test("a capability says who does what for whom, exactly as it was signed", verifies("G9"), async () => {
  const { clock, verify, sign } = await openMailServer();
  const agents = ["spiffe://tutti.local/agent/chief/v/1", "spiffe://tutti.local/agent/clerk/v/2"];
  const expected = toCapability(clock.now(), { agents, directive: 3, autonomyMax: 2 });
  expect(await verify(await sign({ agents, directive: 3, autonomyMax: 2 }), { actsFor: "ann" })).toEqual(expected);
  const nobody = { id: "c2", actsFor: undefined, agents: [] };
  expect(await verify(await sign(nobody))).toEqual(toCapability(clock.now(), nobody));
});

type Attack = (server: Awaited<ReturnType<typeof openMailServer>>) => Promise<unknown>;

const attacks: readonly [attack: string, code: ErrorCode, run: Attack][] = [
  ["no token at all", "CAPABILITY_INVALID", ({ verify }) => verify("")],
  ["words", "CAPABILITY_INVALID", ({ verify }) => verify("let me in")],
  ["a text without an end", "CAPABILITY_INVALID", ({ verify }) => verify("a".repeat(20_000))],
  [
    "altered: another person",
    "CAPABILITY_INVALID",
    async ({ verify, sign }) => {
      const [header, payload, signature] = toParts(await sign());
      return verify([header, part({ ...readPart(payload), sub: "person/bert" }), signature].join("."));
    },
  ],
  [
    "widened: more actions",
    "CAPABILITY_INVALID",
    async ({ verify, sign }) => {
      const [header, payload, signature] = toParts(await sign());
      const wide = readPart(payload);
      const [detail] = Object.values(wide["authorization_details"] ?? {});
      return verify([header, part({ ...wide, authorization_details: [detail, detail] }), signature].join("."));
    },
  ],
  [
    "alg none",
    "CAPABILITY_INVALID",
    async ({ verify, sign }) => {
      const [header, payload] = toParts(await sign());
      return verify([part({ ...readPart(header), alg: "none" }), payload, ""].join("."));
    },
  ],
  [
    "the public key as a shared secret",
    "CAPABILITY_INVALID",
    async ({ verify, sign, signer }) => {
      const [, payload] = toParts(await sign());
      const [key] = signer.keys().keys;
      const secret = Buffer.from(key?.x ?? "", "base64url");
      const header = { alg: "HS256", typ: capabilityType, kid: key?.kid ?? "" };
      return verify(await new SignJWT(readPart(payload)).setProtectedHeader(header).sign(secret));
    },
  ],
  [
    "forged: another key under the trusted key's name",
    "CAPABILITY_INVALID",
    async ({ verify, sign, signer }) => {
      const [, payload] = toParts(await sign());
      const header = { alg: "EdDSA", typ: capabilityType, kid: signer.keys().keys[0]?.kid ?? "" };
      const { privateKey } = generateKeyPairSync("ed25519");
      return verify(await new SignJWT(readPart(payload)).setProtectedHeader(header).sign(privateKey));
    },
  ],
  [
    "a key that nobody published",
    "CAPABILITY_INVALID",
    async ({ verify, clock }) => {
      const stranger = await openCapabilitySigner({ trustDomain, keyFile: undefined });
      return verify(await stranger.sign(toCapability(clock.now())));
    },
  ],
  [
    "another issuer",
    "CAPABILITY_INVALID",
    async ({ verify, sign }) => verify(await sign(), { trustDomain: "elsewhere.example" }),
  ],
  [
    "replayed",
    "CAPABILITY_USED",
    async ({ verify, sign }) => {
      const token = await sign();
      await verify(token);
      return verify(token);
    },
  ],
  [
    "expired",
    "CAPABILITY_EXPIRED",
    async ({ verify, sign, clock }) => {
      const token = await sign();
      await clock.advance(66_000);
      return verify(token);
    },
  ],
  [
    "not yet valid",
    "CAPABILITY_EXPIRED",
    async ({ verify, signer, clock }) => verify(await signer.sign(toCapability(clock.now() + 30_000))),
  ],
  [
    "for another tool",
    "CAPABILITY_MISPLACED",
    async ({ verify, sign }) => verify(await sign(), { audience: "page.publish" }),
  ],
  [
    "for another input",
    "CAPABILITY_MISPLACED",
    async ({ verify, sign }) => verify(await sign(), { input: { to: "everybody" } }),
  ],
  ["for something else", "CAPABILITY_MISPLACED", async ({ verify, sign }) => verify(await sign({ use: "check" }))],
  [
    "for another person's things",
    "CAPABILITY_MISPLACED",
    async ({ verify, sign }) => verify(await sign(), { actsFor: "bert" }),
  ],
  [
    "for nobody, where a person's things are asked for",
    "CAPABILITY_MISPLACED",
    async ({ verify, sign }) => verify(await sign({ actsFor: undefined }), { actsFor: "ann" }),
  ],
  [
    "revoked meanwhile",
    "CAPABILITY_REVOKED",
    async ({ verify, sign }) =>
      verify(await sign(), {
        confirm: () => Promise.reject(new TuttiError("CAPABILITY_REVOKED", "it was frozen", { hint: "Wait." })),
      }),
  ],
];

test.each(attacks)("%s: it is refused with %s", verifies("G9"), async (_attack, code, run) => {
  const error = await errorOf(run(await openMailServer()));
  expect(error).toMatchObject({ code, effect: "none" });
  expect(error.hint).toBeTypeOf("string");
});

const widened: readonly [what: string, change: (claims: JWTPayload) => JWTPayload][] = [
  ["a life of an hour", (claims) => ({ ...claims, exp: (claims.iat ?? 0) + 3_600 })],
  ["no end", without("exp")],
  ["no id", without("jti")],
  ["no subject", without("sub")],
  ["two audiences", (claims) => ({ ...claims, aud: ["mail.send", "page.publish"] })],
  ["a subject that is neither a person nor its run", (claims) => ({ ...claims, sub: "run/another" })],
  ["more than once", (claims) => ({ ...claims, authorization_details: changeDetail(claims, { times: 2 }) })],
  [
    "two actions",
    (claims) => ({ ...claims, authorization_details: changeDetail(claims, { actions: ["run", "undo"] }) }),
  ],
  ["no action", (claims) => ({ ...claims, authorization_details: [] })],
  ["another tool inside", (claims) => ({ ...claims, authorization_details: changeDetail(claims, { tool: "look" }) })],
  ["an endless chain of actors", (claims) => ({ ...claims, act: toChain(40) })],
];

function without(name: string): (claims: JWTPayload) => JWTPayload {
  return (claims) => Object.fromEntries(Object.entries(claims).filter(([claim]) => claim !== name));
}

function changeDetail(claims: JWTPayload, change: object): readonly object[] {
  const [detail] = Object.values(claims["authorization_details"] ?? {});
  return [{ ...detail, ...change }];
}

function toChain(length: number): object {
  return length === 0 ? { sub: "spiffe://tutti.local/agent/a/v/1" } : { sub: "x", act: toChain(length - 1) };
}

test.each(widened)("%s counts for nothing, whoever signed it", verifies("G9"), async (_what, change) => {
  expect(await forge(change)).toMatchObject({ code: "CAPABILITY_INVALID" });
});

test("another kind of token that the same key signed is no capability", verifies("G9"), async () => {
  expect(await forge((claims) => claims, { typ: "JWT" })).toMatchObject({ code: "CAPABILITY_INVALID" });
});

test("no change of a single character of a token leaves it valid", verifies("G9"), async () => {
  const { verify, sign } = await openMailServer();
  const token = await sign();
  const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".split("");
  for (let at = 0; at < token.length; at += 7) {
    // Of the last character only some bits count; a dot is a border.
    if (token[at] === "." || at === token.length - 1) continue;
    const other = characters[(characters.indexOf(token[at] ?? "") + 32) % characters.length] ?? "A";
    const outcome = await verify(`${token.slice(0, at)}${other}${token.slice(at + 1)}`).catch(
      (error: unknown) => error,
    );
    expect(outcome).toMatchObject({ code: "CAPABILITY_INVALID" });
  }
  expect(await verify(token)).toMatchObject({ id: "c1" });
});

test("claims come back as they were signed, whatever is in them", () => {
  const name = string({ minLength: 1, maxLength: 20 });
  assert(
    property(record({ id: name, actsFor: name, digest: name, use: constantFrom("run", "check", "undo") }), (change) => {
      const claims = toClaims(toCapability(5_000, change), trustDomain);
      expect(JSON.parse(JSON.stringify(claims))).toMatchObject({ jti: change.id, sub: `person/${change.actsFor}` });
    }),
  );
});

test("a use is remembered as long as it could be shown again, and there is an end to what is remembered", async () => {
  const uses = openCapabilityUses(2);
  const now = 1_000;
  uses.take({ id: "a", expiresAt: now + 100 }, now);
  uses.take({ id: "b", expiresAt: now + 90_000 }, now);
  expect(await errorOf(Promise.resolve().then(() => uses.take({ id: "a", expiresAt: now + 100 }, now)))).toMatchObject({
    code: "CAPABILITY_USED",
  });
  const full = await errorOf(Promise.resolve().then(() => uses.take({ id: "c", expiresAt: now + 100 }, now)));
  expect(full.message).toContain("no room");
  uses.take({ id: "c", expiresAt: now + 90_000 }, now + 20_000);
});
