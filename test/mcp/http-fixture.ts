import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";

import { onTestFinished } from "vitest";

/** Listens on the loopback address until the test is over; returns the server's address. */
export async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a server that listens on a port has such an address
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

/** Serves a handler of web requests. */
export function listenWith(handle: (request: Request) => Promise<Response>): Promise<string> {
  return listen((incoming, outgoing) => {
    void toRequest(incoming)
      .then(handle)
      .then((response) => answer(outgoing, response));
  });
}

async function toRequest(incoming: IncomingMessage): Promise<Request> {
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) if (typeof value === "string") headers.set(name, value);
  const { method = "GET", url = "/" } = incoming;
  const body = method === "POST" ? { body: await readAll(incoming) } : {};
  return new Request(`http://127.0.0.1${url}`, { method, headers, ...body });
}

async function answer(outgoing: ServerResponse, response: Response): Promise<void> {
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  if (response.body === null) outgoing.end();
  else Readable.fromWeb(response.body).pipe(outgoing);
}

async function readAll(incoming: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of incoming.setEncoding("utf8")) text += String(chunk);
  return text;
}

export interface Received {
  readonly method: string;
  readonly id: number | string | undefined;
  readonly params: Readonly<Record<string, unknown>>;
  readonly headers: IncomingMessage["headers"];
}

/** Does something else than answering a call of a tool. */
export type Misbehave = (outgoing: ServerResponse, received: Received) => void;

export interface RawServer {
  readonly url: string;
  readonly calls: readonly Received[];
  /** How many conversations were begun. */
  readonly begun: () => number;
  /** Knows none of them any more. */
  readonly forget: () => void;
}

/**
 * A server of the protocol before 2026, written without any library, with one tool: `write`, whose calls are kept in `calls`
 * and answered by `misbehave`.
 */
export async function listenAndMisbehave(misbehave: Misbehave): Promise<RawServer> {
  const calls: Received[] = [];
  let begun = 0;
  let session = "";
  const url = await listen((incoming, outgoing) => {
    if (incoming.method !== "POST") {
      outgoing.writeHead(405).end();
      return;
    }
    void readAll(incoming).then((text) => {
      const received = toReceived(text, incoming);
      const { method, headers } = received;
      if (method === "initialize") {
        session = String(++begun);
        outgoing.setHeader("mcp-session-id", session);
      } else if (method !== "server/discover" && headers["mcp-session-id"] !== session) {
        outgoing.writeHead(404).end();
        return;
      }
      if (method === "tools/call") {
        calls.push(received);
        misbehave(outgoing, received);
      } else serve(outgoing, received);
    });
  });
  return {
    url,
    calls,
    begun: () => begun,
    forget() {
      session = "";
    },
  };
}

function toReceived(text: string, { headers }: IncomingMessage): Received {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own client's messages
  const { id, method, params = {} } = JSON.parse(text) as Partial<Received>;
  return { id, method: method ?? "", params, headers };
}

function serve(outgoing: ServerResponse, { id, method, params }: Received): void {
  const inputSchema = { type: "object" };
  const results: Readonly<Record<string, object>> = {
    initialize: {
      protocolVersion: params["protocolVersion"],
      capabilities: { tools: {} },
      serverInfo: { name: "raw", version: "1" },
    },
    "tools/list": { tools: [{ name: "write", description: "Writes.", inputSchema }] },
  };
  if (id === undefined) outgoing.writeHead(202).end();
  else if (results[method] !== undefined) sendResult(outgoing, id, results[method]);
  else sendJson(outgoing, { id, error: { code: -32_601, message: `no method ${method}` } });
}

export function sendResult(outgoing: ServerResponse, id: Received["id"], result: object): void {
  sendJson(outgoing, { id, result });
}

function sendJson(outgoing: ServerResponse, message: object): void {
  outgoing.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ jsonrpc: "2.0", ...message }));
}

/** Begins a stream of events, as an answer that comes later does. */
export function beginStream(outgoing: ServerResponse): void {
  outgoing.writeHead(200, { "content-type": "text/event-stream" });
  outgoing.write(": here it comes\n\n");
}
