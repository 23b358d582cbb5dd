import { useSyncExternalStore } from "react";
import type { EntryHead, Progress } from "tutti/client";

import { followStream } from "./follow-stream.ts";
import type { LiveBatch, LiveWish } from "./live-batch.ts";

/** What the connection to the server is: nothing yet, there, lost for now, or refused because nobody is signed in. */
export type LiveState = "starting" | "open" | "lost" | "refused";

/** Entries that came since the last frame; none when the connection came back and nobody knows what was missed. */
export type Ring = (entries: readonly EntryHead[]) => void;

/** What goes on now and is in no entry. */
export type Hear = (progress: readonly Progress[]) => void;

const rings = new Set<Ring>();
const hearers = new Set<Hear>();
const watchers = new Set<() => void>();
let state: LiveState = "starting";
let waiting: EntryHead[] = [];
let isDue = false;
/** Beyond it a frame's entries are told as "something came". */
const waitingMax = 10_000;

/** Calls with what came, once per frame. Nothing is lost while the page is hidden: what a screen shows is read anew by position. */
export function onRing(ring: Ring): () => void {
  rings.add(ring);
  return () => rings.delete(ring);
}

/** Calls with what passes, as it comes; what comes while the connection is lost is lost too. */
export function onProgress(hear: Hear): () => void {
  hearers.add(hear);
  return () => hearers.delete(hear);
}

export function useLiveState(): LiveState {
  return useSyncExternalStore(
    (watch) => {
      watchers.add(watch);
      return () => watchers.delete(watch);
    },
    () => state,
  );
}

/** Begins to follow, once somebody is signed in. Returns how to stop. */
export function openLive(): () => void {
  if (typeof SharedWorker === "undefined") return followStream(take);
  const { port } = new SharedWorker(new URL("live-worker.ts", import.meta.url), { type: "module", name: "tutti-live" });
  port.addEventListener("message", ({ data }: MessageEvent<LiveBatch>) => take(data));
  port.start();
  const wish = (what: LiveWish): void => port.postMessage(what);
  wish("follow");
  const leave = (): void => wish("leave");
  addEventListener("pagehide", leave);
  return () => {
    removeEventListener("pagehide", leave);
    leave();
  };
}

function take(batch: LiveBatch): void {
  if (batch.kind === "entries") {
    waiting.push(...batch.entries);
    if (waiting.length > waitingMax) waiting = [];
    askForFrame();
    return;
  }
  if (batch.kind === "progress") {
    for (const hear of hearers) hear(batch.progress);
    return;
  }
  const isBack = batch.state === "open" && state === "lost";
  if (state === batch.state) return;
  state = batch.state;
  for (const watch of watchers) watch();
  if (isBack) askForFrame();
}

function askForFrame(): void {
  if (isDue) return;
  isDue = true;
  const frame = document.visibilityState === "visible" ? requestAnimationFrame : setTimeout;
  frame(() => {
    isDue = false;
    const entries = waiting;
    waiting = [];
    for (const ring of rings) ring(entries);
  });
}
