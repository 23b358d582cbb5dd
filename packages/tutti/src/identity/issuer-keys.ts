import { createLocalJWKSet, type LocalJWKSet } from "jose";

import type { Clock } from "../base/clock.ts";
import { TuttiError } from "../base/errors.ts";
import { anything, fields, listOf, recordOf, text } from "../base/shape.ts";

/** The public keys of an issuer, as it publishes them. */
export interface IssuerKeys {
  /** Those that count now. One that is the same as before is the same object. @throws TuttiError ISSUER_UNREACHABLE */
  current(): Promise<LocalJWKSet>;
  /** Asks again for keys that are not among these, unless that was done a moment ago. @throws TuttiError ISSUER_UNREACHABLE */
  newerThan(keys: LocalJWKSet): Promise<LocalJWKSet>;
}

/** So long keys are believed without asking again: a key that is taken back counts no longer than this. */
const keysLifeMs = 600_000;
/** Whoever sends tokens of unknown keys makes us ask no more often than this. */
const askAgainMs = 30_000;
/** After a failure everybody is told so at once, and not kept waiting for the next one. */
const failureLifeMs = 5_000;
const answerTimeoutMs = 5_000;
const answerBytesMax = 512 * 1_024;

const discovery = fields({ issuer: text, jwks_uri: text });
const jwks = fields({ keys: listOf(recordOf(anything)) });

export function openIssuerKeys(issuer: string, clock: Clock): IssuerKeys {
  let held: { readonly keys: LocalJWKSet; readonly askedAt: number } | undefined;
  let failed: { readonly error: TuttiError; readonly at: number } | undefined;
  let asking: Promise<LocalJWKSet> | undefined;
  const ask = async (): Promise<LocalJWKSet> => {
    if (failed !== undefined && clock.now() - failed.at < failureLifeMs) throw failed.error;
    try {
      const keys = await inTime(clock, (signal) => fetchKeys(issuer, signal));
      held = { keys, askedAt: clock.now() };
      failed = undefined;
      return keys;
    } catch (error) {
      failed = { error: toUnreachable(issuer, error), at: clock.now() };
      throw failed.error;
    }
  };
  // Of many who need them at once one asks.
  const askOnce = (): Promise<LocalJWKSet> =>
    (asking ??= ask().finally(() => {
      asking = undefined;
    }));
  return {
    async current() {
      return held !== undefined && clock.now() - held.askedAt < keysLifeMs ? held.keys : askOnce();
    },
    async newerThan(keys) {
      const isJustAsked = held !== undefined && clock.now() - held.askedAt < askAgainMs;
      return isJustAsked ? (held?.keys ?? keys) : askOnce();
    },
  };
}

/**
 * Whether an issuer may be believed over this address: TLS says who answers, and on this machine nobody is between.
 * @throws TuttiError USAGE
 */
export function checkIssuer(issuer: string): void {
  if (URL.canParse(issuer) && isSafe(new URL(issuer)) && !/[?#]/u.test(issuer)) return;
  throw new TuttiError("USAGE", `"${issuer}" can't be an issuer`, {
    hint: "Write its address as its tokens have it (`iss`): https://login.example.org/realms/acme",
  });
}

function isSafe({ protocol, hostname }: URL): boolean {
  return protocol === "https:" || (protocol === "http:" && ["localhost", "127.0.0.1", "[::1]"].includes(hostname));
}

async function inTime<Value>(clock: Clock, work: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
  const late = new AbortController();
  const forget = clock.after(answerTimeoutMs, () => late.abort(new Error(`no answer in ${answerTimeoutMs} ms`)));
  try {
    return await work(late.signal);
  } finally {
    forget();
  }
}

/** By discovery, as OpenID Connect has it. */
async function fetchKeys(issuer: string, signal: AbortSignal): Promise<LocalJWKSet> {
  const found = discovery(
    await fetchJson(`${issuer.replace(/\/$/u, "")}/.well-known/openid-configuration`, signal),
    "",
  );
  if (found.issuer !== issuer) throw new Error(`it says that it is ${found.issuer}`);
  if (!URL.canParse(found.jwks_uri) || !isSafe(new URL(found.jwks_uri)))
    throw new Error("its keys are at an address that can't be trusted");
  const { keys } = jwks(await fetchJson(found.jwks_uri, signal), "");
  // What they are for is looked at when one is needed.
  return createLocalJWKSet({ keys: keys.map((key) => ({ kty: "", ...key })) });
}

async function fetchJson(url: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url, { signal, redirect: "error", headers: { accept: "application/json" } });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > answerBytesMax) throw new Error(`${url} answers more than ${answerBytesMax} bytes`);
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString("utf8"));
}

function toUnreachable(issuer: string, cause: unknown): TuttiError {
  return new TuttiError("ISSUER_UNREACHABLE", `the issuer ${issuer} can't be asked for its keys`, {
    hint: "Its tokens are refused until it answers. Check its address, and that this server reaches it.",
    retryAfterMs: failureLifeMs,
    cause,
  });
}
