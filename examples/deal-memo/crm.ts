import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { json } from "node:stream/consumers";

import { z } from "zod";

import { Memo, type Account } from "./shapes.ts";

const Filing = z.object({ key: z.string(), memo: Memo });

/** A small CRM over HTTP: accounts to read, and memos filed under them. It files whatever it is told. */
export interface Crm {
  readonly url: string;
  /** In the order in which they came. */
  readonly filed: readonly { readonly id: string; readonly key: string; readonly memo: Memo }[];
  close(): Promise<void>;
}

export async function openCrm(accounts: readonly Account[]): Promise<Crm> {
  const filed: { id: string; key: string; memo: Memo }[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://crm");
    const send = (status: number, body: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    const account = accounts.find(({ id }) => url.pathname === `/accounts/${id}`);
    if (account !== undefined) return send(200, account);
    if (url.pathname !== "/memos") return send(404, { problem: "there is nothing here" });
    const found = filed.find(({ key }) => key === url.searchParams.get("key"));
    if (request.method === "GET") return send(200, found === undefined ? [] : [{ id: found.id }]);
    const filing = await Filing.safeParseAsync(await json(request));
    if (!filing.success) return send(400, { problem: z.prettifyError(filing.error) });
    const id = `M-${filed.length + 1}`;
    filed.push({ id, ...filing.data });
    return send(201, { id });
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the CRM has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    filed,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
