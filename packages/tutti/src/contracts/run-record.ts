import type { EffectClass } from "./callable.ts";
import type { EffectKey, RunId, StepKey } from "./ids.ts";

/**
 * Where a run stands.
 * `waiting`: for a signal, a time or a child, and costs nothing. `in-doubt`: for somebody to say whether an effect happened.
 * `parked`: its code or its world must be put right first. `paused`: a person stopped it.
 */
export type RunStatus = "running" | "waiting" | "paused" | "in-doubt" | "parked" | "done" | "failed" | "cancelled";

export const openStatuses: readonly RunStatus[] = ["running", "waiting", "paused", "in-doubt", "parked"];

export function isOver(status: RunStatus): boolean {
  return status === "done" || status === "failed" || status === "cancelled";
}

/** How urgent a run is, the least urgent first. `normal` where nothing is said. */
export const priorities = ["low", "normal", "high"] as const;

export type Priority = (typeof priorities)[number];

/** What the ledger knows of a run without reading its entries. */
export interface RunRecord {
  readonly id: RunId;
  readonly flow: string;
  readonly version: string;
  readonly status: RunStatus;
  /** Raised by every driver that claims the run; appends under an older one are refused. */
  readonly epoch: number;
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  /** When a waiting run is due, if it waits for a time. */
  readonly wakeAt: number | undefined;
  readonly parent: RunId | undefined;
  readonly startKey: string | undefined;
}

/**
 * `intended`: written down, its outcome not yet recorded. `settled`: it happened. `failed`: it certainly did not.
 * `in-doubt`: nobody knows. `undone`: it happened and was taken back.
 */
export type EffectState = "intended" | "settled" | "failed" | "in-doubt" | "undone";

/** One action in the outside world, under its key. */
export interface EffectRecord {
  readonly key: EffectKey;
  readonly run: RunId;
  readonly step: StepKey;
  readonly tool: string;
  readonly class: EffectClass;
  /** SHA-256 over the canonical input: the same key with another digest is a conflict. */
  readonly digest: string;
  readonly state: EffectState;
  /** The entry that settled it, once there is one. */
  readonly settledLsn: number | undefined;
}
