import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a film server is asked, in order: `POST /jobs`, `GET /jobs/…`. */
export type Asked = (line: string, answer: () => void) => void;

/** A service on this machine that makes films as jobs and counts them: what was really ordered, whatever a ledger says. */
export interface JobServer {
  readonly url: string;
  readonly jobs: readonly { readonly id: string; readonly key: string }[];
  readonly asked: readonly string[];
  /** All jobs are ready from now on. */
  finish(): void;
  close(): Promise<void>;
}

/** `onAsked` decides when each question is answered: by default at once. What it never answers hangs. */
export async function openJobServer(onAsked: Asked = (_line, answer) => answer()): Promise<JobServer> {
  const jobs: { id: string; key: string }[] = [];
  const asked: string[] = [];
  let isReady = false;
  const server = createServer((request, response) => {
    const line = `${request.method} ${request.url}`;
    asked.push(line);
    const key = String(request.headers["idempotency-key"] ?? "");
    request.resume().on("end", () => {
      // The order counts when it arrives, whether or not anybody hears of it.
      if (line === "POST /jobs") jobs.push({ id: `job-${jobs.length + 1}`, key });
      onAsked(line, () => answer(line, key, response));
    });
  });
  const answer = (line: string, key: string, response: ServerResponse): void => {
    if (line === "POST /jobs") return send(response, { id: jobs.at(-1)?.id });
    if (line === "GET /jobs") return send(response, { id: jobs.find((job) => job.key === key)?.id });
    if (line.endsWith("/film")) {
      response.writeHead(200, { "content-type": "video/mp4" }).end("\0\0\0\u0018ftypmp42 a film");
      return;
    }
    send(response, { ready: isReady });
  };
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a server that listens on a port has such an address
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    jobs,
    asked,
    finish: () => {
      isReady = true;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}
