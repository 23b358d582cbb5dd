import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";

import { isReadable, toReason, type FoundFile, type SkippedSource } from "./source.ts";

export interface WalkLimits {
  readonly filesMax: number;
  readonly depthMax: number;
  readonly hidden: boolean;
  readonly nodeModules: boolean;
  readonly only: (path: string) => boolean;
}

export interface Walked {
  readonly files: FoundFile[];
  readonly skipped: SkippedSource[];
  /** There were more files than the limit. */
  readonly more: boolean;
}

/**
 * The readable files below a folder, in the order of their names. Links are not followed: they may lead out, or round in a circle.
 * Throws only when the folder itself can't be listed.
 */
export async function walkFolder(root: string, name: string, limits: WalkLimits): Promise<Walked> {
  const files: FoundFile[] = [];
  const skipped: SkippedSource[] = [];
  let more = false;
  let tooDeep = 0;

  const visit = async (folder: string, inside: string, depth: number): Promise<void> => {
    const items = await readdir(folder, { withFileTypes: true });
    for (const item of items.toSorted(byName)) {
      if (more) return;
      const itemPath = inside === "" ? item.name : `${inside}/${item.name}`;
      if (item.isDirectory()) {
        if (!isWanted(item, limits)) continue;
        if (depth >= limits.depthMax) tooDeep += 1;
        else {
          await visit(path.join(folder, item.name), itemPath, depth + 1).catch((error: unknown) => {
            skipped.push({ path: `${name}/${itemPath}`, why: toReason(error) });
          });
        }
      } else if (item.isFile() && isWanted(item, limits) && isReadable(item.name) && limits.only(itemPath)) {
        if (files.length >= limits.filesMax) {
          more = true;
          return;
        }
        const file = path.join(folder, item.name);
        const found = await stat(file).catch((error: unknown) => toReason(error));
        if (typeof found === "string") skipped.push({ path: `${name}/${itemPath}`, why: found });
        else files.push({ id: `${name}/${itemPath}`, file, bytes: found.size });
      }
    }
  };

  await visit(root, "", 1);
  if (tooDeep > 0)
    skipped.push({ path: name, why: `holds ${tooDeep} folders that lie deeper than the limit of ${limits.depthMax}` });
  return { files, skipped, more };
}

function isWanted(item: Dirent, limits: WalkLimits): boolean {
  if (item.name.startsWith(".") && !limits.hidden) return false;
  return item.name !== "node_modules" || !item.isDirectory() || limits.nodeModules;
}

// By code unit, not by locale: the same order on every machine.
function byName(left: Dirent, right: Dirent): number {
  if (left.name === right.name) return 0;
  return left.name < right.name ? -1 : 1;
}
