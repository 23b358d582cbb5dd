import { stat } from "node:fs/promises";
import path from "node:path";

import { TuttiError } from "../../base/errors.ts";
import { sha256 } from "../../base/hash.ts";
import { readSource } from "./read-source.ts";
import type { FoundFile, SkippedSource, Source } from "./source.ts";
import { walkFolder } from "./walk-folder.ts";

export interface Sources {
  /** In the order of their ids, folder by folder. */
  readonly list: readonly Source[];
  /** Nothing is passed over in silence. */
  readonly skipped: readonly SkippedSource[];
  find(id: string): Source | undefined;
}

export interface SourceOptions {
  /** At most so many files in all; 2,000 by default. */
  readonly filesMax?: number;
  /** Files larger than this are passed over; 5 MB by default. */
  readonly bytesMax?: number;
  /** How many folders deep; 12 by default. */
  readonly depthMax?: number;
  /** Also files and folders whose name begins with a dot. */
  readonly hidden?: boolean;
  /** Also `node_modules` folders inside the given ones. A folder that is given itself is always read. */
  readonly nodeModules?: boolean;
  /** Keeps only some files; asked with the path inside the folder. */
  readonly only?: (path: string) => boolean;
}

const sourceLimits = { filesMax: 2_000, bytesMax: 5_000_000, depthMax: 12 } as const;

// Few enough not to run out of file handles, enough to keep a disk busy.
const readersMax = 16;

/**
 * Reads every Markdown, text, HTML and PDF file of the folders (a single file will do, too) into memory as plain text.
 * What can't be read is named in `skipped`, and so is a copy of a document that was read already.
 * @throws TuttiError SOURCE_UNREADABLE when a given folder itself is missing or can't be read.
 */
export async function openSources(folders: readonly string[], options: SourceOptions = {}): Promise<Sources> {
  const skipped: SkippedSource[] = [];
  const files: FoundFile[] = [];
  const names = new Set<string>();
  for (const folder of folders) {
    const name = toFolderName(folder, names);
    files.push(...(await findFiles(folder, name, { options, skipped, taken: files.length })));
  }
  const list = await readAll(files, options.bytesMax ?? sourceLimits.bytesMax, skipped);
  const byId = new Map(list.map((source) => [source.id, source]));
  return { list, skipped, find: (id) => byId.get(id) };
}

// Two folders of one name stay apart: docs, docs-2.
function toFolderName(folder: string, taken: Set<string>): string {
  const base = path.basename(path.resolve(folder)) || "root";
  let name = base;
  for (let count = 2; taken.has(name); count++) name = `${base}-${count}`;
  taken.add(name);
  return name;
}

interface Finding {
  readonly options: SourceOptions;
  readonly skipped: SkippedSource[];
  /** Files that earlier folders brought. */
  readonly taken: number;
}

async function findFiles(folder: string, name: string, { options, skipped, taken }: Finding): Promise<FoundFile[]> {
  const root = path.resolve(folder);
  const found = await stat(root).catch((error: unknown) => {
    throw unreadable(folder, error);
  });
  if (found.isFile()) return [{ id: name, file: root, bytes: found.size }];
  const filesMax = options.filesMax ?? sourceLimits.filesMax;
  const walked = await walkFolder(root, name, {
    filesMax: Math.max(0, filesMax - taken),
    depthMax: options.depthMax ?? sourceLimits.depthMax,
    hidden: options.hidden ?? false,
    nodeModules: options.nodeModules ?? false,
    only: options.only ?? (() => true),
  }).catch((error: unknown) => {
    throw unreadable(folder, error);
  });
  skipped.push(...walked.skipped);
  if (walked.more)
    skipped.push({ path: name, why: `holds more files than the limit of ${filesMax}; the rest was not read` });
  return walked.files;
}

async function readAll(files: readonly FoundFile[], bytesMax: number, skipped: SkippedSource[]): Promise<Source[]> {
  const results: (Source | SkippedSource)[] = [];
  for (let from = 0; from < files.length; from += readersMax) {
    results.push(
      ...(await Promise.all(files.slice(from, from + readersMax).map((file) => readSource(file, bytesMax)))),
    );
  }
  const list: Source[] = [];
  const idByDigest = new Map<string, string>();
  for (const result of results) {
    if ("why" in result) {
      skipped.push(result);
      continue;
    }
    const digest = sha256(result.text);
    const twin = idByDigest.get(digest);
    if (twin === undefined) {
      idByDigest.set(digest, result.id);
      list.push(result);
    } else skipped.push({ path: result.id, why: `says the same as ${twin}` });
  }
  return list;
}

function unreadable(folder: string, cause: unknown): TuttiError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const missing = code === "ENOENT" || code === "ENOTDIR";
  return new TuttiError(
    "SOURCE_UNREADABLE",
    missing ? `there is no folder ${folder}` : `the folder ${folder} can't be read (${String(code)})`,
    { hint: missing ? "Check the path; it is taken from the working folder." : "Check who may read it.", cause },
  );
}
