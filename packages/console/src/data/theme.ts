import { useSyncExternalStore } from "react";

/** How the console is coloured; `system` follows the machine. It belongs to this browser, so it is kept there. */
export type Theme = "system" | "light" | "dark";

const order: readonly Theme[] = ["system", "light", "dark"];
const watchers = new Set<() => void>();
let theme: Theme = order.find((each) => each === localStorage.getItem("tutti-theme")) ?? "system";

export function useTheme(): Theme {
  return useSyncExternalStore(
    (watch) => {
      watchers.add(watch);
      return () => watchers.delete(watch);
    },
    () => theme,
  );
}

export function nextTheme(): void {
  theme = order[(order.indexOf(theme) + 1) % order.length] ?? "system";
  localStorage.setItem("tutti-theme", theme);
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  for (const watch of watchers) watch();
}
