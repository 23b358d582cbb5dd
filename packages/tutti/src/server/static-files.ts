import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { extname, join, sep } from "node:path";

import { TuttiError } from "../base/errors.ts";

/** The files of the console. */
export interface StaticFiles {
  /** The file, or for an address of the console's own its page; nothing when there is no console, or no such file. */
  answer(path: string): Response | undefined;
}

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};

const filesMax = 2_000;
const bytesMax = 32 * 1024 * 1024;

/** Reads the folder once: only what was in it then is ever served, so no address can lead out of it. */
export function openStaticFiles(folder: string | undefined): StaticFiles {
  const files = folder === undefined || !existsSync(join(folder, "index.html")) ? undefined : readFolder(folder);
  const page = files?.get("/index.html");
  return {
    answer(path) {
      if (files === undefined || page === undefined) return undefined;
      const found = files.get(path);
      // A name of a run may look like a file's, but stands deeper.
      const isPage = extname(path) === "" || (path.lastIndexOf("/") > 0 && !path.startsWith("/assets/"));
      if (found === undefined) return isPage ? toResponse(page, "/index.html") : undefined;
      return toResponse(found, path);
    },
  };
}

function readFolder(folder: string): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer>();
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || types[extname(entry.name)] === undefined) continue;
    const file = join(entry.parentPath, entry.name);
    bytes += statSync(file).size;
    if (files.size >= filesMax || bytes > bytesMax)
      throw new TuttiError("USAGE", `${folder} holds more than a console has`, { facts: { filesMax, bytesMax } });
    files.set(`/${file.slice(folder.length).split(sep).filter(Boolean).join("/")}`, readFileSync(file));
  }
  return files;
}

/** Files whose name says their content never change. */
function toResponse(content: Buffer, path: string): Response {
  const isFixed = path.startsWith("/assets/");
  const headers = {
    "content-type": types[extname(path)] ?? "application/octet-stream",
    "cache-control": isFixed ? "public, max-age=31536000, immutable" : "no-cache",
  };
  return new Response(new Uint8Array(content), { headers });
}
