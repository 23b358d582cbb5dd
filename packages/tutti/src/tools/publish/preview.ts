import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import path from "node:path";

import { describeThrown } from "../../base/errors.ts";
import { wholeFiles, type WholeFiles } from "../whole-files.ts";
import { toPolicy } from "./page-html.ts";
import { assetsFolder, isSlug } from "./page-input.ts";

export interface PreviewOptions {
  /** As given to `publishFolder`. */
  readonly folder: string;
  /** Any free one by default. */
  readonly port?: number;
  readonly imagesFrom?: readonly string[];
}

/** A site on this machine, for the eyes of whoever sits at it. */
export interface Preview extends AsyncDisposable {
  /** `http://127.0.0.1:…/` */
  readonly url: string;
  close(): Promise<void>;
}

const fileBytesMax = 10_000_000;
const mediaTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".gif": "image/gif",
  ".webp": "image/webp",
};

/** Serves a folder of pages on 127.0.0.1, and only what a site consists of. */
export async function openPreview({ folder, port = 0, imagesFrom = [] }: PreviewOptions): Promise<Preview> {
  const files = wholeFiles(folder);
  const policy = `${toPolicy(imagesFrom)}; frame-ancestors 'none'; sandbox`;
  const headers = {
    "content-security-policy": policy,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
  };
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    answer(files, request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500, { ...headers, "content-type": "text/plain; charset=utf-8" });
      response.end(`This page can't be read: ${describeThrown(error)}\n`); // whoever looks sits at this machine
    });
  });
  const answer = async (site: WholeFiles, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    request.resume();
    const found = isOwnHost(request) ? await find(site, request) : undefined;
    const status = found === undefined ? 404 : 200;
    const body = found?.content ?? Buffer.from("There is no such page.\n");
    const type = found?.type ?? "text/plain; charset=utf-8";
    response.writeHead(status, { ...headers, "content-type": type, "content-length": body.length });
    response.end(request.method === "HEAD" ? undefined : body);
  };
  server.listen(port, "127.0.0.1");
  await once(server, "listening"); // rejects with what "error" says, for example a port that is taken
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : port}/`;
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  };
  return { url, close, [Symbol.asyncDispose]: close };
}

// A page elsewhere could point a name of its own at this machine and read through it.
function isOwnHost(request: IncomingMessage): boolean {
  return /^(?:127\.0\.0\.1|localhost)(?::\d+)?$/.test(request.headers.host ?? "");
}

interface Found {
  readonly content: Uint8Array;
  readonly type: string;
}

async function find(site: WholeFiles, { method, url = "" }: IncomingMessage): Promise<Found | undefined> {
  if (method !== "GET" && method !== "HEAD") return undefined;
  const names = toNames(url);
  const type = mediaTypes[path.extname(names?.at(-1) ?? "")];
  if (names === undefined || type === undefined) return undefined;
  const content = await site.read(names, fileBytesMax);
  return content === undefined ? undefined : { content, type };
}

/** `/`, `/slug/`, `/slug/index.html` and `/assets/…`: nothing else leads anywhere, however it is written. */
function toNames(url: string): readonly string[] | undefined {
  const place = url.split(/[?#]/, 1)[0] ?? "";
  if (place === "/" || place === "/index.html") return ["index.html"];
  const [, first = "", second = "", ...more] = place.split("/");
  if (more.length > 0) return undefined;
  if (isSlug(first)) return second === "" || second === "index.html" ? [first, "index.html"] : undefined;
  return first === assetsFolder && /^[0-9a-f]{32}\.(?:png|jpg|gif|webp)$/.test(second) ? [first, second] : undefined;
}
