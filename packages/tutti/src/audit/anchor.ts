import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, realpathSync, writeSync } from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";

import { describeThrown, TuttiError } from "../base/errors.ts";
import { toAnchorFailed, type Anchor } from "./anchor-port.ts";
import { parseLogNote, type ParsedNote } from "./checkpoint.ts";
import { toGitAnchor } from "./git-anchor.ts";
import { splitNotes } from "./signed-note.ts";

const requestTimeoutMs = 10_000;
const contentBytesMax = 64 * 1024 * 1024;

/**
 * `https://…`: notes are added with POST and read with GET, as text. `git:<folder>`: each note is a commit in that repository. Anything
 * else is a file, to which notes are appended.
 * @throws TuttiError USAGE for a file beside the ledger: who can change the one can change the other
 */
export function parseAnchor(named: string, ledgerFile: string): Anchor {
  if (/^https?:\/\//u.test(named)) return toHttpAnchor(named);
  if (!named.startsWith(gitPrefix)) return toFileAnchor(named, toOutside(named, named, ledgerFile));
  return toGitAnchor(named, toOutside(named, named.slice(gitPrefix.length), ledgerFile));
}

/** What an anchor keeps of one ledger's logs, or of any. @throws TuttiError ANCHOR_FAILED also for what is not a note */
export async function readAnchor(anchor: Anchor, signal: AbortSignal): Promise<readonly ParsedNote[]> {
  return (await anchor.read(signal)).map((raw) => {
    const parsed = parseLogNote(raw);
    if (parsed !== undefined) return parsed;
    throw toAnchorFailed(anchor.name, "it holds something that is not a note of Tutti");
  });
}

const gitPrefix = "git:";

/** Where the path truly leads. @throws TuttiError USAGE */
function toOutside(named: string, path: string, ledgerFile: string): string {
  const place = toTrueFile(path);
  if (!place.startsWith(`${dirname(ledgerFile)}${sep}`)) return place;
  throw new TuttiError("USAGE", `${named} stands in the ledger's own folder`, {
    hint: "Name a place on another disk, on a share, or in another account: who can change the ledger must not reach it.",
    facts: { path: place },
  });
}

function toFileAnchor(named: string, file: string): Anchor {
  return {
    name: named,
    read: async () => (existsSync(file) ? guard(named, () => splitNotes(readFileSync(file, "utf8"))) : []),
    async publish(note) {
      guard(named, () => {
        mkdirSync(dirname(file), { recursive: true });
        const descriptor = openSync(file, "a");
        try {
          writeSync(descriptor, `${note}\n`);
          fsyncSync(descriptor);
        } finally {
          closeSync(descriptor);
        }
      });
    },
  };
}

/** Links resolved as far as the path exists, so that no other name of the ledger's folder passes. */
function toTrueFile(named: string): string {
  const file = resolve(named);
  if (existsSync(file)) return realpathSync(file);
  return dirname(file) === file ? file : join(toTrueFile(dirname(file)), basename(file));
}

function guard<Result>(name: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw toAnchorFailed(name, describeThrown(error), error);
  }
}

function toHttpAnchor(address: string): Anchor {
  return {
    name: address,
    async read(signal) {
      const response = await ask(address, { method: "GET" }, signal);
      return response === undefined ? [] : splitNotes(response);
    },
    async publish(note, signal) {
      await ask(
        address,
        { method: "POST", body: note, headers: { "content-type": "text/plain; charset=utf-8" } },
        signal,
      );
    },
  };
}

/** The answer's text; `undefined` for 404 to a GET: nothing is kept yet. */
async function ask(address: string, request: RequestInit, signal: AbortSignal): Promise<string | undefined> {
  try {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]);
    const response = await fetch(address, { ...request, redirect: "error", signal: limited });
    if (response.status === 404 && request.method === "GET") return undefined;
    if (!response.ok) throw toAnchorFailed(address, `it answered ${response.status}`);
    return await readLimited(response, address);
  } catch (error) {
    if (error instanceof TuttiError) throw error;
    throw toAnchorFailed(address, describeThrown(error), error);
  }
}

async function readLimited(response: Response, address: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.byteLength;
    if (bytes > contentBytesMax) throw toAnchorFailed(address, `it sent more than ${contentBytesMax} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}
