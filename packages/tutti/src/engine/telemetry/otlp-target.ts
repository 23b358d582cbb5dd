import { promisify } from "node:util";
import { gzip } from "node:zlib";

import { isTuttiError, TuttiError } from "../../base/errors.ts";
import { schemaUrl } from "../../insight/otlp/conventions.ts";
import { dialects, type Dialect } from "../../insight/otlp/dialects.ts";
import { eventsToJson, spansToJson } from "../../insight/otlp/encode-json.ts";
import { encodeEvents, encodeSpans } from "../../insight/otlp/encode-protobuf.ts";
import type { Attributes, Origin, Telemetry } from "../../insight/otlp/span.ts";
import { askHttp } from "../../tools/http/ask-http.ts";

/** Where traces go, and as what. */
export interface OtlpOptions {
  /** The address before `/v1/traces`: `http://127.0.0.1:4318`, `https://cloud.langfuse.com/api/public/otel`. */
  readonly url: string;
  /** Keys, and what the receiver wants to know besides. No message shows their values. */
  readonly headers?: Readonly<Record<string, string>>;
  /** `protobuf` (default) is taken everywhere; some take `json` as well. */
  readonly encoding?: "protobuf" | "json";
  /** Says everything in the words of one tool too. */
  readonly dialect?: Dialect;
  /** Sends inputs, outputs and reasons. By default only their hashes and lengths leave. */
  readonly bodies?: boolean;
  /** Who sends: `service.name` is `tutti` unless it is given. */
  readonly resource?: Attributes;
}

/** What became of a delivery that was taken. */
export interface Delivered {
  /** So many spans the receiver took and threw away, by its own account. */
  readonly rejected: number;
  /** It takes no events, and got none. What they say stands on spans too. */
  readonly skippedEvents: number;
}

export interface OtlpTarget {
  /** Sends all of it, in as many requests as are needed. Sending again changes nothing: ids are the same. @throws TuttiError */
  send(telemetry: Telemetry, signal: AbortSignal): Promise<Delivered>;
}

/** A request has at most so many bytes, before it is packed. */
const requestBytesMax = 4 * 1024 * 1024;
const requestItemsMax = 2_000;
const timeoutMs = 30_000;
const answerBytesMax = 64 * 1024;
const tooLarge = 413;
/** How a receiver says that it does not know an address. */
const unknownStatuses: ReadonlySet<unknown> = new Set([404, 405, 501]);

const pack = promisify(gzip);

/** @throws TuttiError DEFINITION_INVALID for what can't work, before anything is sent */
export function openOtlpTarget(options: OtlpOptions): OtlpTarget {
  const { url, headers = {}, encoding = "protobuf" } = options;
  checkOptions(options);
  const origin = toOrigin(options.resource);
  const isJson = encoding === "json";
  let takesEvents = true;

  async function post(path: string, body: string | Uint8Array, signal: AbortSignal): Promise<number> {
    const answer = await askHttp({
      provider: "telemetry",
      url: `${url.replace(/\/+$/u, "")}/v1/${path}`,
      headers: { "content-type": isJson ? "application/json" : "application/x-protobuf", "content-encoding": "gzip" },
      secretHeaders: headers,
      body: await pack(body),
      effect: "read", // by their ids the receiver knows what comes twice
      method: "POST",
      signal,
      timeoutMs,
      bytesMax: answerBytesMax,
    });
    return countRejected(answer.body, answer.headers["content-type"] ?? "");
  }

  /** In halves, where the whole is too much. */
  async function sendAll<Item>(items: readonly Item[], sending: Sending<Item>): Promise<number> {
    if (items.length === 0) return 0;
    const body = sending.encode(items);
    const isTooMuch = items.length > requestItemsMax || body.length > requestBytesMax;
    if (!isTooMuch || items.length === 1) {
      try {
        return await post(sending.path, body, sending.signal);
      } catch (error) {
        if (items.length === 1 || !isTuttiError(error) || error.facts?.["status"] !== tooLarge) throw error;
      }
    }
    const middle = Math.ceil(items.length / 2);
    const first = await sendAll(items.slice(0, middle), sending);
    return first + (await sendAll(items.slice(middle), sending));
  }

  return {
    async send({ spans, events }, signal) {
      const rejected = await sendAll(spans, {
        path: "traces",
        signal,
        encode: (some) => (isJson ? spansToJson(some, origin) : encodeSpans(some, origin)),
      });
      if (!takesEvents || events.length === 0) return { rejected, skippedEvents: events.length };
      try {
        const encode = (some: typeof events): string | Uint8Array =>
          isJson ? eventsToJson(some, origin) : encodeEvents(some, origin);
        const lost = await sendAll(events, { path: "logs", signal, encode });
        return { rejected: rejected + lost, skippedEvents: 0 };
      } catch (error) {
        if (!isTuttiError(error) || !unknownStatuses.has(error.facts?.["status"])) throw error;
        takesEvents = false;
        return { rejected, skippedEvents: events.length };
      }
    },
  };
}

interface Sending<Item> {
  readonly path: string;
  readonly signal: AbortSignal;
  readonly encode: (items: readonly Item[]) => string | Uint8Array;
}

/** Who sends, for requests that are written by hand too. */
export function toOrigin(resource: Attributes = {}): Origin {
  return {
    resource: {
      "service.name": "tutti",
      "telemetry.sdk.name": "tutti",
      "telemetry.sdk.language": "nodejs",
      ...resource,
    },
    scope: { name: "tutti", version: "1", schemaUrl },
  };
}

function checkOptions({ url, encoding, dialect }: OtlpOptions): void {
  const protocol = URL.parse(url)?.protocol;
  if (protocol !== "http:" && protocol !== "https:")
    throw toInvalid("its url is no address of http or https", "Give the address before /v1/traces.");
  if (encoding !== undefined && encoding !== "protobuf" && encoding !== "json")
    throw toInvalid("there is no such encoding", "Use protobuf or json.");
  if (dialect !== undefined && !dialects.includes(dialect))
    throw toInvalid("there is no such dialect", `There are ${dialects.join(", ")}.`);
}

function toInvalid(what: string, hint: string): TuttiError {
  return new TuttiError("DEFINITION_INVALID", `telemetry: ${what}`, { hint });
}

/** How many spans or events an answer says it threw away: ExportTraceServiceResponse, `partial_success.rejected_spans`. */
function countRejected(body: Uint8Array, contentType: string): number {
  if (body.length === 0) return 0;
  if (contentType.includes("json")) {
    const said = /"rejected(?:Spans|LogRecords)"\s*:\s*"?(\d+)/u.exec(Buffer.from(body).toString("utf8"));
    return Number(said?.[1] ?? 0);
  }
  // Field 1 is a message whose field 1 is a number; anything else is no such answer.
  const [outer, , inner] = body;
  if (outer !== 0x0a || inner !== 0x08) return 0;
  let count = 0;
  for (const [place, byte] of body.subarray(3, 12).entries()) {
    count += (byte % 128) * 128 ** place;
    if (byte < 128) break;
  }
  return count;
}
