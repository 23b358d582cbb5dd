import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";

import { must } from "../base/assert.ts";

export interface ProviderRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

export type ProviderAnswer =
  | {
      readonly kind: "answer";
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      /** Text and bytes as they are, anything else as JSON. */
      readonly body: unknown;
    }
  /** An event stream, each event as it stands on the wire; afterwards the stream ends, breaks off, or goes on without a word. */
  | { readonly kind: "events"; readonly events: readonly string[]; readonly after?: "end" | "cut" | "hang" }
  /** Never answers. */
  | { readonly kind: "hang" }
  /** Closes the connection: before anything is sent, or in the middle of the body. */
  | { readonly kind: "cut"; readonly after?: string; readonly chunked?: boolean }
  /** Begins to answer and never comes to an end: with nothing more, or with more and more. */
  | { readonly kind: "endless"; readonly after: string; readonly more?: string }
  /** Sends this instead of an answer in HTTP. */
  | { readonly kind: "raw"; readonly text: string };

/** A provider on this machine that answers as it is told, over real HTTP. */
export interface ProviderServer {
  readonly url: string;
  readonly requests: readonly ProviderRequest[];
  close(): Promise<void>;
}

export interface ProviderServerOptions {
  /** Speaks TLS with it. */
  readonly certificate?: { readonly key: string; readonly cert: string };
  /** `drop`: hangs up on everybody. */
  readonly onConnection?: "drop";
}

export async function openProviderServer(
  answer: (request: ProviderRequest, index: number) => ProviderAnswer,
  options: ProviderServerOptions = {},
): Promise<ProviderServer> {
  const requests: ProviderRequest[] = [];
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    void readBody(incoming).then(
      (body) => {
        const request = { method: incoming.method ?? "", path: incoming.url ?? "", headers: incoming.headers, body };
        requests.push(request);
        respond(outgoing, answer(request, requests.length - 1));
      },
      () => outgoing.destroy(), // the caller left
    );
  };
  const { certificate } = options;
  const server: Server =
    certificate === undefined ? createServer(listener) : createSecureServer({ ...certificate }, listener);
  if (options.onConnection === "drop") server.on("connection", (socket) => socket.destroy());
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = must(asAddress(server.address()), "a listening server has an address");
  return {
    url: `${certificate === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function asAddress(address: AddressInfo | string | null): AddressInfo | undefined {
  return typeof address === "object" && address !== null ? address : undefined;
}

async function readBody(incoming: IncomingMessage): Promise<unknown> {
  let text = "";
  incoming.setEncoding("utf8");
  for await (const chunk of incoming) text += String(chunk);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function respond(outgoing: ServerResponse, answer: ProviderAnswer): void {
  switch (answer.kind) {
    case "hang":
      return;
    case "events":
      void sendEvents(outgoing, answer.events, answer.after ?? "end");
      return;
    case "cut": {
      if (answer.after !== undefined) {
        const length = answer.chunked === true ? {} : { "content-length": "100000" };
        outgoing.writeHead(200, { "content-type": "application/json", ...length });
        outgoing.write(answer.after, () => outgoing.destroy());
      } else outgoing.destroy();
      return;
    }
    case "endless":
      outgoing.writeHead(200, { "content-type": "application/json" });
      outgoing.write(answer.after);
      if (answer.more !== undefined) writeOn(outgoing, answer.more);
      return;
    case "raw":
      outgoing.socket?.end(answer.text);
      return;
    case "answer": {
      const { body } = answer;
      const isPlain = typeof body === "string" || body instanceof Uint8Array;
      outgoing.writeHead(answer.status ?? 200, { "content-type": "application/json", ...answer.headers });
      outgoing.end(isPlain ? body : JSON.stringify(body));
    }
  }
}

async function sendEvents(
  outgoing: ServerResponse,
  events: readonly string[],
  after: "end" | "cut" | "hang",
): Promise<void> {
  outgoing.writeHead(200, { "content-type": "text/event-stream" });
  for (const event of events) {
    await new Promise<void>((resolve) => {
      outgoing.write(event, () => resolve());
    });
  }
  if (after === "end") outgoing.end();
  if (after === "cut") outgoing.destroy();
}

// Whoever has taken so much would take everything; after that it only keeps the line open.
const endlessMax = 50_000_000;

/** As fast as it is taken, until the other side has had enough. */
function writeOn(outgoing: ServerResponse, more: string, written = 0): void {
  let sum = written;
  let isTaken = true;
  while (isTaken && !outgoing.destroyed && sum < endlessMax) {
    isTaken = outgoing.write(more);
    sum += more.length;
  }
  if (sum < endlessMax && !outgoing.destroyed) outgoing.once("drain", () => writeOn(outgoing, more, sum));
}
