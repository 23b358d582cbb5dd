import { TuttiError } from "../base/errors.ts";
import type { Topic, TopicEvent } from "../contracts/topic.ts";
import { openCache } from "./cache.ts";
import type { ActiveRuns, Engine } from "./engine-parts.ts";
import type { EventPart, Events } from "./events/events.ts";
import type { Subscription } from "./events/subscription.ts";
import { toJournalFlow } from "./journal.ts";
import type { SchedulePart } from "./schedules/open-schedules.ts";
import type { Schedule } from "./schedules/schedule.ts";
import type { Schedules } from "./schedules/schedules.ts";
import type { Tutti } from "./tutti.ts";

/** What starts runs besides people: events and the clock. */
export interface Triggers extends Pick<Tutti, "publish" | "events" | "schedules"> {
  /** Loads what is needed for events, when something needs it. */
  loadEvents(): Promise<EventPart>;
  /** Takes up subscriptions, schedules and, when recovering, runs that wait for events. */
  open(isRecovering: boolean): Promise<void>;
  close(): Promise<void>;
}

export interface Declared {
  readonly on: readonly Subscription[];
  readonly schedules: readonly Schedule[];
}

/** @throws TuttiError DEFINITION_INVALID for two of one name */
export function toTriggers(engine: Engine, runs: ActiveRuns, { on, schedules }: Declared): Triggers {
  refuseTwins(on, "subscriptions");
  refuseTwins(schedules, "schedules");
  const parts = openCache<"events", EventPart>(() =>
    import("./events/open-events.ts").then(({ openEvents }) => openEvents(engine, runs, on)),
  );
  const scheduleParts = openCache<"schedules", SchedulePart>(() =>
    import("./schedules/open-schedules.ts").then(({ openSchedules }) => openSchedules(engine, runs, schedules)),
  );
  const loadEvents = (): Promise<EventPart> => parts.get("events");
  return {
    loadEvents,
    async publish(topic, payload, { id } = {}) {
      return (await loadEvents()).publish(topic, payload, id);
    },
    events: toEvents(engine, loadEvents),
    schedules: toSchedules(engine, () => scheduleParts.get("schedules")),
    async open(isRecovering) {
      const known = isRecovering ? await engine.ledger.listRuns({ flow: toJournalFlow("topic"), limit: 1 }) : [];
      if (on.length > 0 || known.length > 0) await loadEvents();
      if (schedules.length > 0) await scheduleParts.get("schedules");
    },
    async close() {
      for (const part of [...(await scheduleParts.all()), ...(await parts.all())]) await part.close();
    },
  };
}

const reader = () => import("./events/open-events.ts");

function toEvents({ ledger }: Engine, loadEvents: () => Promise<EventPart>): Events {
  return {
    topics: async () => (await reader()).listTopics(ledger),
    read: async <Payload>(topic: Topic<Payload>, range = {}) =>
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parsed by the topic's schema when it was published
      (await (await reader()).listEvents(ledger, topic.name, range)) as readonly TopicEvent<Payload>[],
    subscriptions: async () => (await reader()).listSubscriptions(ledger),
    retry: async (subscription, position, by = "a person") => (await loadEvents()).retry(subscription, position, by),
    drop: async (subscription, position, by = "a person") => (await loadEvents()).drop(subscription, position, by),
  };
}

function toSchedules(engine: Engine, load: () => Promise<SchedulePart>): Schedules {
  return {
    async list() {
      const { listSchedules } = await import("./schedules/open-schedules.ts");
      return listSchedules(engine.ledger, engine.clock.now());
    },
    pause: async (schedule, by = "a person") => (await load()).find(schedule).pause(by),
    resume: async (schedule, by = "a person") => (await load()).find(schedule).resume(by),
  };
}

function refuseTwins(named: readonly { readonly name: string }[], what: string): void {
  const seen = new Set<string>();
  for (const { name } of named) {
    if (seen.has(name))
      throw new TuttiError("DEFINITION_INVALID", `two ${what} are named ${name}`, { hint: "Give one another name." });
    seen.add(name);
  }
}
