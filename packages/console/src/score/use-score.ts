import { useEffect, useMemo, useSyncExternalStore } from "react";
import type { ScoreNode } from "tutti/client";

import { onRing } from "../data/live.ts";
import { openScoreStore, type ScoreStore, type ScoreView } from "./score-store.ts";

/** The score of a run, followed while it is shown. */
export function useScoreStore(run: string, seq: number | undefined): ScoreStore {
  const store = useMemo(() => openScoreStore(run, seq), [run, seq]);
  useEffect(() => {
    const stop = onRing((entries) => {
      if (entries.length === 0 || entries.some((entry) => entry.run === run)) store.ring();
    });
    return stop;
  }, [run, store]);
  return store;
}

export function useScoreView(store: ScoreStore): ScoreView | undefined {
  return useSyncExternalStore(store.onView, store.view);
}

export function useScoreNode(store: ScoreStore, path: string): ScoreNode | undefined {
  return useSyncExternalStore(
    (watch) => store.onNode(path, watch),
    () => store.node(path),
  );
}
