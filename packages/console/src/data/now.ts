import { useSyncExternalStore } from "react";

const watchers = new Set<() => void>();
let now = Date.now();
const stepMs = 1_000;

setInterval(() => {
  if (document.visibilityState === "hidden" || watchers.size === 0) return;
  now = Date.now();
  for (const watch of watchers) watch();
}, stepMs);

/** The time, once a second. */
export function useNow(): number {
  return useSyncExternalStore(
    (watch) => {
      watchers.add(watch);
      return () => watchers.delete(watch);
    },
    () => now,
  );
}
