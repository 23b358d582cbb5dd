import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

/** Everything that a run of the bench leaves: not committed. */
export const resultsFolder = join(import.meta.dirname, "results");

/** A new folder on the same disk for every cell. */
export function makeFolder(name: string): string {
  mkdirSync(join(resultsFolder, "data"), { recursive: true });
  return mkdtempSync(join(resultsFolder, "data", `${name}-`));
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

export function folderBytes(folder: string): number {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return names.reduce((sum, name) => {
    const found = statSync(join(folder, name), { throwIfNoEntry: false });
    return sum + (found?.isFile() === true ? found.size : 0);
  }, 0);
}

/** What this process has handed to write() so far; 0 where the system does not say. */
export function bytesWritten(): number {
  try {
    return Number(/wchar: (\d+)/.exec(readFileSync("/proc/self/io", "utf8"))?.[1] ?? 0);
  } catch {
    return 0; // not Linux
  }
}
