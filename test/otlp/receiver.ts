import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

import { decodeJson, decodeProtobuf, type ReceivedEvent, type ReceivedSpan } from "./decode.ts";

/** A receiver of OTLP on this machine: keeps what it took, each span once. */
export interface Receiver {
  readonly url: string;
  /** By trace and span id. */
  readonly spans: ReadonlyMap<string, ReceivedSpan>;
  readonly events: readonly ReceivedEvent[];
  /** The paths and headers of the requests, in their order; refused ones too. */
  readonly requests: readonly { readonly path: string; readonly headers: IncomingMessage["headers"] }[];
  /** Resolves when the receiver has so many spans. */
  has(count: number): Promise<void>;
  close(): Promise<void>;
}

export interface ReceiverOptions {
  readonly port?: number;
  /** What it had before it was stopped. */
  readonly spans?: ReadonlyMap<string, ReceivedSpan>;
  /** The status and body of an answer other than "taken"; nothing of that request is kept. */
  readonly refuse?: (request: number, bytes: number, path: string) => Refusal | undefined;
}

export interface Refusal {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export async function openReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const spans = new Map(options.spans);
  const events: ReceivedEvent[] = [];
  const requests: { readonly path: string; readonly headers: IncomingMessage["headers"] }[] = [];
  const waiting = new Set<() => void>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const path = request.url ?? "";
      const packed = Buffer.concat(chunks);
      const bytes = request.headers["content-encoding"] === "gzip" ? gunzipSync(packed) : packed;
      requests.push({ path, headers: request.headers });
      const refusal = options.refuse?.(requests.length, bytes.length, path);
      if (refusal !== undefined) {
        response.writeHead(refusal.status, refusal.headers).end();
        return;
      }
      const isJson = request.headers["content-type"] === "application/json";
      const of = path.endsWith("/v1/logs") ? "logs" : "traces";
      const received = isJson ? decodeJson(bytes.toString("utf8")) : decodeProtobuf(bytes, of);
      for (const span of received.spans) spans.set(`${span.traceId} ${span.spanId}`, span);
      events.push(...received.events);
      response.writeHead(200, { "content-type": isJson ? "application/json" : "application/x-protobuf" });
      response.end(isJson ? "{}" : "");
      for (const look of waiting) look();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a server that listens on a port has such an address
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    events,
    requests,
    has: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (spans.size < count) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
