import { createHmac } from "node:crypto";

import { sha256 } from "../../base/hash.ts";

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface UnsignedRequest {
  readonly method: string;
  /** With a path that is encoded once, as it will be sent. */
  readonly url: URL;
  /** Lower-case names. All of them are signed, and so is the host. */
  readonly headers: Readonly<Record<string, string>>;
  /** SHA-256 of the body, hexadecimal. */
  readonly bodyHash: string;
}

export interface SigningScope {
  readonly credentials: S3Credentials;
  readonly region: string;
  readonly service: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

/** The headers to send: those of the request, the date, and a signature over them (AWS Signature Version 4, in the `authorization` header). */
export function signRequest(request: UnsignedRequest, scope: SigningScope): Record<string, string> {
  const { credentials, region, service, atMs } = scope;
  const moment = new Date(atMs).toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
  const day = moment.slice(0, 8);
  const headers: Record<string, string> = {
    ...request.headers,
    "x-amz-date": moment,
    ...(credentials.sessionToken === undefined ? {} : { "x-amz-security-token": credentials.sessionToken }),
  };
  const signed = Object.entries({ ...headers, host: request.url.host })
    .map(([name, value]) => [name, value.trim().replaceAll(/ +/g, " ")] as const)
    .toSorted(([left], [right]) => compare(left, right));
  const names = signed.map(([name]) => name).join(";");
  const canonical = [
    request.method,
    request.url.pathname,
    toCanonicalQuery(request.url),
    ...signed.map(([name, value]) => `${name}:${value}`),
    "",
    names,
    request.bodyHash,
  ].join("\n");
  const place = `${day}/${region}/${service}/aws4_request`;
  const key = [day, region, service, "aws4_request"].reduce<string | Buffer>(
    (secret, part) => hmac(secret, part),
    `AWS4${credentials.secretAccessKey}`,
  );
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${moment}\n${place}\n${sha256(canonical)}`).toString("hex");
  const authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${place}, SignedHeaders=${names}, Signature=${signature}`;
  return { ...headers, authorization };
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function toCanonicalQuery(url: URL): string {
  return [...url.searchParams]
    .map(([name, value]) => ({ name: encode(name), value: encode(value) }))
    .toSorted((left, right) => compare(left.name, right.name) || compare(left.value, right.value))
    .map(({ name, value }) => `${name}=${value}`)
    .join("&");
}

// By code unit, as the service does. Joined texts would sort wrong: "a=" comes after "a0=".
function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** Percent-encoding of RFC 3986: everything but letters, digits and `-._~`. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}
