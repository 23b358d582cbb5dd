import { bodyOf, type LedgerEntry } from "../../contracts/entry.ts";

/** Where a step stands on the score. Decided when it is first named, and never changed: what is drawn does not move. */
export interface Place {
  readonly path: string;
  readonly phase: number;
  /** The agent that it belongs to. */
  readonly lane: string;
  /** The entry that first named it. */
  readonly seq: number;
  /** What had ended before it in the same part; what it is inside of, when nothing had. */
  readonly before: string | undefined;
  /** The first entry that is about it itself, and not only about steps below it. */
  ownSeq: number | undefined;
  changedSeq: number;
  /** Steps whose results were handed in. */
  uses: readonly string[];
  documentsWritten: number;
}

export interface PhasePlace {
  readonly number: number;
  readonly path: string;
  readonly part: number;
  readonly isPlain: boolean;
  /** In the order of their first entries. */
  readonly paths: string[];
  changedSeq: number;
}

/** Steps and phases of one run in their places. */
export interface ScorePlaces {
  readonly places: Map<string, Place>;
  readonly phases: PhasePlace[];
  /** The present part of each outermost step's phase. */
  readonly phaseByOutermost: Map<string, PhasePlace>;
  readonly lastEndedByParent: Map<string, string>;
}

/** The lane of what no agent does. */
export const flowLane = "flow";

export function emptyPlaces(): ScorePlaces {
  return { places: new Map(), phases: [], phaseByOutermost: new Map(), lastEndedByParent: new Map() };
}

/** A phase of more steps is continued in another part, so that none is too large to be sent at once. */
const phaseStepsMax = 200;

/** Gives the step of an entry its place, and those around it. */
export function placeEntry(score: ScorePlaces, entry: LedgerEntry): void {
  if (entry.key === "") return;
  const place = reach(score, entry.key, entry);
  place.ownSeq ??= entry.seq;
  touch(score, place, entry.seq);
  if (outcomes.has(entry.kind)) score.lastEndedByParent.set(parentOf(entry.key), entry.key);
  // Parsing costs more than all the rest, and most bodies say nothing of this.
  if (!entry.body.includes('"uses":') && entry.kind !== "document-committed") return;
  switch (entry.kind) {
    case "step-done":
    case "effect-intended":
    case "effect-shared":
    case "agent-started":
    case "child-started":
      noteUses(score, place, bodyOf(entry, entry.kind).uses);
      break;
    case "document-committed": {
      const { uses, writes } = bodyOf(entry, entry.kind);
      noteUses(score, place, uses);
      place.documentsWritten = writes.length;
      break;
    }
    default:
  }
}

/** What was handed in had been there before. */
function noteUses({ places }: ScorePlaces, place: Place, uses: readonly string[] | undefined): void {
  if (uses !== undefined) place.uses = uses.filter((used) => places.has(used));
}

const outcomes: ReadonlySet<string> = new Set([
  "step-done",
  "step-failed",
  "effect-settled",
  "effect-failed",
  "effect-shared",
  "scope-closed",
  "child-settled",
  "timer-fired",
  "document-committed",
]);

export function touch(score: ScorePlaces, place: Place, seq: number): void {
  place.changedSeq = seq;
  const phase = score.phases[place.phase];
  if (phase !== undefined) phase.changedSeq = seq;
}

function reach(score: ScorePlaces, path: string, entry: LedgerEntry): Place {
  const known = score.places.get(path);
  if (known !== undefined) return known;
  const parent = parentOf(path);
  const above = parent === "" ? undefined : reach(score, parent, entry);
  const phase = findPhase(score, path, entry);
  phase.paths.push(path);
  const place: Place = {
    path,
    phase: phase.number,
    lane: toOwnLane(path, entry) ?? above?.lane ?? flowLane,
    seq: entry.seq,
    before: score.lastEndedByParent.get(parent) ?? (above?.ownSeq === undefined ? above?.before : parent),
    ownSeq: undefined,
    changedSeq: entry.seq,
    uses: [],
    documentsWritten: 0,
  };
  phase.changedSeq = entry.seq;
  score.places.set(path, place);
  return place;
}

/** An agent's own lane; its steps come after its beginning, and get theirs from it. */
function toOwnLane(path: string, entry: LedgerEntry): string | undefined {
  return entry.kind === "agent-started" && entry.key === path ? bodyOf(entry, entry.kind).agent : undefined;
}

/** A part of the flow is a phase of its own; plain steps in a row share one. */
function findPhase(score: ScorePlaces, path: string, entry: LedgerEntry): PhasePlace {
  const outermost = outermostOf(path);
  const present = score.phaseByOutermost.get(outermost);
  if (present !== undefined && present.paths.length < phaseStepsMax) return present;
  if (present === undefined) {
    const isPlain = entry.key === outermost && entry.kind !== "agent-started";
    const last = score.phases.at(-1);
    if (isPlain && last?.isPlain === true && last.paths.length < phaseStepsMax) {
      score.phaseByOutermost.set(outermost, last);
      return last;
    }
    return addPhase(score, outermost, { path: outermost, part: 1, isPlain });
  }
  return addPhase(score, outermost, { path: present.path, part: present.part + 1, isPlain: false });
}

function addPhase(
  score: ScorePlaces,
  outermost: string,
  about: Pick<PhasePlace, "path" | "part" | "isPlain">,
): PhasePlace {
  const phase: PhasePlace = { ...about, number: score.phases.length, paths: [], changedSeq: 0 };
  score.phases.push(phase);
  score.phaseByOutermost.set(outermost, phase);
  return phase;
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function outermostOf(path: string): string {
  const end = path.indexOf("/", 1);
  return end < 0 ? path : path.slice(0, end);
}
