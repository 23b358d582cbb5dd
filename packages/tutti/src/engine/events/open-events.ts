import { toShortId } from "../../base/chance.ts";
import { TuttiError } from "../../base/errors.ts";
import type { Topic, TopicEvent } from "../../contracts/topic.ts";
import { untrusted } from "../../flow/labels.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { openCache } from "../cache.ts";
import type { ActiveRuns, Engine } from "../engine-parts.ts";
import { findTail, toJournalFlow, toJournalRun } from "../journal.ts";
import type { EventPart, SubscriptionStatus } from "./events.ts";
import { openSubscription, type OpenSubscription } from "./open-subscription.ts";
import { readSubscriptionHistory, type ParkedEvents } from "./subscription-state.ts";
import type { Subscription } from "./subscription.ts";
import { openTopics, readEvents } from "./topics.ts";
import { openWaiters } from "./waiters.ts";

const eventsMaxDefault = 100;
const eventsMaxMost = 10_000;

/** Takes up all subscriptions, and all runs that wait for an event. */
export async function openEvents(
  engine: Engine,
  runs: ActiveRuns,
  subscriptions: readonly Subscription[],
): Promise<EventPart> {
  const { ledger } = engine;
  const topics = openTopics(ledger);
  const place = { engine, runs, topics };
  const waiters = openCache((topic: string) => openWaiters(place, topic));
  const open = new Map<string, OpenSubscription>();
  for (const known of await ledger.listRuns({ flow: toJournalFlow("topic") }))
    await waiters.get(known.id.slice(toJournalRun("topic", "").length));
  for (const definition of subscriptions) open.set(definition.name, await openSubscription(place, definition));
  const find = (name: string): OpenSubscription => {
    const found = open.get(name);
    if (found !== undefined) return found;
    throw new TuttiError("EVENT_UNKNOWN", `this engine has no subscription ${name}`, {
      hint: "Pass it to openTutti({ on: [...] }).",
    });
  };
  return {
    publish: (topic: Topic, payload, id = toShortId()) => topics.publish(topic, { payload, id, labels: [untrusted] }),
    emit: (topic, event) => topics.publish(topic, event),
    awaitEvent: async (wanted) => (await waiters.get(wanted.topic)).add(wanted),
    retry: (subscription, event, by) => find(subscription).release(event, "retry", by),
    drop: (subscription, event, by) => find(subscription).release(event, "drop", by),
    async close() {
      await Promise.all(Array.from(open.values(), (subscription) => subscription.close()));
      for (const each of await waiters.all()) await each.close();
    },
  };
}

/** Events of a topic in their order. @throws TuttiError INPUT_INVALID */
export async function listEvents(
  ledger: Ledger,
  topic: string,
  { after = 0, limit = eventsMaxDefault }: { readonly after?: number; readonly limit?: number },
): Promise<readonly TopicEvent[]> {
  if (!(Number.isSafeInteger(limit) && limit >= 1 && limit <= eventsMaxMost)) {
    throw new TuttiError("INPUT_INVALID", `events are read 1 to ${eventsMaxMost} at a time, not ${limit}`, {
      hint: "Read on with `after` of the last event's position.",
    });
  }
  const events: TopicEvent[] = [];
  let at = after;
  while (events.length < limit) {
    const page = await readEvents(ledger, topic, { after: at, limit: limit - events.length });
    if (page.next === at) break;
    events.push(...page.events);
    at = page.next;
  }
  return events;
}

/** Every subscription that the ledger knows, by name. */
export async function listSubscriptions(ledger: Ledger): Promise<readonly SubscriptionStatus[]> {
  const records = await ledger.listRuns({ flow: toJournalFlow("subscription") });
  const statuses: SubscriptionStatus[] = [];
  for (const { id } of records) {
    const history = readSubscriptionHistory(await ledger.read(id));
    if (history === undefined) continue;
    const tail = await findTail(ledger, toJournalRun("topic", history.topic));
    statuses.push({
      name: id.slice(toJournalRun("subscription", "").length),
      topic: history.topic,
      flow: history.flow,
      position: history.through,
      tail,
      acted: history.acted,
      parked: toParkedList(history.parked),
    });
  }
  return statuses.toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

/** Each group once. */
function toParkedList(parked: ReadonlyMap<number, ParkedEvents>): readonly ParkedEvents[] {
  return Array.from(parked).flatMap(([event, group]) => (group.events[0] === event ? [group] : []));
}

/** The names of all topics of a ledger. */
export async function listTopics(ledger: Ledger): Promise<readonly string[]> {
  const records = await ledger.listRuns({ flow: toJournalFlow("topic") });
  return records.map(({ id }) => id.slice(toJournalRun("topic", "").length)).toSorted();
}
