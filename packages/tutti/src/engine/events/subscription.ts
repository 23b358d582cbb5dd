import { TuttiError } from "../../base/errors.ts";
import type { Flow } from "../../contracts/run.ts";
import type { Topic, TopicEvent } from "../../contracts/topic.ts";
import { refuseEventName } from "../../flow/topic.ts";

/** Which events become one run together, per key of their topic. At least one of the two times is needed. */
export interface Collect {
  /** Acts when no further event came for so long: debounce. */
  readonly quietMs?: number;
  /** Acts so long after the first event, whatever comes. */
  readonly windowMs?: number;
  /** Acts as soon as there are so many; 1,000 unless said otherwise, which is also the most. */
  readonly eventsMax?: number;
}

interface Reaction<Payload, Input> {
  /** Names its place in the topic: another name starts anew. */
  readonly name: string;
  readonly topic: Topic<Payload>;
  readonly flow: Flow<Input>;
  /** Events that it says no to are passed over. Must depend on the event alone. */
  readonly filter?: (payload: NoInfer<Payload>, event: TopicEvent<NoInfer<Payload>>) => boolean;
  /**
   * Where a new subscription begins: with what is published from now on (default), with the topic's first event, or after a position.
   * Later it goes on where it was.
   */
  readonly from?: "now" | "beginning" | number;
  /** `per-key` (default): of one key the next run starts when the one before is over. `none`: all start at once. */
  readonly order?: "per-key" | "none";
  /** While so many of its runs are open, further events wait in the topic; 1,000 by default. */
  readonly openRunsMax?: number;
}

/** Every event that fits starts a run. */
export interface SingleReaction<Payload, Input> extends Reaction<Payload, Input> {
  readonly collect?: undefined;
  readonly input: (payload: NoInfer<Payload>, event: TopicEvent<NoInfer<Payload>>) => NoInfer<Input>;
}

/** Several events start one run together. */
export interface CollectedReaction<Payload, Input> extends Reaction<Payload, Input> {
  readonly collect: Collect;
  readonly input: (
    payloads: readonly NoInfer<Payload>[],
    events: readonly TopicEvent<NoInfer<Payload>>[],
  ) => NoInfer<Input>;
}

/** A flow that reacts to a topic. Made by `subscription()`. */
export interface Subscription {
  readonly kind: "subscription";
  readonly name: string;
  readonly topic: Topic;
  readonly flow: Flow;
  readonly collect: Required<Collect> | undefined;
  readonly from: "now" | "beginning" | number;
  readonly order: "per-key" | "none";
  readonly openRunsMax: number;
  accepts(event: TopicEvent): boolean;
  toInput(events: readonly TopicEvent[]): unknown;
}

const eventsMaxMost = 1_000;
const openRunsMaxDefault = 1_000;

/**
 * Declares that a flow reacts to a topic. Declares and does nothing else; `openTutti({ on: [...] })` acts.
 * @throws TuttiError DEFINITION_INVALID
 */
export function subscription<Payload, Input>(definition: SingleReaction<Payload, Input>): Subscription;
export function subscription<Payload, Input>(definition: CollectedReaction<Payload, Input>): Subscription;
export function subscription<Payload, Input>(
  definition: SingleReaction<Payload, Input> | CollectedReaction<Payload, Input>,
): Subscription {
  const { name, filter, from = "now", openRunsMax = openRunsMaxDefault } = definition;
  refuseEventName(name, "subscription");
  refuseUnless(isCount(openRunsMax), `${name}: openRunsMax must be a whole number from 1`);
  refuseUnless(
    typeof from === "string" || (Number.isSafeInteger(from) && from >= 0),
    `${name}: from is "now", "beginning" or a position`,
  );
  return {
    kind: "subscription",
    name,
    topic: definition.topic,
    flow: definition.flow,
    collect: definition.collect === undefined ? undefined : toCollect(name, definition.collect),
    from,
    order: definition.order ?? "per-key",
    openRunsMax,
    accepts: (event) => {
      const typed = toTyped<Payload>(event);
      return filter === undefined || filter(typed.payload, typed);
    },
    toInput(events) {
      const typed = events.map((event) => toTyped<Payload>(event));
      const payloads = typed.map((event) => event.payload);
      if (definition.collect !== undefined) return definition.input(payloads, typed);
      const [event] = typed;
      return event === undefined ? undefined : definition.input(event.payload, event);
    },
  };
}

function toTyped<Payload>(event: TopicEvent): TopicEvent<Payload> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parsed by its topic's schema when it was published
  return event as TopicEvent<Payload>;
}

function toCollect(name: string, collect: Collect): Required<Collect> {
  const { quietMs, windowMs, eventsMax = eventsMaxMost } = collect;
  refuseUnless(quietMs !== undefined || windowMs !== undefined, `${name}: collect needs quietMs or windowMs`);
  for (const ms of [quietMs, windowMs])
    refuseUnless(ms === undefined || (Number.isFinite(ms) && ms > 0), `${name}: a time to collect must be more than 0`);
  refuseUnless(isCount(eventsMax) && eventsMax <= eventsMaxMost, `${name}: eventsMax is 1 to ${eventsMaxMost}`);
  return { quietMs: quietMs ?? Number.POSITIVE_INFINITY, windowMs: windowMs ?? Number.POSITIVE_INFINITY, eventsMax };
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

function refuseUnless(isRight: boolean, problem: string): void {
  if (!isRight) throw new TuttiError("DEFINITION_INVALID", `subscription ${problem}`, { hint: "See docs/events.md." });
}
