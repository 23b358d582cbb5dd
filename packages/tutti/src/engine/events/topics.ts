import { TuttiError } from "../../base/errors.ts";
import { bodyOf, type LedgerEntry } from "../../contracts/entry.ts";
import { parseWith } from "../../contracts/schema.ts";
import type { Published, Topic, TopicEvent } from "../../contracts/topic.ts";
import type { OutgoingEvent } from "../../flow/driver.ts";
import { noLabels, toLabelField } from "../../flow/labels.ts";
import { toBlobs } from "../../flow/step.ts";
import { fromStored, toBody, toStoredValue } from "../../flow/stored-value.ts";
import type { Ledger, NewEntry } from "../../ledger/ledger.ts";
import { openCache } from "../cache.ts";
import { openJournal, openSharedJournal, toJournalRun, type Journal } from "../journal.ts";
import { openListeners } from "../listeners.ts";

/** The topics of a ledger: their events and who listens to them in this process. */
export interface Topics {
  /** Resolves when the event is durable. @throws TuttiError INPUT_INVALID, EVENT_UNUSABLE, VALUE_NOT_STORABLE, SECRET_EXPOSED */
  publish(topic: Topic, event: OutgoingEvent): Promise<Published>;
  /** The run that holds the topic, begun if it is new, with those of its entries that are no events. */
  journal(name: string): Promise<Journal>;
  /** The topic's newest position. */
  tail(name: string): Promise<number>;
  /** Calls back after each event that this process publishes; returns the function that forgets it. */
  listen(name: string, listener: (published: Heard) => void): () => void;
}

export interface Heard {
  readonly position: number;
  readonly key: string | undefined;
}

interface OpenTopic {
  readonly journal: Journal;
  tail: number;
}

const eventIdLengthMax = 500;
const eventKeyLengthMax = 500;

export function openTopics(ledger: Ledger): Topics {
  const opened = openCache((name: string) => openTopic(ledger, name));
  const listeners = openListeners<string, Heard>();
  return {
    async publish(topic, event) {
      const { entry, key } = await toEventEntry(topic, event);
      const present = await opened.get(topic.name);
      const appended = await present.journal.append(entry);
      if (appended.kind !== "recorded") return { kind: "repeated" };
      present.tail = Math.max(present.tail, appended.seq);
      listeners.tell(topic.name, { position: appended.seq, key });
      return { kind: "published", position: appended.seq };
    },
    journal: async (name) => (await opened.get(name)).journal,
    tail: async (name) => (await opened.get(name)).tail,
    listen: (name, listener) => listeners.add(name, listener),
  };
}

async function openTopic(ledger: Ledger, name: string): Promise<OpenTopic> {
  const journal = await openJournal(ledger, "topic", name);
  // A topic may be long: what is kept of it is who waits.
  const entries = journal.entries.filter((entry) => entry.kind !== "event-published");
  return { journal: openSharedJournal(ledger, { ...journal, entries }), tail: journal.entries.length };
}

async function toEventEntry(
  topic: Topic,
  event: OutgoingEvent,
): Promise<{ readonly entry: NewEntry; readonly key: string | undefined }> {
  const what = `the payload of an event of ${topic.name}`;
  refuseLong(event.id, "id", eventIdLengthMax);
  const payload = await parseWith(topic.payload, event.payload, { code: "INPUT_INVALID", what });
  const stored = toStoredValue("payload", payload, what);
  const key = toEventKey(topic, payload);
  const fields = {
    id: event.id,
    ...(key === undefined ? {} : { eventKey: key }),
    ...(event.from === undefined ? {} : { from: event.from }),
    ...toLabelField(event.labels ?? noLabels),
  };
  const entry: NewEntry = {
    kind: "event-published",
    key: "",
    body: toBody(fields, stored),
    // No start key of a flow begins so.
    onceKey: `@topic:${topic.name}:${event.id}`,
    ...toBlobs(stored),
  };
  return { entry, key };
}

function toEventKey(topic: Topic, payload: unknown): string | undefined {
  if (topic.key === undefined) return undefined;
  let key: unknown;
  try {
    key = topic.key(payload);
  } catch (error) {
    throw new TuttiError("EVENT_UNUSABLE", `the key of an event of ${topic.name} can't be told`, {
      hint: "`key` of topic() threw; it must answer for every payload that fits the schema.",
      cause: error,
    });
  }
  if (typeof key !== "string") {
    throw new TuttiError("EVENT_UNUSABLE", `the key of an event of ${topic.name} is no text`, {
      hint: "`key` of topic() must return a string.",
    });
  }
  refuseLong(key, "key", eventKeyLengthMax);
  return key;
}

function refuseLong(text: string, what: string, lengthMax: number): void {
  if (text.length > 0 && text.length <= lengthMax) return;
  throw new TuttiError("INPUT_INVALID", `an event's ${what} has 1 to ${lengthMax} characters, not ${text.length}`, {
    hint: "Take what its source calls it, or a hash of that.",
  });
}

/** Events of a topic after a position, at most `limit` entries further. `next` is where to read on. */
export interface EventPage {
  readonly events: readonly TopicEvent[];
  readonly next: number;
}

/** Reads on in a topic. Entries that are no events are passed over. @throws TuttiError LEDGER_CORRUPT */
export async function readEvents(
  ledger: Ledger,
  topic: string,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<EventPage> {
  const entries = await ledger.read(toJournalRun("topic", topic), after + 1, limit);
  const events: TopicEvent[] = [];
  for (const entry of entries) if (entry.kind === "event-published") events.push(await toEvent(ledger, topic, entry));
  return { events, next: after + entries.length };
}

/** One event. @throws TuttiError EVENT_UNKNOWN */
export async function readEvent(ledger: Ledger, topic: string, position: number): Promise<TopicEvent> {
  const { events } = await readEvents(ledger, topic, { after: position - 1, limit: 1 });
  const [event] = events;
  if (event !== undefined) return event;
  throw new TuttiError("EVENT_UNKNOWN", `topic ${topic} has no event at ${position}`, {
    hint: "`tutti events` lists them.",
    facts: { topic, position },
  });
}

async function toEvent(ledger: Ledger, topic: string, entry: LedgerEntry): Promise<TopicEvent> {
  const { id, eventKey, from, labels = noLabels, payload, payloadRef } = bodyOf(entry, "event-published");
  const content = payloadRef === undefined ? undefined : await ledger.readBlob(payloadRef.hash);
  const blobs = new Map(content === undefined || payloadRef === undefined ? [] : [[payloadRef.hash, content]]);
  return {
    topic,
    position: entry.seq,
    id,
    key: eventKey,
    at: entry.at,
    payload: fromStored(payload, payloadRef, blobs),
    labels,
    from,
  };
}
