import { useSyncExternalStore, type MouseEvent } from "react";

/** Where the page is: the parts of its path, decoded, and its search. Everything that a screen shows is in it, so every view is a link. */
export interface Place {
  readonly parts: readonly string[];
  readonly search: Readonly<Record<string, string>>;
}

const watchers = new Set<() => void>();
let present = readPlace();

addEventListener("popstate", changed);

export function usePlace(): Place {
  return useSyncExternalStore(
    (watch) => {
      watchers.add(watch);
      return () => watchers.delete(watch);
    },
    () => present,
  );
}

export type Search = Readonly<Record<string, string | number | undefined>>;

/** The address of a place. */
export function toHref(parts: readonly string[], search: Search = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (value !== undefined && value !== "") query.set(name, String(value));
  }
  return `/${parts.map((part) => encodeURIComponent(part)).join("/")}${query.size === 0 ? "" : `?${query.toString()}`}`;
}

/** Goes there. `replace`: the place before is not worth coming back to. */
export function goTo(href: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  if (href === location.pathname + location.search) return;
  if (replace) history.replaceState(null, "", href);
  else history.pushState(null, "", href);
  changed();
}

/** Changes some words of the search; nothing takes one away. */
export function changeSearch(change: Search, options?: { readonly replace?: boolean }): void {
  goTo(toHref(present.parts, { ...present.search, ...change }), options);
}

/** The moment of a run that the search names: nothing of what came after this entry is asked for. */
export function toMoment(search: Place["search"]): { readonly seq?: number } {
  const seq = Number(search["seq"]);
  return Number.isInteger(seq) && seq >= 1 ? { seq } : {};
}

/** For links inside the console: a plain click stays in the page. */
export function followLink(event: MouseEvent<HTMLAnchorElement>): void {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  goTo(event.currentTarget.pathname + event.currentTarget.search);
}

function changed(): void {
  present = readPlace();
  for (const watch of watchers) watch();
}

function readPlace(): Place {
  const parts = location.pathname.split("/").filter(Boolean).map(decode);
  return { parts, search: Object.fromEntries(new URLSearchParams(location.search)) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // typed by hand: it names nothing, and the screen says so
  }
}
