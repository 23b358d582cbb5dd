import type { RunId, StepKey } from "./ids.ts";
import type { Schema } from "./schema.ts";

/** A typed stream of events. */
export interface Topic<Payload = unknown> {
  readonly kind: "topic";
  readonly name: string;
  readonly payload: Schema<Payload>;
  /** What an event is about: an order's number, a customer. Events with one key keep their order, and waits find them by it. */
  key?(payload: Payload): string;
}

/** One event, as it was published. */
export interface TopicEvent<Payload = unknown> {
  readonly topic: string;
  /** Its place in the topic: grows with every event, not by one. */
  readonly position: number;
  /** Given by its source; the same id twice is one event. */
  readonly id: string;
  readonly key: string | undefined;
  /** When it was published, in milliseconds since 1970. */
  readonly at: number;
  readonly payload: Payload;
  /** What its payload may carry; what was published from outside is `untrusted`. */
  readonly labels: readonly string[];
  /** The step that published it, if a run did. */
  readonly from: { readonly run: RunId; readonly step: StepKey } | undefined;
}

/** `repeated`: an event with this id was there already, and nothing was stored. */
export type Published = { readonly kind: "published"; readonly position: number } | { readonly kind: "repeated" };
