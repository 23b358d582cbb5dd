import {
  anything,
  fields,
  integer,
  listOf,
  oneOf,
  ShapeError,
  text,
  type Shape,
  type ShapeOf,
} from "../../base/shape.ts";
import { bodyOf, type LedgerEntry } from "../../contracts/entry.ts";
import { planShape } from "./parse-plan.ts";

const byKind = {
  /** A version of the plan, and why there is one. `at`: the path below which its tasks run. */
  "plan-made": fields({ kind: oneOf("plan-made"), version: integer, reason: text, at: text, document: planShape }),
  "plan-refused": fields({ kind: oneOf("plan-refused"), reason: text, problems: listOf(text) }),
  "plan-ended": fields(
    { kind: oneOf("plan-ended"), outcome: oneOf("done", "failed"), versions: integer },
    { why: text },
  ),
  /** It waits although its inputs are there: who keeps it, and over what. */
  "task-held": fields({ kind: oneOf("task-held"), task: text, by: text, resource: text, why: text }),
  "task-kept": fields({ kind: oneOf("task-kept"), task: text }),
  "task-skipped": fields({ kind: oneOf("task-skipped"), task: text, why: text }),
  "task-failed": fields({
    kind: oneOf("task-failed"),
    task: text,
    why: text,
    otherwise: oneOf("fail", "skip", "replan"),
  }),
  "task-in-doubt": fields({ kind: oneOf("task-in-doubt"), task: text, why: text }),
  "task-undone": fields({ kind: oneOf("task-undone"), task: text }),
  "task-stopped": fields({ kind: oneOf("task-stopped"), task: text, why: text }),
} as const;

/** What the ledger is told of a plan beside the steps of its tasks: the data of notes. */
export type PlanEvent = ShapeOf<(typeof byKind)[keyof typeof byKind]>;

const eventShape: Shape<PlanEvent> = (value, path) => {
  const { kind } = fields({ kind: text })(value, path);
  if (!isKind(kind)) throw new ShapeError(`${path}.kind`, "a kind of event of a plan", kind);
  return byKind[kind](value, path);
};

function isKind(kind: string): kind is keyof typeof byKind {
  return Object.hasOwn(byKind, kind);
}

const noteShape = fields({ plan: text, event: anything });

/** The data of a note that says it. */
export function toNoteData(plan: string, event: PlanEvent): unknown {
  return { plan, event };
}

export interface RecordedPlanEvent {
  readonly plan: string;
  /** Where the plan stands in its run. */
  readonly path: string;
  readonly seq: number;
  readonly at: number;
  readonly event: PlanEvent;
}

/**
 * What a run's entries say of its plans, in order. Notes that are about something else are passed over.
 * @throws TuttiError LEDGER_CORRUPT
 */
export async function readPlanEvents(
  entries: readonly LedgerEntry[],
  readBlob: (hash: string) => Promise<string | undefined>,
): Promise<readonly RecordedPlanEvent[]> {
  const events: RecordedPlanEvent[] = [];
  for (const entry of entries) {
    if (entry.kind !== "note-written") continue;
    const { data, dataRef } = bodyOf(entry, "note-written");
    const found = findEvent(dataRef === undefined ? data : await readLarge(readBlob, dataRef.hash));
    if (found === undefined) continue;
    const path = entry.key.slice(0, entry.key.lastIndexOf("/"));
    events.push({ ...found, path, seq: entry.seq, at: entry.at });
  }
  return events;
}

async function readLarge(readBlob: (hash: string) => Promise<string | undefined>, hash: string): Promise<unknown> {
  const blob = await readBlob(hash);
  return blob === undefined ? undefined : JSON.parse(blob);
}

function findEvent(data: unknown): { readonly plan: string; readonly event: PlanEvent } | undefined {
  try {
    const { plan, event } = noteShape(data, "data");
    return { plan, event: eventShape(event, "event") };
  } catch (error) {
    if (error instanceof ShapeError) return undefined; // a note of somebody else
    throw error;
  }
}
