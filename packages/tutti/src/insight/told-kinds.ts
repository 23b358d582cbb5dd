import type { EntryKind } from "../contracts/entry.ts";

/** Kinds that a tree of steps does not show: of runs that the engine itself writes, and those of which a step's own entries say more. */
const untold = [
  "value-drawn",
  "event-published",
  "event-awaited",
  "event-handed",
  "subscription-set",
  "event-acted",
  "event-parked",
  "events-passed",
  "event-released",
  "schedule-set",
  "schedule-fired",
  "schedule-skipped",
  "schedule-parked",
  "freeze-set",
  "freeze-lifted",
  "command-answered",
  "erasure-ordered",
  "budget-reserved",
  "budget-settled",
  "approval-voted",
  "approval-used",
  "effect-shadowed",
  "autonomy-granted",
  "autonomy-capped",
  "autonomy-withdrawn",
  "autonomy-proposed",
  "sampling-set",
  "output-sampled",
] as const satisfies readonly EntryKind[];

/** Kinds that say something about a step, or the run as a whole. */
export type Told = Exclude<EntryKind, (typeof untold)[number]>;

export function isTold(kind: EntryKind): kind is Told {
  return !untoldKinds.has(kind);
}

const untoldKinds: ReadonlySet<EntryKind> = new Set(untold);
