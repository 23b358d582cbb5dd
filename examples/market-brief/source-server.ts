import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import { z } from "zod";

/** `sources.json`: what is asked of whom, and how each source behaves. */
export const Assignment = z.object({
  market: z.string(),
  topics: z.array(z.string()).min(1),
  sources: z.array(
    z.object({
      id: z.string(),
      file: z.string(),
      /** The HTTP status that it answers with; 200 is what one hopes for. */
      answers: z.number().int().default(200),
      delayMs: z.number().int().max(10_000).default(0),
    }),
  ),
});
export type Assignment = z.infer<typeof Assignment>;

export interface SourceServer {
  readonly url: string;
  close(): Promise<void>;
}

/** The sources as services on the network: `GET /<id>` brings a text, late or not at all where `sources.json` says so. */
export async function openSourceServer(folder: string, { sources }: Assignment): Promise<SourceServer> {
  const server = createServer((request, response) => {
    const source = sources.find(({ id }) => request.url === `/${id}`);
    const answer = async (): Promise<void> => {
      if (source === undefined) return void response.writeHead(404).end();
      await wait(source.delayMs, undefined, { ref: false });
      if (source.answers !== 200) return void response.writeHead(source.answers).end();
      response.end(await readFile(path.join(folder, source.file)));
    };
    answer().catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the source server has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
