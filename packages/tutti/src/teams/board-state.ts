import { TuttiError } from "../base/errors.ts";
import { fields, anything, text } from "../base/shape.ts";
import { bodyOf, type LedgerEntry } from "../contracts/entry.ts";
import type { RunId } from "../contracts/ids.ts";
import { openStatuses } from "../contracts/run-record.ts";
import { fromStored } from "../flow/stored-value.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { BidderRecord } from "./bidders.ts";

/** Who holds a task, and until when. */
export interface Holding {
  readonly by: string;
  until: number;
}

/** A task that is not done. */
export interface OpenTask {
  readonly run: RunId;
  readonly id: string;
  readonly does: string;
  readonly task: unknown;
  holding: Holding | undefined;
  /** A claim is being written. */
  isClaiming: boolean;
}

interface Loaded {
  readonly tasks: Map<RunId, OpenTask>;
  readonly outcomes: ReadonlyMap<string, BidderRecord>;
}

/** Under what name the tasks of a board stand in the ledger. */
export function toBoardFlow(name: string): string {
  return `board:${name}`;
}

/** How many tasks a board has open at most when it is opened. */
const tasksMax = 100_000;
const doneLookedAtMax = 500;
const work = fields({ does: text }, { task: anything });

/** What the ledger knows of a board: its open tasks, oldest first, and how its bidders did of late. */
export async function loadBoard(ledger: Ledger, name: string): Promise<Loaded> {
  const flow = toBoardFlow(name);
  const records = await ledger.listRuns({ flow, statuses: openStatuses, limit: tasksMax });
  const tasks = new Map<RunId, OpenTask>();
  for (const { id } of records.toReversed()) tasks.set(id, await toTask(ledger, await ledger.read(id)));
  const outcomes = new Map<string, BidderRecord>();
  for (const { id } of await ledger.listRuns({ flow, statuses: ["done"], limit: doneLookedAtMax })) {
    const by = findHolding(await ledger.read(id))?.by;
    if (by === undefined) continue;
    const { done, failed } = outcomes.get(by) ?? { done: 0, failed: 0 };
    outcomes.set(by, { done: done + 1, failed });
  }
  return { tasks, outcomes };
}

async function toTask(ledger: Ledger, entries: readonly LedgerEntry[]): Promise<OpenTask> {
  const [first] = entries;
  if (first === undefined)
    throw new TuttiError("LEDGER_CORRUPT", "a task without entries", { hint: "Run `tutti verify`." });
  const { input, inputRef, flow } = bodyOf(first, "run-started");
  const content = inputRef === undefined ? undefined : await ledger.readBlob(inputRef.hash);
  const blobs = new Map(inputRef === undefined || content === undefined ? [] : [[inputRef.hash, content]]);
  const { does, task } = work(fromStored(input, inputRef, blobs), "task");
  const id = first.run.slice(flow.length + 1);
  return { run: first.run, id, does, task, holding: findHolding(entries), isClaiming: false };
}

function findHolding(entries: readonly LedgerEntry[]): Holding | undefined {
  const last = entries.findLast((entry) => entry.kind === "task-claimed" || entry.kind === "task-released");
  if (last?.kind !== "task-claimed") return undefined;
  const { by, until } = bodyOf(last, last.kind);
  return { by, until };
}
