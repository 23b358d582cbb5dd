import { toStoredError, toTuttiError, TuttiError } from "../../base/errors.ts";
import { sha256 } from "../../base/hash.ts";
import { toRunId, type RunId } from "../../contracts/ids.ts";
import { isOver, openStatuses } from "../../contracts/run-record.ts";
import type { TopicEvent } from "../../contracts/topic.ts";
import { joinLabels, toLabelField } from "../../flow/labels.ts";
import { toBody } from "../../flow/stored-value.ts";
import type { NewRun } from "../../ledger/ledger.ts";
import type { ActiveRuns, Engine } from "../engine-parts.ts";
import { openJournal, type Journal } from "../journal.ts";
import { toNewRun } from "../new-run.ts";
import { openPump, type Pump } from "../pump.ts";
import { toGroups, type EventGroup, type PendingEvent } from "./event-groups.ts";
import { readSubscriptionHistory } from "./subscription-state.ts";
import type { Subscription } from "./subscription.ts";
import { readEvent, readEvents, type Topics } from "./topics.ts";

/** A subscription at work in this process. */
export interface OpenSubscription {
  /** Records what a person says about a parked event, and acts on it. */
  release(event: number, verdict: "retry" | "drop", by: string): Promise<void>;
  close(): Promise<void>;
}

export interface SubscriptionPlace {
  readonly engine: Engine;
  readonly runs: ActiveRuns;
  readonly topics: Topics;
}

/** So many entries of a topic are read at a time. */
const pageEntries = 256;
/** A subscription looks so far beyond the oldest event that it has not acted on; what comes later waits in the topic. */
const pendingMax = 10_000;
/** After so many events that led to nothing, the place in the topic is written down. */
const passedMax = 1_000;

interface Watch extends SubscriptionPlace {
  readonly definition: Subscription;
  readonly journal: Journal;
  readonly pump: Pump;
  /** Events that are to be acted on, by position, oldest first. */
  readonly pending: Map<number, PendingEvent>;
  /** Beyond what was scanned, and done with. */
  readonly done: Set<number>;
  /** Open runs and the key that they hold. */
  readonly open: Map<RunId, string | undefined>;
  scanned: number;
  /** Every event up to here is known to the ledger to be done with. */
  noted: number;
}

/** Takes a subscription up where the ledger says it was. */
export async function openSubscription(place: SubscriptionPlace, definition: Subscription): Promise<OpenSubscription> {
  const { ledger } = place.engine;
  const topic = definition.topic.name;
  const tail = await place.topics.tail(topic);
  const journal = await openJournal(ledger, "subscription", definition.name);
  let history = readSubscriptionHistory(journal.entries);
  if (history !== undefined && history.topic !== topic) throw toOtherTopic(definition, history.topic);
  if (history === undefined) {
    const { from, flow } = definition;
    const after = from === "now" ? tail : from === "beginning" ? 0 : Math.min(from, tail);
    await journal.append({ kind: "subscription-set", key: "", body: toBody({ topic, flow: flow.name, after }) });
    history = { ...emptyHistory, topic, flow: flow.name, through: after };
  }
  const watch: Watch = {
    ...place,
    definition,
    journal,
    pump: openPump(place.engine, `the subscription ${definition.name}`, () => work(watch)),
    pending: new Map(),
    done: new Set(history.done),
    open: new Map(),
    scanned: history.through,
    noted: history.through,
  };
  for (const position of Array.from(history.retried).toSorted((left, right) => left - right)) {
    const { at, key } = await readEvent(ledger, topic, position);
    watch.pending.set(position, { position, at, key });
  }
  const stillOpen = await ledger.listRuns({ flow: definition.flow.name, statuses: openStatuses });
  for (const { id } of stillOpen) {
    if (!history.runs.has(id)) continue;
    hold(watch, id, history.runs.get(id));
    // It may have ended before somebody listened.
    const record = await ledger.findRun(id);
    if (record === undefined || isOver(record.status)) watch.open.delete(id);
  }
  const forget = place.topics.listen(topic, () => watch.pump.wake());
  watch.pump.wake();
  return {
    release: (event, verdict, by) => release(watch, event, { verdict, by }),
    close() {
      forget();
      return watch.pump.close();
    },
  };
}

const emptyHistory = {
  done: new Set<number>(),
  retried: new Set<number>(),
  parked: new Map<number, never>(),
  runs: new Map<RunId, undefined>(),
  acted: 0,
};

function toOtherTopic({ name, topic }: Subscription, before: string): TuttiError {
  return new TuttiError("DEFINITION_INVALID", `the subscription ${name} was one to ${before}, not to ${topic.name}`, {
    hint: "Give the new one another name: its place in the topic is kept under it.",
  });
}

/** Reads on, acts on what is due, and says when it wants to be called again. */
async function work(watch: Watch): Promise<number | undefined> {
  await scan(watch);
  const next = await act(watch);
  await note(watch);
  return next;
}

/** Reads on to the topic's end, or as far as it may look. */
async function scan(watch: Watch): Promise<void> {
  const { definition, pending, done } = watch;
  while (pending.size < pendingMax) {
    const page = await readEvents(watch.engine.ledger, definition.topic.name, {
      after: watch.scanned,
      limit: Math.min(pageEntries, pendingMax - pending.size),
    });
    if (page.next === watch.scanned) return;
    for (const event of page.events) {
      const { position, at, key } = event;
      if (done.delete(position) || pending.has(position)) continue;
      const accepted = await accept(watch, event);
      if (accepted) pending.set(position, { position, at, key });
    }
    watch.scanned = page.next;
    if (pending.size === 0) await note(watch);
  }
}

/** What the filter says. An event that it throws for is parked. */
async function accept(watch: Watch, event: TopicEvent): Promise<boolean> {
  try {
    return watch.definition.accepts(event);
  } catch (error) {
    await park(watch, [event.position], toUnusable(watch, "filter", error));
    return false;
  }
}

function toUnusable({ definition }: Watch, part: string, thrown: unknown): TuttiError {
  return new TuttiError("EVENT_UNUSABLE", `the ${part} of subscription ${definition.name} threw for an event`, {
    hint: "Correct it, open the engine again, and try the event again with tutti.events.retry.",
    cause: thrown,
  });
}

/** Every event up to here is done with. */
function toThrough({ pending, scanned }: Watch): number {
  let oldest = scanned + 1;
  for (const position of pending.keys()) oldest = Math.min(oldest, position);
  return oldest - 1;
}

async function park(watch: Watch, events: readonly number[], error: TuttiError): Promise<void> {
  const through = toThrough(watch);
  const body = toBody({ events, through, error: toStoredError(error) });
  await watch.journal.append({ kind: "event-parked", key: "", body });
  watch.noted = Math.max(watch.noted, through);
}

/** Acts on all groups that are due and may start. Returns when the next one is due. */
async function act(watch: Watch): Promise<number | undefined> {
  const { definition, engine } = watch;
  const now = engine.clock.now();
  // Positions are in order but for events that are tried again, which are older.
  const pending = Array.from(watch.pending.values()).toSorted((left, right) => left.position - right.position);
  const inOrder = definition.order === "per-key" && definition.topic.key !== undefined;
  const busy = new Set(inOrder ? watch.open.values() : []);
  const starting: EventGroup[] = [];
  let next: number | undefined;
  for (const group of toGroups(pending, definition.collect)) {
    if (watch.open.size + starting.length >= definition.openRunsMax) break;
    if (inOrder && busy.has(group.key)) continue;
    if (inOrder) busy.add(group.key);
    if (group.dueAt <= now || definition.collect === undefined) starting.push(group);
    else next = Math.min(next ?? group.dueAt, group.dueAt);
  }
  await Promise.all(starting.map((group) => start(watch, group)));
  // A key that was held up only by these, or by their being parked, may have more.
  return starting.length > 0 ? now : next;
}

/** Starts the run of a group in the same transaction as the entry that says so: never twice, never lost in between. */
async function start(watch: Watch, group: EventGroup): Promise<void> {
  const { engine, journal, pending } = watch;
  let run: NewRun;
  try {
    run = await toReaction(watch, group);
  } catch (error) {
    await park(watch, group.positions, toTuttiError(error, "EVENT_UNUSABLE"));
    for (const position of group.positions) pending.delete(position);
    return;
  }
  const through = toThrough(watch);
  const body = toBody({
    events: group.positions,
    through,
    run: run.id,
    ...(group.key === undefined ? {} : { eventKey: group.key }),
  });
  await journal.append({ kind: "event-acted", key: "", body, starts: run });
  for (const position of group.positions) pending.delete(position);
  watch.noted = Math.max(watch.noted, through);
  hold(watch, run.id, group.key);
  void watch.runs.drive(run.id).catch(engine.onBackgroundError);
}

async function toReaction(watch: Watch, group: EventGroup): Promise<NewRun> {
  const { definition, engine } = watch;
  const { flow, name, topic } = definition;
  const events = await Promise.all(group.positions.map((position) => readEvent(engine.ledger, topic.name, position)));
  let input: unknown;
  try {
    input = definition.toInput(events);
  } catch (error) {
    throw toUnusable(watch, "input", error);
  }
  const id = sha256([topic.name, name, ...events.map((event) => event.id)].join("\n")).slice(0, 16);
  const payer = toLabelField(joinLabels(...events.map(({ labels }) => labels)));
  return toNewRun(flow, { id: toRunId(`${flow.name}-${id}`), input, engine, payer });
}

/** Remembers an open run until it is over, and then looks whether its key has more. */
function hold(watch: Watch, run: RunId, key: string | undefined): void {
  watch.open.set(run, key);
  const forget = watch.runs.onRest(run, (rest) => {
    if (rest.kind !== "over" && rest.kind !== "lost") return;
    forget();
    if (rest.kind === "over") watch.open.delete(run);
    watch.pump.wake();
  });
}

/** Writes down how far it is when many events led to nothing, so that they need not be looked at again. */
async function note(watch: Watch): Promise<void> {
  const through = toThrough(watch);
  if (through - watch.noted < passedMax) return;
  await watch.journal.append({ kind: "events-passed", key: "", body: toBody({ through }) });
  watch.noted = through;
}

async function release(
  watch: Watch,
  event: number,
  said: { readonly verdict: "retry" | "drop"; readonly by: string },
): Promise<void> {
  const { engine, definition, journal } = watch;
  const parked = readSubscriptionHistory(await engine.ledger.read(journal.run))?.parked.get(event);
  if (parked === undefined) {
    throw new TuttiError("EVENT_UNKNOWN", `no event at ${event} is parked for the subscription ${definition.name}`, {
      hint: "`tutti events` lists what is parked.",
      facts: { subscription: definition.name, event },
    });
  }
  await journal.append({ kind: "event-released", key: "", body: toBody({ event, ...said }) });
  if (said.verdict === "drop") return;
  for (const position of parked.events) {
    const { at, key } = await readEvent(engine.ledger, definition.topic.name, position);
    watch.pending.set(position, { position, at, key });
  }
  watch.pump.wake();
}
