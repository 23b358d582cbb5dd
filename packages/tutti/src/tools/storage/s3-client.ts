import type { LookupFunction } from "node:net";

import { systemClock, type Clock } from "../../base/clock.ts";
import { describeThrown, isTuttiError, TuttiError } from "../../base/errors.ts";
import { sha256 } from "../../base/hash.ts";
import type { Secret } from "../../contracts/secret.ts";
import { askHttp } from "../http/ask-http.ts";
import type { HttpAnswer } from "../http/exchange.ts";
import { openKey, type KeyUse, type ServiceKey } from "../http/service-key.ts";
import { explainS3, toS3Code } from "./s3-errors.ts";
import { signRequest, type S3Credentials } from "./sign-request.ts";

export interface S3Options {
  /** `https://s3.eu-central-1.amazonaws.com`, or the address of another service that speaks S3. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** What the ledger calls it; `s3` by default. Needed when a tool has two. */
  readonly name?: string;
  /** Goes before every key: `evidence/`. */
  readonly prefix?: string;
  /** Where the bucket stands in the address: in the `path` (the default), or in the name of the `host`. */
  readonly bucketIn?: "path" | "host";
  /** Each value is read for every request, so that one that was replaced is used at once. A function may renew all three together. */
  readonly credentials: S3Keys | (() => S3Keys | Promise<S3Keys>);
  /** Of one object; 64 MB by default. */
  readonly bytesMax?: number;
  /** Of one request; 60,000 by default. */
  readonly timeoutMs?: number;
  /** Turn it off for a service that does not know `If-None-Match` on writes; then the same content is written again. */
  readonly conditionalWrites?: boolean;
  /** Finds the address of the service; the system's way by default. */
  readonly lookup?: LookupFunction;
  readonly clock?: Clock;
}

/** What proves who asks. The id is no secret, and may be one all the same. */
export interface S3Keys {
  readonly accessKeyId: string | Secret;
  readonly secretAccessKey: ServiceKey;
  readonly sessionToken?: ServiceKey;
}

export interface S3Request {
  readonly method: "GET" | "HEAD" | "PUT";
  /** Without the prefix. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly bytesMax: number;
  /** A status beside 200 to 299 that is an answer about the object and no error. */
  readonly accepts?: number;
}

/** Makes one request of one bucket: signed, with a limit of time and bytes, its faults in the closed vocabulary. Never tries again. */
export type S3Client = (request: S3Request, signal: AbortSignal) => Promise<HttpAnswer>;

const defaultTimeoutMs = 60_000;

/** @throws TuttiError DEFINITION_INVALID */
export function s3Client(options: S3Options): S3Client {
  const base = toBase(options);
  const prefix = checkPrefix(options.prefix ?? "");
  const { name = "s3" } = options;
  return async (request, signal) => {
    const url = new URL(base);
    url.pathname += request.key === "" ? "" : `${prefix}${request.key}`;
    for (const [parameter, value] of Object.entries(request.query ?? {})) url.searchParams.set(parameter, value);
    const credentials = await readKeys(options.credentials, { provider: name, url: url.href, signal });
    const { "x-amz-security-token": token, authorization, ...headers } = sign(request, url, { options, credentials });
    return askHttp({
      provider: name,
      url,
      method: request.method,
      // What is stored is stored unpacked; a length that is asked for has to be the object's.
      headers: request.method === "HEAD" ? { ...headers, "accept-encoding": "identity" } : headers,
      secretHeaders: {
        authorization: authorization ?? "",
        ...(token === undefined ? {} : { "x-amz-security-token": token }),
      },
      secrets: [credentials.secretAccessKey],
      ...(request.body === undefined ? {} : { body: request.body }),
      effect: request.method === "PUT" ? "write" : "read",
      signal,
      timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
      bytesMax: request.bytesMax,
      lookup: options.lookup,
      // "Not there" is an answer about an object, not about its bucket.
      accepts: (answer) => answer.status === request.accepts && toS3Code(answer) !== "NoSuchBucket",
      explain: explainS3,
    });
  };
}

interface Signing {
  readonly options: S3Options;
  readonly credentials: S3Credentials;
}

function sign(request: S3Request, url: URL, { options, credentials }: Signing): Readonly<Record<string, string>> {
  const bodyHash = sha256(request.body ?? "");
  const headers = { ...request.headers, "x-amz-content-sha256": bodyHash };
  const { region, clock = systemClock } = options;
  return signRequest(
    { method: request.method, url, headers, bodyHash },
    { credentials, region, service: "s3", atMs: clock.now() },
  );
}

async function readKeys(given: S3Options["credentials"], use: KeyUse): Promise<S3Credentials> {
  const { accessKeyId, secretAccessKey, sessionToken } =
    typeof given === "function" ? await askKeys(given, use) : given;
  return {
    accessKeyId: typeof accessKeyId === "string" ? accessKeyId : await openKey(accessKeyId, use),
    secretAccessKey: await openKey(secretAccessKey, use),
    ...(sessionToken === undefined ? {} : { sessionToken: await openKey(sessionToken, use) }),
  };
}

async function askKeys(ask: () => S3Keys | Promise<S3Keys>, { provider }: KeyUse): Promise<S3Keys> {
  try {
    return await ask();
  } catch (error) {
    if (isTuttiError(error)) throw error;
    throw new TuttiError("TOOL_REFUSED", `the credentials of ${provider} could not be had: ${describeThrown(error)}`, {
      hint: "Check where the credentials come from.",
    });
  }
}

function toBase({ endpoint, bucket, bucketIn = "path" }: S3Options): URL {
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol))
    throw invalid(`the endpoint ${JSON.stringify(endpoint)} is no address`, "Write it like https://s3.example.org.");
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket))
    throw invalid(
      `${JSON.stringify(bucket)} can't be the name of a bucket`,
      "Use 3 to 63 small letters, digits and hyphens.",
    );
  const base = new URL(endpoint);
  const folder = base.pathname.endsWith("/") ? base.pathname : `${base.pathname}/`;
  if (bucketIn === "path") base.pathname = `${folder}${bucket}/`;
  else {
    base.hostname = `${bucket}.${base.hostname}`;
    base.pathname = folder;
  }
  return base;
}

// Keys are the prefix and a hash, so an address needs no encoding anywhere.
function checkPrefix(prefix: string): string {
  if (/^(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,99}\/){0,10}$/.test(prefix)) return prefix;
  throw invalid(
    `${JSON.stringify(prefix)} can't be a prefix`,
    "Use letters, digits and . _ - between slashes, with one at the end.",
  );
}

function invalid(what: string, hint: string): TuttiError {
  return new TuttiError("DEFINITION_INVALID", `s3Store: ${what}`, { hint });
}
