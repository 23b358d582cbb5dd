import { constants } from "node:fs";
import { link, lstat, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";

import { toShortId } from "../base/chance.ts";
import type { EffectKnowledge } from "../base/error-codes.ts";
import { describeThrown, isTuttiError, TuttiError } from "../base/errors.ts";

/** A folder in which files appear as a whole or not at all, and out of which no name and no link leads. */
export interface WholeFiles {
  readonly folder: string;
  /** Where the names lead to. @throws TuttiError BUG for a name that could lead elsewhere: callers give checked ones. */
  pathOf(names: readonly string[]): string;
  /** Durable when it resolves. Replaces what was there in one instant; several writers may do it at once. */
  write(names: readonly string[], content: Uint8Array | string): Promise<void>;
  /** Like `write`, and false if there is one already: of several at once, one makes it. */
  create(names: readonly string[], content: Uint8Array | string): Promise<boolean>;
  /** Nothing if there is none. @throws TuttiError TOOL_FAILED when it is larger than `bytesMax`. */
  read(names: readonly string[], bytesMax: number): Promise<Buffer | undefined>;
  /** Whether there was one. Durable when it resolves. */
  remove(names: readonly string[]): Promise<boolean>;
  /** The names in a folder, in their order; none if there is no such folder. At most `namesMax`. */
  list(names: readonly string[], namesMax: number): Promise<readonly string[]>;
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** Half-written files live here, never beside whole ones. What a crash leaves is removed by a later writer. */
const unfinished = ".unfinished";
const leftoverAgeMs = 24 * 60 * 60 * 1_000;
const sweepMax = 1_000;

/** Opens nothing and writes nothing until something is asked for. */
export function wholeFiles(folder: string): WholeFiles {
  const root = path.resolve(folder);
  let swept: Promise<void> | undefined;
  const pathOf = (names: readonly string[]): string => path.join(root, ...names.map(checkName));
  const put = async (names: readonly string[], content: Uint8Array | string, place: Placing): Promise<boolean> => {
    const target = pathOf(names);
    let isPlaced = false;
    const work = async (): Promise<boolean> => {
      await makeFolders(root, [unfinished]);
      await makeFolders(root, names.slice(0, -1));
      swept ??= sweep(path.join(root, unfinished)).catch((error: unknown) => {
        swept = undefined;
        throw error;
      });
      await swept;
      const draft = path.join(root, unfinished, `${toShortId()}-${names.at(-1)}`);
      try {
        await writeDraft(draft, content);
        isPlaced = await place(draft, target);
      } finally {
        await rm(draft, { force: true });
      }
      await syncFolder(path.dirname(target));
      return isPlaced;
    };
    // Once it is in its place, others may have seen it, whatever fails after that.
    return guarded({ place: target, verb: "write", effect: () => (isPlaced ? "unknown" : "none") }, work);
  };
  return {
    folder: root,
    pathOf,
    async write(names, content) {
      await put(names, content, async (draft, target) => {
        await refuseLink(target);
        await rename(draft, target);
        return true;
      });
    },
    create: (names, content) => put(names, content, linkIfNew),
    async read(names, bytesMax) {
      const file = pathOf(names);
      return guarded({ place: file, verb: "read" }, async () => {
        if (!(await hasFolders(root, names.slice(0, -1)))) return undefined;
        return readBounded(file, bytesMax);
      });
    },
    async remove(names) {
      const file = pathOf(names);
      return guarded({ place: file, verb: "remove", effect: () => "unknown" }, async () => {
        if (!(await hasFolders(root, names.slice(0, -1)))) return false;
        const isThere = (await lstat(file).catch(undefinedIfMissing)) !== undefined;
        if (!isThere) return false;
        await rm(file, { force: true });
        await syncFolder(path.dirname(file));
        return true;
      });
    },
    async list(names, namesMax) {
      const place = pathOf(names);
      return guarded({ place, verb: "list" }, async () => {
        if (!(await hasFolders(root, names))) return [];
        return (await readdir(place)).toSorted().slice(0, namesMax);
      });
    },
  };
}

type Placing = (draft: string, target: string) => Promise<boolean>;

async function linkIfNew(draft: string, target: string): Promise<boolean> {
  try {
    await link(draft, target);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

function checkName(name: string): string {
  if (namePattern.test(name) || /^\.[a-z]{1,40}$/.test(name)) return name;
  throw new TuttiError("BUG", `broken promise: ${JSON.stringify(name)} was checked before it became a file's name`);
}

async function writeDraft(draft: string, content: Uint8Array | string): Promise<void> {
  const file = await open(draft, "wx", 0o644);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function readBounded(file: string, bytesMax: number): Promise<Buffer | undefined> {
  const opened = await open(file, constants.O_RDONLY | noFollow).catch(undefinedIfMissing);
  if (opened === undefined) return undefined;
  try {
    const { size } = await opened.stat();
    if (size > bytesMax)
      throw new TuttiError("TOOL_FAILED", `${file} has ${size} bytes; ${bytesMax} are allowed`, {
        hint: "Raise the limit of bytes, or read it by other means.",
        facts: { bytes: size, bytesMax },
      });
    return await opened.readFile();
  } finally {
    await opened.close();
  }
}

// Windows has no such flag; there the look at the folders is what is left.
const noFollow = typeof constants.O_NOFOLLOW === "number" ? constants.O_NOFOLLOW : 0;

async function makeFolders(root: string, names: readonly string[]): Promise<void> {
  const firstMade = await mkdir(root, { recursive: true });
  if (firstMade !== undefined)
    for (let made = root; made.length >= firstMade.length; made = path.dirname(made))
      await syncFolder(path.dirname(made));
  let place = root;
  for (const name of names) {
    const parent = place;
    place = path.join(place, name);
    const isNew = await mkdir(place).then(
      () => true,
      (error: unknown) => {
        if (codeOf(error) === "EEXIST") return false;
        throw error;
      },
    );
    if (isNew) await syncFolder(parent);
    else await refuseLink(place);
  }
}

/** False if one is missing. */
async function hasFolders(root: string, names: readonly string[]): Promise<boolean> {
  let place = root;
  for (const name of names) {
    place = path.join(place, name);
    if ((await refuseLink(place)) === "missing") return false;
  }
  return true;
}

async function refuseLink(place: string): Promise<"there" | "missing"> {
  const found = await lstat(place).catch(undefinedIfMissing);
  if (found === undefined) return "missing";
  if (!found.isSymbolicLink()) return "there";
  throw new TuttiError("TOOL_REFUSED", `${place} is a link; it may lead out of its folder`, {
    hint: "Put the file or folder itself there. The folder that is configured may be a link.",
  });
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return; // it can't and needn't open a folder for that
  const opened = await open(folder, "r");
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
}

async function sweep(folder: string): Promise<void> {
  for (const name of (await readdir(folder)).slice(0, sweepMax)) {
    const draft = path.join(folder, name);
    const found = await stat(draft).catch(undefinedIfMissing);
    if (found !== undefined && Date.now() - found.mtimeMs > leftoverAgeMs) await rm(draft, { force: true });
  }
}

function undefinedIfMissing(error: unknown): undefined {
  const code = codeOf(error);
  if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

const refusedCodes: ReadonlySet<unknown> = new Set([
  "EACCES",
  "EPERM",
  "EROFS",
  "ENOTDIR",
  "EISDIR",
  "ELOOP",
  "EEXIST",
]);

interface Guarding {
  readonly place: string;
  readonly verb: string;
  readonly effect?: () => EffectKnowledge;
}

async function guarded<Output>({ place, verb, effect }: Guarding, work: () => Promise<Output>): Promise<Output> {
  try {
    return await work();
  } catch (error) {
    if (isTuttiError(error)) throw error;
    const isRefused = refusedCodes.has(codeOf(error));
    const code = isRefused ? "TOOL_REFUSED" : "TOOL_UNAVAILABLE";
    throw new TuttiError(code, `can't ${verb} ${place}: ${describeThrown(error)}`, {
      hint: isRefused
        ? "Check the folder and who may write there."
        : "Check the disk: its space, and whether it answers.",
      effect: effect?.() ?? "none",
      cause: error,
    });
  }
}
