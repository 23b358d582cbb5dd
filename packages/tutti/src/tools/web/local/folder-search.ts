import type { SearchProvider } from "../web-search.ts";
import { openLocalSearch, type LocalSearch, type LocalSearchOptions } from "./local-search.ts";

/** The same as `openLocalSearch`, read and indexed at the first search; what is put there later is found after a restart. */
export function folderSearch(
  folders: readonly string[],
  { name = "local", ...options }: LocalSearchOptions = {},
): SearchProvider {
  let opened: Promise<LocalSearch> | undefined;
  const open = (): Promise<LocalSearch> => {
    opened ??= openLocalSearch(folders, { name, ...options }).catch((error: unknown) => {
      opened = undefined; // the folder may be there at the next search
      throw error;
    });
    return opened;
  };
  return { name, run: async (input, host) => (await open()).run(input, host) };
}
