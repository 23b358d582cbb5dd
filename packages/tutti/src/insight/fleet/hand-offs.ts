import type { HandOffLine } from "../../contracts/api/agents.ts";
import type { BodyOf, LedgerEntry } from "../../contracts/entry.ts";
import type { RunNotes } from "./run-notes.ts";

/** How often one gave work or messages to another, for one tenant. Plain data, changed in place. */
export interface HandOff extends HandOffCounts {
  readonly tenant: string | undefined;
  readonly from: string;
  readonly to: string;
}

type HandOffCounts = { -readonly [Name in Exclude<keyof HandOffLine, "from" | "to">]: HandOffLine[Name] };

/** By tenant, from and to. */
export type HandOffs = Map<string, HandOff>;

/** More pairs are not counted: who writes messages chooses the names in them. */
export const pairsMax = 2_000;
/** So many messages of a run may wait for the step that reads them. */
const announcedMax = 500;

/** An entry of a run, and where it is counted. */
interface Place {
  readonly fleet: { readonly handOffs: HandOffs };
  readonly notes: RunNotes;
  readonly entry: LedgerEntry;
}

type Message = Pick<BodyOf<"message-sent">, "from" | "to" | "readBy">;

/** Somebody told somebody something; the step that reads it is work that was given. */
export function noteMessage(place: Place, { from, to, readBy }: Message): void {
  const { handed } = place.notes;
  count(place, { from, to }, "messages");
  if (readBy !== undefined && Object.keys(handed).length < announcedMax)
    handed[readBy] = { from, to, isBegun: false, isCounted: false };
}

/** Work that a message announced was given by its sender; other work by the agent around it, or by the flow. */
export function beginWork(place: Place, to: string): void {
  const { entry, notes } = place;
  const handed = notes.handed[entry.key];
  const from = handed?.from ?? findGiver(notes, entry.key);
  notes.handed[entry.key] = { from, to: handed?.to ?? to, isBegun: true, isCounted: !notes.isTakingOver };
  count(place, { from, to: handed?.to ?? to }, "calls");
}

function findGiver({ handed, flow }: RunNotes, key: string): string {
  for (let slash = key.lastIndexOf("/"); slash > 0; slash = key.lastIndexOf("/", slash - 1)) {
    const above = handed[key.slice(0, slash)];
    if (above?.isBegun === true) return above.to;
  }
  return flow;
}

/** What was given came to its end; `code`: of the error that it ended with. */
export function finishWork(place: Place, code: string | undefined): void {
  const { entry, notes } = place;
  const handed = notes.handed[entry.key];
  if (handed?.isBegun !== true) return;
  delete notes.handed[entry.key];
  if (handed.isCounted) count(place, handed, endOf(code));
}

function endOf(code: string | undefined): "done" | "refused" | "failed" | "cancelled" {
  switch (code) {
    case undefined:
      return "done";
    case "PRECONDITION_FAILED":
      return "refused";
    case "RUN_CANCELLED":
      return "cancelled";
    default:
      return "failed";
  }
}

type Counted = Exclude<keyof HandOffCounts, "lastAt">;

function count(
  { fleet: { handOffs }, notes, entry }: Place,
  pair: { readonly from: string; readonly to: string },
  what: Counted,
): void {
  if (notes.isTakingOver) return; // the run that it was forked from counts for it
  const { tenant } = notes;
  const { from, to } = pair;
  const key = JSON.stringify([tenant ?? null, from, to]);
  let found = handOffs.get(key);
  if (found === undefined) {
    if (handOffs.size >= pairsMax) return;
    found = { tenant, from, to, ...noHandOffs() };
    handOffs.set(key, found);
  }
  found[what] += 1;
  found.lastAt = Math.max(found.lastAt, entry.at);
}

function noHandOffs(): HandOffCounts {
  return { messages: 0, calls: 0, done: 0, refused: 0, failed: 0, cancelled: 0, lastAt: 0 };
}

/** Pairs of one tenant, or of all together; those with the most calls first. */
export function listHandOffs(handOffs: HandOffs, tenant: string | undefined): readonly HandOffLine[] {
  const own = [...handOffs.values()].filter((each) => tenant === undefined || each.tenant === tenant);
  const byPair = Map.groupBy(own, ({ from, to }) => JSON.stringify([from, to]));
  return [...byPair.values()]
    .flatMap((parts) => {
      const [first] = parts;
      if (first === undefined) return [];
      const sum = noHandOffs();
      for (const part of parts) {
        for (const name of counted) sum[name] += part[name];
        sum.lastAt = Math.max(sum.lastAt, part.lastAt);
      }
      return [{ from: first.from, to: first.to, ...sum }];
    })
    .toSorted((left, right) => right.calls - left.calls || right.messages - left.messages);
}

const counted = ["messages", "calls", "done", "refused", "failed", "cancelled"] as const;
