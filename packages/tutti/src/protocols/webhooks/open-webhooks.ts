import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { describeThrown, isTuttiError, toTuttiError, TuttiError } from "../../base/errors.ts";
import { sha256 } from "../../base/hash.ts";
import type { Published, Topic } from "../../contracts/topic.ts";
import { headerOf, parseCloudEvent, type CloudEvent } from "./cloud-event.ts";

/** Whoever events are published to: an engine. */
export interface Publisher {
  publish(topic: Topic, payload: unknown, options: { readonly id: string }): Promise<Published>;
}

export interface WebhookOptions {
  /** Where a CloudEvent goes, by its `type`. Its data is the payload. */
  readonly topics: Readonly<Record<string, Topic>>;
  /** With it, only requests count that carry the HMAC-SHA256 of their body under this key. */
  readonly signature?: {
    readonly key: string;
    /** The header that holds it in hexadecimal digits, with or without `sha256=`; `x-signature-256` by default. */
    readonly header?: string;
  };
  /** 0 (default) takes a free one. */
  readonly port?: number;
  /** Larger bodies are refused; 1 MB by default. */
  readonly bodyBytesMax?: number;
}

/** A receiver for CloudEvents over HTTP, on the loopback address: put a proxy in front for the world. */
export interface Webhooks {
  readonly url: string;
  close(): Promise<void>;
}

const bodyBytesDefault = 1024 * 1024;
const requestTimeoutMs = 30_000;
const connectionsMax = 256;

/**
 * Listens for CloudEvents and publishes each to the topic of its type, under its source and id: the same event twice is one event.
 * It answers 202 once the event is durable; 400, 401, 404, 405, 413 with the error as JSON; 503 when the ledger would not take it.
 */
export async function openWebhooks(publisher: Publisher, options: WebhookOptions): Promise<Webhooks> {
  const server = createServer({ requestTimeout: requestTimeoutMs }, (request, response) => {
    receive(publisher, options, request).then(
      (published) => answer(response, 202, { kind: published.kind }),
      (error: unknown) => answerError(response, error),
    );
  });
  server.maxConnections = connectionsMax;
  await listen(server, options.port ?? 0);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a server that listens on a port has such an address
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve();
    });
  });
}

async function receive(publisher: Publisher, options: WebhookOptions, request: IncomingMessage): Promise<Published> {
  if (request.method !== "POST")
    throw new Refusal(405, new TuttiError("EVENT_INVALID", "events are posted", { hint: "Use the method POST." }));
  const body = await readBody(request, options.bodyBytesMax ?? bodyBytesDefault);
  if (options.signature !== undefined) checkSignature(options.signature, request, body);
  const event = parseCloudEvent(request.headers, body.toString("utf8"));
  const topic = Object.hasOwn(options.topics, event.type) ? options.topics[event.type] : undefined;
  if (topic === undefined) {
    throw new Refusal(
      404,
      new TuttiError("EVENT_UNKNOWN", "no topic takes events of this type", {
        hint: "Name it in openWebhooks(tutti, { topics: { … } }).",
      }),
    );
  }
  return publisher.publish(topic, event.data, { id: toEventId(event) });
}

/** Source and id together name a CloudEvent. */
function toEventId({ source, id }: CloudEvent): string {
  return `ce-${sha256(`${source.length} ${source} ${id}`)}`;
}

async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- without an encoding a request yields buffers
    const buffer = chunk as Buffer;
    bytes += buffer.length;
    if (bytes > bytesMax) {
      throw new Refusal(
        413,
        new TuttiError("EVENT_INVALID", `the body is larger than ${bytesMax} bytes`, {
          hint: "Send a reference to what is large, or raise bodyBytesMax.",
        }),
      );
    }
    chunks.push(buffer);
  }
  return Buffer.concat(chunks);
}

function checkSignature(
  { key, header = "x-signature-256" }: NonNullable<WebhookOptions["signature"]>,
  request: IncomingMessage,
  body: Buffer,
): void {
  const given = headerOf(request.headers, header.toLowerCase())?.replace(/^sha256=/u, "") ?? "";
  const wanted = createHmac("sha256", key).update(body).digest();
  const isRight = /^[0-9a-f]{64}$/iu.test(given) && timingSafeEqual(Buffer.from(given, "hex"), wanted);
  if (isRight) return;
  throw new Refusal(
    401,
    new TuttiError("EVENT_UNTRUSTED", `the header ${header} holds no valid signature of the body`, {
      hint: "Sign the body with HMAC-SHA256 and the key that both sides know.",
    }),
  );
}

/** An answer that is no success. */
class Refusal extends Error {
  readonly status: number;
  readonly error: TuttiError;

  constructor(status: number, error: TuttiError) {
    super(error.message);
    this.status = status;
    this.error = error;
  }
}

function answerError(response: ServerResponse, thrown: unknown): void {
  const error = thrown instanceof Refusal ? thrown.error : toTuttiError(thrown, "BUG");
  const status = thrown instanceof Refusal ? thrown.status : toStatus(error);
  answer(response, status, { code: error.code, message: describeThrown(error), hint: error.hint });
}

function toStatus(error: TuttiError): number {
  const isSenders = ["EVENT_INVALID", "INPUT_INVALID", "EVENT_UNUSABLE", "SECRET_EXPOSED", "VALUE_NOT_STORABLE"];
  return isTuttiError(error) && isSenders.includes(error.code) ? 400 : 503;
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  // What was not read of a request that is refused is not waited for.
  response.writeHead(status, {
    "content-type": "application/json",
    ...(status === 413 ? { connection: "close" } : {}),
  });
  response.end(JSON.stringify(body));
}
