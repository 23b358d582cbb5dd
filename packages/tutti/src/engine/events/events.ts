import type { Published, Topic, TopicEvent } from "../../contracts/topic.ts";
import type { AwaitedEvent, OutgoingEvent } from "../../flow/driver.ts";
import type { ParkedEvents } from "./subscription-state.ts";

/** Where a subscription stands. */
export interface SubscriptionStatus {
  readonly name: string;
  readonly topic: string;
  readonly flow: string;
  /** Every event up to this position is done with. */
  readonly position: number;
  /** The topic's newest position. */
  readonly tail: number;
  /** How many runs it has started. */
  readonly acted: number;
  /** What its filter, its mapping or its flow's schema would not take. Waits for `retry` or `drop`, and holds nothing else up. */
  readonly parked: readonly ParkedEvents[];
}

/** Topics and subscriptions of an engine, for people and programs. */
export interface Events {
  /** The names of all topics. */
  topics(): Promise<readonly string[]>;
  /** Events in their order: those after a position, at most `limit` (100). */
  read<Payload>(
    topic: Topic<Payload>,
    range?: { readonly after?: number; readonly limit?: number },
  ): Promise<readonly TopicEvent<Payload>[]>;
  subscriptions(): Promise<readonly SubscriptionStatus[]>;
  /** Acts on a parked event again, with the code as it is now. @throws EVENT_UNKNOWN */
  retry(subscription: string, position: number, by?: string): Promise<void>;
  /** Says that a parked event needs no run. @throws EVENT_UNKNOWN */
  drop(subscription: string, position: number, by?: string): Promise<void>;
}

/** What the engine does about events. Loaded when the first one needs it. */
export interface EventPart {
  publish(topic: Topic, payload: unknown, id?: string): Promise<Published>;
  emit(topic: Topic, event: OutgoingEvent): Promise<Published>;
  awaitEvent(wanted: AwaitedEvent): Promise<void>;
  retry(subscription: string, event: number, by: string): Promise<void>;
  drop(subscription: string, event: number, by: string): Promise<void>;
  close(): Promise<void>;
}
