import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { must } from "../base/assert.ts";

export interface ProviderRequest {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

export type ProviderAnswer =
  | {
      readonly kind: "answer";
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body: unknown;
    }
  /** An event stream, each event as it stands on the wire; afterwards the stream ends, breaks off, or goes on without a word. */
  | { readonly kind: "events"; readonly events: readonly string[]; readonly after?: "end" | "cut" | "hang" }
  /** Never answers. */
  | { readonly kind: "hang" }
  /** Closes the connection: before anything is sent, or in the middle of the body. */
  | { readonly kind: "cut"; readonly after?: string };

/** A model provider on this machine that answers as it is told, over real HTTP. */
export interface ProviderServer {
  readonly url: string;
  readonly requests: readonly ProviderRequest[];
  close(): Promise<void>;
}

export async function openProviderServer(
  answer: (request: ProviderRequest, index: number) => ProviderAnswer,
): Promise<ProviderServer> {
  const requests: ProviderRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    void readBody(incoming).then((body) => {
      const request = { path: incoming.url ?? "", headers: incoming.headers, body };
      requests.push(request);
      respond(outgoing, answer(request, requests.length - 1));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = must(asAddress(server.address()), "a listening server has an address");
  return {
    url: `http://127.0.0.1:${port}`,
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
    case "cut":
      if (answer.after !== undefined) {
        outgoing.writeHead(200, { "content-type": "application/json", "content-length": "100000" });
        outgoing.write(answer.after, () => outgoing.destroy());
      } else outgoing.destroy();
      return;
    case "answer": {
      const body = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body);
      outgoing.writeHead(answer.status ?? 200, { "content-type": "application/json", ...answer.headers });
      outgoing.end(body);
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
