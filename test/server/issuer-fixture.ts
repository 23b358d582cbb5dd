import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from "jose";
import { onTestFinished } from "vitest";

export const audience = "tutti";

/** A service that signs people in, on a real port, with real keys: discovery, keys, tokens, and what can go wrong with them. */
export interface IssuerStand {
  readonly url: string;
  /** How often its keys were asked for. */
  readonly asked: () => number;
  readonly publicKey: () => JWK;
  /** A token of Ann, an operator, for an hour from `now`; `claims` change what it says, and `undefined` leaves a claim out. */
  sign(
    claims?: Readonly<Record<string, unknown>>,
    header?: { readonly kid?: string; readonly key?: CryptoKey },
  ): Promise<string>;
  /** Signs with another key from now on, and publishes only that one. */
  rotate(): Promise<void>;
  /** Answers in another way from now on. */
  behave(as: "well" | "down" | "silent" | "as-another" | "elsewhere" | "with-nonsense"): void;
}

type Algorithm = "ES256" | "RS256" | "EdDSA";

export async function openIssuerStand(now: () => number, algorithm: Algorithm = "ES256"): Promise<IssuerStand> {
  let made = await makeKey(algorithm, 1);
  let behaviour: Parameters<IssuerStand["behave"]>[0] = "well";
  let asked = 0;
  const answer = (path: string, response: ServerResponse): void => {
    if (behaviour === "silent") return;
    const isDiscovery = path === "/.well-known/openid-configuration";
    if (!isDiscovery) asked += 1;
    const issuer = behaviour === "as-another" ? "https://login.example.org" : url;
    const keysAt = behaviour === "elsewhere" ? "http://keys.example.org/jwks" : `${url}/jwks`;
    const body = isDiscovery ? { issuer, jwks_uri: keysAt } : { keys: [made.published] };
    response.statusCode = behaviour === "down" ? 503 : 200;
    response.end(behaviour === "with-nonsense" ? "<html>" : JSON.stringify(body));
  };
  const server = createServer((request, response) => answer(request.url ?? "", response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    asked: () => asked,
    publicKey: () => made.published,
    sign(claims = {}, { kid = made.published.kid ?? "", key = made.privateKey } = {}) {
      const seconds = Math.floor(now() / 1_000);
      const usual = { iss: url, aud: audience, sub: "ann", iat: seconds, exp: seconds + 3_600, tutti_role: "operator" };
      return new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg: algorithm, kid }).sign(key);
    },
    async rotate() {
      made = await makeKey(algorithm, Number(made.published.kid) + 1);
    },
    behave(as) {
      behaviour = as;
    },
  };
}

async function makeKey(
  algorithm: Algorithm,
  number: number,
): Promise<{ readonly privateKey: CryptoKey; readonly published: JWK }> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  return {
    privateKey,
    published: { ...(await exportJWK(publicKey)), kid: String(number), alg: algorithm, use: "sig" },
  };
}
