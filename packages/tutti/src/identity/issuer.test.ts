import { createSecretKey } from "node:crypto";

import { generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { expect, test } from "vitest";

import { errorOf } from "../../../../test/engine/engine-fixture.ts";
import { audience, openIssuerStand, type IssuerStand } from "../../../../test/server/issuer-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { openManualClock, type ManualClock } from "../testing/manual-clock.ts";
import { openIssuer, type Issuer, type IssuerOptions } from "./issuer.ts";

interface Bench {
  readonly clock: ManualClock;
  readonly stand: IssuerStand;
  readonly issuer: Issuer;
  refused(token: string): Promise<unknown>;
}

async function openBench(options: Partial<IssuerOptions> = {}, algorithm?: "RS256" | "EdDSA"): Promise<Bench> {
  const clock = openManualClock();
  const stand = await openIssuerStand(() => clock.now(), algorithm);
  const issuer = openIssuer({ issuer: stand.url, audience, ...options }, clock);
  return { clock, stand, issuer, refused: (token) => errorOf(issuer.verify(token)) };
}

const seconds = ({ clock }: Bench): number => Math.floor(clock.now() / 1_000);

test("a token says who somebody is, their role and their tenant", verifies("G9"), async () => {
  for (const algorithm of [undefined, "RS256", "EdDSA"] as const) {
    const bench = await openBench({ tenantClaim: "org" }, algorithm);
    const token = await bench.stand.sign({ sub: "auth0|ann", org: "acme" });
    const expiresAt = (seconds(bench) + 3_600) * 1_000;
    expect(await bench.issuer.verify(token)).toEqual({
      name: "auth0|ann",
      role: "operator",
      tenant: "acme",
      expiresAt,
    });
  }
});

test("a token that is not what the issuer signed, or not for us, or not now, is refused", verifies("G9"), async () => {
  const bench = await openBench({ tenantClaim: "org" });
  const { stand } = bench;
  const good = { org: "acme" };
  expect(await bench.issuer.verify(await stand.sign(good))).toMatchObject({ name: "ann" });
  const now = seconds(bench);
  const claims = { iss: stand.url, aud: audience, sub: "ann", exp: now + 60, tutti_role: "admin", org: "acme" };
  const published = JSON.stringify(stand.publicKey());
  const stranger = (await generateKeyPair("ES256")).privateKey;
  const [header, , signature] = (await stand.sign(good)).split(".");
  const changed = Buffer.from(JSON.stringify(claims)).toString("base64url");
  const tokens: Readonly<Record<string, string>> = {
    forged: await stand.sign(good, { key: stranger }),
    "changed after it was signed": `${header}.${changed}.${signature}`,
    "of an unknown key": await stand.sign(good, { kid: "nobody's" }),
    "not signed": new UnsecuredJWT(claims).encode(),
    "signed with the public key as a secret": await new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256", kid: "1" })
      .sign(createSecretKey(published, "utf8")),
    expired: await stand.sign({ ...good, exp: now - 6 }),
    "not yet": await stand.sign({ ...good, nbf: now + 6 }),
    "for ever": await stand.sign({ ...good, exp: undefined }),
    "for another audience": await stand.sign({ ...good, aud: "other" }),
    "for no audience": await stand.sign({ ...good, aud: undefined }),
    "of another issuer": await stand.sign({ ...good, iss: "https://login.example.org" }),
    "of nobody": await stand.sign({ ...good, sub: undefined }),
    "of a name that can't be shown": await stand.sign({ ...good, sub: "ann\n\u202E" }),
    "without a role": await stand.sign({ ...good, tutti_role: undefined }),
    "of a role that there is not": await stand.sign({ ...good, tutti_role: "king" }),
    "of two roles": await stand.sign({ ...good, tutti_role: ["operator", "approver"] }),
    "without a tenant": await stand.sign(),
    "of an empty tenant": await stand.sign({ org: "" }),
    "of several tenants": await stand.sign({ org: ["acme", "other"] }),
    "no token at all": "a.b.c",
    "too long": `${"a".repeat(16_000)}.b.c`,
  };
  for (const [what, token] of Object.entries(tokens))
    expect([what, await bench.refused(token)]).toEqual([what, expect.objectContaining({ code: "CALLER_UNKNOWN" })]);
});

test("clocks may differ by five seconds; a token that was right before is refused when it is over", async () => {
  const bench = await openBench();
  const token = await bench.stand.sign({ exp: seconds(bench) + 60, nbf: seconds(bench) + 4 });
  await bench.issuer.verify(token);
  await bench.clock.advance(64_000);
  await bench.issuer.verify(token);
  await bench.clock.advance(2_000);
  expect(await bench.refused(token)).toMatchObject({ code: "CALLER_UNKNOWN" });
});

async function roleOf({ issuer, stand }: Bench, claims: Record<string, unknown>): Promise<string> {
  return (await issuer.verify(await stand.sign(claims))).role;
}

test("roles are found in lists, under names with dots, and on paths", async () => {
  const listed = await openBench({ roleClaim: "realm_access.roles" });
  expect(await roleOf(listed, { realm_access: { roles: ["offline", "approver"] } })).toBe("approver");
  expect(await roleOf(listed, { realm_access: { roles: ["viewer", "admin"] } })).toBe("admin");
  expect(await listed.refused(await listed.stand.sign({ realm_access: "approver" }))).toMatchObject({
    code: "CALLER_UNKNOWN",
  });
  const named = await openBench({ roleClaim: "https://example.org/role" });
  expect(await roleOf(named, { "https://example.org/role": "viewer" })).toBe("viewer");
});

test("keys are asked for once, found again after a rotation, and not asked for by whoever sends unknown ones", async () => {
  const bench = await openBench();
  const { stand, clock, issuer } = bench;
  const old = await stand.sign();
  await Promise.all(Array.from({ length: 50 }, async () => issuer.verify(await stand.sign())));
  expect(stand.asked()).toBe(1);
  await stand.rotate();
  const fresh = await stand.sign();
  expect(await bench.refused(fresh)).toMatchObject({ code: "CALLER_UNKNOWN" });
  for (let tries = 0; tries < 20; tries++) await bench.refused(await stand.sign({}, { kid: `${tries}` }));
  expect(stand.asked()).toBe(1);
  await clock.advance(30_000);
  expect(await issuer.verify(fresh)).toMatchObject({ name: "ann" });
  expect(stand.asked()).toBe(2);
  // The old key is not published any more, so what it signed does not count, although it did before.
  expect(await bench.refused(old)).toMatchObject({ code: "CALLER_UNKNOWN" });
});

test("a key that is taken back counts ten minutes more at most", async () => {
  const bench = await openBench();
  const token = await bench.stand.sign();
  await bench.issuer.verify(token);
  await bench.stand.rotate();
  await bench.issuer.verify(token);
  await bench.clock.advance(600_000);
  expect(await bench.refused(token)).toMatchObject({ code: "CALLER_UNKNOWN" });
});

test("while its issuer can't be asked, no token counts, and nobody is kept waiting", async () => {
  for (const behaviour of ["down", "as-another", "elsewhere", "with-nonsense"] as const) {
    const bench = await openBench();
    bench.stand.behave(behaviour);
    const token = await bench.stand.sign();
    const unreachable = expect.objectContaining({ code: "ISSUER_UNREACHABLE", retryAfterMs: 5_000 });
    expect([behaviour, await bench.refused(token)]).toEqual([behaviour, unreachable]);
    bench.stand.behave("well");
    expect(await bench.refused(token)).toEqual(unreachable); // told at once, from before
    await bench.clock.advance(5_000);
    expect(await bench.issuer.verify(token)).toMatchObject({ name: "ann" });
    // Nor do those that counted before, once the keys are too old.
    bench.stand.behave(behaviour);
    await bench.clock.advance(600_000);
    expect(await bench.refused(token)).toEqual(unreachable);
  }
});

test("an issuer that does not answer is given up after five seconds", async () => {
  const bench = await openBench();
  bench.stand.behave("silent");
  const waiting = bench.refused(await bench.stand.sign());
  while (bench.clock.due.length === 0) await new Promise((resolve) => void setImmediate(resolve));
  await bench.clock.advance(5_000);
  expect(await waiting).toMatchObject({ code: "ISSUER_UNREACHABLE" });
});

test("an address that nobody can vouch for can't be an issuer", () => {
  for (const issuer of [
    "http://login.example.org",
    "login.example.org",
    "ftp://x",
    "https://x/?y",
    "http://127.0.0.1.evil.example",
  ])
    expect(() => openIssuer({ issuer, audience }, openManualClock())).toThrow(
      expect.objectContaining({ code: "USAGE" }),
    );
});
