import { useSyncExternalStore } from "react";

const watchers = new Set<() => void>();
let told = { text: "", count: 0 };
let timer: ReturnType<typeof setTimeout> | undefined;
const shownMs = 5_000;

/** Says something for a moment, also to screen readers. */
export function announce(text: string): void {
  clearTimeout(timer);
  told = { text, count: told.count + 1 };
  if (text !== "") timer = setTimeout(() => announce(""), shownMs);
  for (const watch of watchers) watch();
}

export function useAnnounced(): string {
  return useSyncExternalStore(
    (watch) => {
      watchers.add(watch);
      return () => watchers.delete(watch);
    },
    () => told,
  ).text;
}
