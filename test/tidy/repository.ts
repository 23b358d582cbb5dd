import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import type { TidyFile } from "./source.ts";

export const root = path.resolve(import.meta.dirname, "../..");

const textFile =
  /(^|\/)(\.[\w.]+|LICENSE|run)$|\.(ts|tsx|mts|mjs|js|json|jsonc|md|css|html|sql|yml|yaml|txt|cedar|sh)$/;

/** Every text file that is, or could be, committed: whatever `.gitignore` does not name. */
export function readRepository(): TidyFile[] {
  const ignored = readIgnored();
  const paths: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
      const place = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.name === ".git" || ignored(place)) continue;
      if (entry.isDirectory()) walk(place);
      else if (entry.isFile() && textFile.test(place)) paths.push(place);
    }
  };
  walk("");
  return paths.toSorted().map((place) => ({ path: place, text: readFileSync(path.join(root, place), "utf8") }));
}

/** Understands what `.gitignore` here uses: names, `*`, and patterns with a slash that start at the root. */
function readIgnored(): (place: string) => boolean {
  const lines = readFileSync(path.join(root, ".gitignore"), "utf8").split("\n");
  const patterns = lines
    .map((line) => line.trim().replace(/\/$/, ""))
    .filter((line) => line !== "" && !line.startsWith("#"));
  return (place) =>
    patterns.some((pattern) =>
      pattern.includes("/")
        ? path.matchesGlob(place, pattern.replace(/^\//, ""))
        : path.matchesGlob(path.posix.basename(place), pattern),
    );
}
