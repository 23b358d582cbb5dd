import { systemClock, type Clock } from "../../base/clock.ts";
import { TuttiError } from "../../base/errors.ts";
import { sha256 } from "../../base/hash.ts";
import { toConnectionError, toStatusError, type S3Call } from "./s3-errors.ts";
import { signRequest, type S3Credentials } from "./sign-request.ts";

export interface S3Options {
  /** `https://s3.eu-central-1.amazonaws.com`, or the address of another service that speaks S3. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** Goes before every key: `evidence/`. */
  readonly prefix?: string;
  /** Where the bucket stands in the address: in the `path` (the default), or in the name of the `host`. */
  readonly bucketIn?: "path" | "host";
  /** A function is asked for every request: it may renew what has expired. */
  readonly credentials: S3Credentials | (() => S3Credentials | Promise<S3Credentials>);
  /** Of one object; 64 MB by default. */
  readonly bytesMax?: number;
  /** Of one request; 60,000 by default. */
  readonly timeoutMs?: number;
  /** Turn it off for a service that does not know `If-None-Match` on writes; then the same content is written again. */
  readonly conditionalWrites?: boolean;
  /** Sends the requests; Node's own `fetch` by default. */
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
}

export interface S3Request {
  readonly method: "GET" | "HEAD" | "PUT";
  /** Without the prefix. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly bytesMax: number;
  /** Statuses that are an answer and no error. */
  readonly expects: readonly number[];
}

export interface S3Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** Makes one request of one bucket: signed, with a limit of time and bytes, its faults in the closed vocabulary. Never tries again. */
export type S3Client = (request: S3Request, signal: AbortSignal) => Promise<S3Answer>;

const defaultTimeoutMs = 60_000;
const errorBytesMax = 64_000;

/** @throws TuttiError DEFINITION_INVALID */
export function s3Client(options: S3Options): S3Client {
  const base = toBase(options);
  const prefix = checkPrefix(options.prefix ?? "");
  const { region, timeoutMs = defaultTimeoutMs, clock = systemClock } = options;
  const send = options.fetch ?? fetch;
  return async (request, signal) => {
    signal.throwIfAborted();
    const url = new URL(base);
    url.pathname += request.key === "" ? "" : `${prefix}${request.key}`;
    for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.set(name, value);
    const credentials = typeof options.credentials === "function" ? await options.credentials() : options.credentials;
    const bodyHash = sha256(request.body ?? "");
    const headers = signRequest(
      { method: request.method, url, headers: { ...request.headers, "x-amz-content-sha256": bodyHash }, bodyHash },
      { credentials, region, service: "s3", atMs: clock.now() },
    );
    const call: S3Call = {
      verb: request.method,
      isWrite: request.method === "PUT",
      place: `${url.host}${url.pathname}`,
    };
    const limit = AbortSignal.timeout(timeoutMs);
    try {
      const response = await send(url, {
        method: request.method,
        headers,
        redirect: "manual",
        signal: AbortSignal.any([signal, limit]),
        // A fresh copy over a plain ArrayBuffer, which is what fetch takes.
        ...(request.body === undefined ? {} : { body: new Uint8Array(request.body) }),
      });
      const isExpected = request.expects.includes(response.status);
      const body = await readBody(response, isExpected ? request.bytesMax : errorBytesMax);
      // "Not there" is an answer about an object, not about its bucket.
      const isMissingBucket = response.status === 404 && Buffer.from(body).includes("<Code>NoSuchBucket</Code>");
      if (!isExpected || isMissingBucket) throw toStatusError(call, response, Buffer.from(body).toString("utf8"));
      return { status: response.status, headers: response.headers, body };
    } catch (error) {
      signal.throwIfAborted();
      throw toConnectionError(call, error, limit.aborted ? timeoutMs : undefined);
    }
  };
}

async function readBody(response: Response, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > bytesMax)
      throw new TuttiError("TOOL_ANSWER_INVALID", `the answer is longer than ${bytesMax} bytes`, {
        hint: "Raise the store's bytesMax, if objects may be that large.",
        effect: "none",
        facts: { bytesMax },
      });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
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
