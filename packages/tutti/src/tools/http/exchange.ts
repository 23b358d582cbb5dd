import { request as requestPlain, type IncomingMessage, type RequestOptions } from "node:http";
import { request as requestSecure } from "node:https";
import type { LookupFunction } from "node:net";

import { describeThrown } from "../../base/errors.ts";
import { ExchangeFault, type FaultStage } from "./exchange-fault.ts";
import { inflate } from "./inflate.ts";

/** One request and its answer: no redirects, no retries. */
export interface Exchange {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
  readonly signal: AbortSignal;
  /** For all of it, from finding the address to the last byte. */
  readonly timeoutMs: number;
  /** The body's limit, also after it was unpacked. */
  readonly bytesMax: number;
  /** Finds the address. With it, the connection is a new one that nobody uses again. */
  readonly lookup?: LookupFunction | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case; repeated ones joined. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * Sends a request and reads the whole answer, whatever its status.
 * @throws ExchangeFault that says how far it came.
 */
export async function exchange(wanted: Exchange): Promise<HttpAnswer> {
  const late = new ExchangeFault("unanswered", `there was no whole answer in ${wanted.timeoutMs} ms`);
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(late), wanted.timeoutMs);
  const signal = AbortSignal.any([wanted.signal, limit.signal]);
  const progress: Progress = { stage: "unsent" };
  try {
    const message = await send(wanted, signal, progress);
    progress.stage = "cut";
    const headers = toHeaders(message);
    const packed = await readBody(message, wanted.bytesMax);
    return { status: message.statusCode ?? 0, headers, body: await inflate(packed, headers, wanted.bytesMax) };
  } catch (error) {
    throw toFault(error, signal, progress);
  } finally {
    clearTimeout(timer);
  }
}

interface Progress {
  stage: FaultStage;
}

function send(wanted: Exchange, signal: AbortSignal, progress: Progress): Promise<IncomingMessage> {
  const secure = wanted.url.protocol === "https:";
  const options: RequestOptions = {
    method: wanted.method,
    headers: { ...wanted.headers, ...toLength(wanted.body) },
    signal,
    ...(wanted.lookup === undefined ? {} : { lookup: wanted.lookup, agent: false }),
  };
  return new Promise((resolve, reject) => {
    const request = (secure ? requestSecure : requestPlain)(wanted.url, options);
    request.once("socket", (socket) => {
      // A connection that is kept open takes the request at once; a new one not before both sides have agreed on it.
      if (request.reusedSocket) progress.stage = "unanswered";
      else
        socket.once(secure ? "secureConnect" : "connect", () => {
          progress.stage = "unanswered";
        });
    });
    request.once("response", resolve);
    request.once("upgrade", (_, socket) => {
      socket.destroy();
      reject(new ExchangeFault("unreadable", "it wants to speak another protocol"));
    });
    // Stays for good: a connection may still break after the answer has begun, and the reader of the body is told of that.
    request.on("error", reject);
    request.end(wanted.body);
  });
}

function toLength(body: Exchange["body"]): Readonly<Record<string, string>> {
  if (body === undefined) return {};
  return { "content-length": String(typeof body === "string" ? Buffer.byteLength(body) : body.byteLength) };
}

async function readBody(message: IncomingMessage, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop closes the connection, so nothing is read beyond the limit.
  for await (const chunk of message) {
    if (!(chunk instanceof Uint8Array)) continue;
    bytes += chunk.byteLength;
    if (bytes > bytesMax) throw new ExchangeFault("too-large", `the answer is larger than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

function toHeaders(message: IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(message.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : (value ?? ""),
    ]),
  );
}

function toFault(error: unknown, signal: AbortSignal, progress: Progress): ExchangeFault {
  if (signal.aborted) {
    const why = signal.reason instanceof ExchangeFault ? signal.reason.message : "it was cancelled";
    return new ExchangeFault(progress.stage, why, signal.reason);
  }
  if (error instanceof ExchangeFault) return error;
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
  // What Node's parser says of an answer that is not HTTP.
  if (code.startsWith("HPE_")) return new ExchangeFault("unreadable", `the answer is not HTTP (${code})`, error);
  if (/^ERR_(?:INVALID|HTTP_INVALID|UNESCAPED)/.test(code))
    return new ExchangeFault("malformed", `the address or a header holds what can't be sent (${code})`);
  return new ExchangeFault(progress.stage, code === "" ? describeThrown(error) : toWords(code), error);
}

const wordsByCode: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the host's address could not be looked up",
  ECONNRESET: "the connection was reset",
  EPIPE: "the connection was closed",
  ETIMEDOUT: "the host does not react",
  EHOSTUNREACH: "there is no way to the host",
  ENETUNREACH: "there is no way to the network",
};

function toWords(code: string): string {
  const words = wordsByCode[code];
  if (words !== undefined) return `${words} (${code})`;
  return /CERT|SSL|TLS|SELF_SIGNED|ALTNAME|EPROTO/.test(code)
    ? `its certificate or encryption is not accepted (${code})`
    : `the connection failed (${code})`;
}
