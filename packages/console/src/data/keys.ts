import { useEffect, useRef } from "react";

/** What a key does on the present screen. */
export interface Key {
  /** As `KeyboardEvent.key` has it. */
  readonly key: string;
  readonly does: string;
  readonly run: () => void;
}

const layers: { readonly keys: readonly Key[] }[] = [];

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return;
  const { target } = event;
  if (target instanceof HTMLElement && target.closest("input, textarea, select, dialog") !== null) return;
  // The screen in front is asked first.
  for (const { keys } of layers.toReversed()) {
    const found = keys.find(({ key }) => key === event.key);
    if (found === undefined) continue;
    if (found.key === "Enter" && target instanceof HTMLElement && target.closest("a, button") !== null) return;
    event.preventDefault();
    found.run();
    return;
  }
});

/** Every key that does something now, those of the screen in front first. */
export function presentKeys(): readonly Key[] {
  const seen = new Set<string>();
  return layers
    .toReversed()
    .flatMap(({ keys }) => keys)
    .filter(({ key }) => !seen.has(key) && seen.add(key) !== undefined);
}

/** Gives keys a meaning while a component is shown. */
export function useKeys(keys: readonly Key[]): void {
  const layer = useRef({ keys });
  layer.current.keys = keys;
  useEffect(() => {
    const own = layer.current;
    layers.push(own);
    return () => void layers.splice(layers.indexOf(own), 1);
  }, []);
}
