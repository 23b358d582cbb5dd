import { TuttiError } from "../base/errors.ts";
import type { Topic } from "../contracts/topic.ts";

const namePattern = /^[A-Za-z][\w.-]{0,63}$/u;

/**
 * Declares a topic, so that all who publish and react agree on its events.
 * @throws TuttiError DEFINITION_INVALID
 */
export function topic<Payload>(definition: Omit<Topic<Payload>, "kind">): Topic<Payload> {
  refuseEventName(definition.name, "topic");
  return {
    kind: "topic",
    name: definition.name,
    payload: definition.payload,
    ...(definition.key === undefined ? {} : { key: definition.key }),
  };
}

/** What topics, subscriptions and schedules may be called. @throws TuttiError DEFINITION_INVALID */
export function refuseEventName(name: string, what: string): void {
  if (namePattern.test(name)) return;
  throw new TuttiError("DEFINITION_INVALID", `"${name}" can't name a ${what}`, {
    hint: "Start with a letter; then letters, digits, dot, dash or underscore, at most 64.",
  });
}
