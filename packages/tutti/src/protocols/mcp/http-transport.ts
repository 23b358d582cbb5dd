import { StreamableHTTPClientTransport, type FetchLike, type JSONRPCMessage } from "@modelcontextprotocol/client";

import { describeThrown, TuttiError } from "../../base/errors.ts";
import { isNeverConnected } from "../../base/never-connected.ts";
import { streamEndedCode } from "./call-errors.ts";
import { openHeaders } from "./http-headers.ts";
import type { McpAddress } from "./mcp-options.ts";

const defaultRetryMs = 1_000;
const retryMsMax = 3_600_000;

type SendOptions = NonNullable<Parameters<StreamableHTTPClientTransport["send"]>[1]>;

/** Streamable HTTP with a bound for every message, and a clear end for a request whose answer breaks off. */
export class HttpTransport extends StreamableHTTPClientTransport {
  readonly #limit: MessageLimit;

  constructor(address: McpAddress & { readonly name: string }, messageBytesMax: number) {
    const limit: MessageLimit = { bytesMax: messageBytesMax, fault: undefined };
    super(new URL(address.url), { fetch: toBoundedFetch(address, limit) });
    this.#limit = limit;
  }

  /** What the server did that made an answer unreadable, if anything; told once, because the next answer may be fine. */
  takeFault(): TuttiError | undefined {
    const { fault } = this.#limit;
    this.#limit.fault = undefined;
    return fault;
  }

  override send(message: JSONRPCMessage, options: SendOptions = {}): Promise<void> {
    if (!("method" in message) || !("id" in message) || options.onRequestStreamEnd !== undefined) {
      return super.send(message, options);
    }
    const { id } = message;
    // Told after every stream, the answered ones too; an answer to a request that is not open any more is dropped.
    const onRequestStreamEnd = (): void =>
      this.onmessage?.({ jsonrpc: "2.0", id, error: { code: streamEndedCode, message: "the answer broke off" } });
    return super.send(message, { ...options, onRequestStreamEnd });
  }
}

const neverAborted = new AbortController().signal;

interface MessageLimit {
  readonly bytesMax: number;
  fault: TuttiError | undefined;
}

function toBoundedFetch(address: McpAddress & { readonly name: string }, limit: MessageLimit): FetchLike {
  return async (url, init) => {
    const signal = init?.signal ?? neverAborted;
    const own = await openHeaders(address, { provider: address.name, url: String(url), signal });
    const all = new Headers(init?.headers);
    for (const [name, value] of Object.entries(own)) all.set(name, value);
    const response = await reach(url, { ...init, headers: all });
    await refuseBusy(response);
    return toBounded(response, limit);
  };
}

async function reach(url: string | URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    if (init.signal?.aborted === true) throw error;
    const cause = error instanceof Error ? error.cause : undefined;
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    throw isNeverConnected(code)
      ? new TuttiError("TOOL_UNAVAILABLE", `the server can't be reached: ${code}`, { cause: error })
      : new TuttiError("TOOL_INTERRUPTED", `the connection broke: ${describeThrown(cause ?? error)}`, { cause: error });
  }
}

async function refuseBusy({ status, headers, body }: Response): Promise<void> {
  if (status !== 429 && status !== 503) return;
  await body?.cancel();
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  const retryAfterMs = Number.isFinite(seconds) ? Math.min(Math.max(seconds * 1_000, 0), retryMsMax) : defaultRetryMs;
  throw new TuttiError(status === 429 ? "TOOL_RATE_LIMITED" : "TOOL_UNAVAILABLE", `the server answered ${status}`, {
    facts: { status },
    retryAfterMs,
  });
}

/** Ends the body with an error where one message goes on for too long: the whole body, or one event of a stream of them. */
function toBounded(response: Response, limit: MessageLimit): Response {
  if (response.body === null) return response;
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
  let bytes = 0;
  const bound = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      const lastBreak = isStream ? findLastBreak(chunk) : -1;
      bytes = lastBreak === -1 ? bytes + chunk.length : chunk.length - lastBreak;
      if (bytes <= limit.bytesMax) {
        controller.enqueue(chunk);
        return;
      }
      limit.fault = toTooLarge(limit.bytesMax);
      controller.error(limit.fault);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(bound), { status, statusText, headers });
}

/** Where the last line that holds nothing begins; a message of a stream of events ends there. */
function findLastBreak(chunk: Uint8Array): number {
  return Math.max(Buffer.from(chunk).lastIndexOf("\n\n"), Buffer.from(chunk).lastIndexOf("\r\n\r\n"));
}

function toTooLarge(messageBytesMax: number): TuttiError {
  return new TuttiError("TOOL_ANSWER_INVALID", `the server's answer is over ${messageBytesMax} bytes`, {
    hint: "Ask for less at once, or raise `messageBytesMax`.",
  });
}
