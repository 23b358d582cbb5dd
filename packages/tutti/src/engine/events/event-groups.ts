import type { Collect } from "./subscription.ts";

/** An event that is still to be acted on. */
export interface PendingEvent {
  readonly position: number;
  readonly at: number;
  readonly key: string | undefined;
}

/** Events that become one run. */
export interface EventGroup {
  readonly key: string | undefined;
  readonly positions: readonly number[];
  /** When it may be acted on. */
  readonly dueAt: number;
}

/**
 * Which events belong together, from what the ledger says of them alone: so that after a crash, or a clock that was late, the same events
 * come together. In the order of each group's first event.
 */
export function toGroups(
  events: Iterable<PendingEvent>,
  collect: Required<Collect> | undefined,
): readonly EventGroup[] {
  if (collect === undefined)
    return Array.from(events, ({ key, position, at }) => ({ key, positions: [position], dueAt: at }));
  const groups: Gathering[] = [];
  const openByKey = new Map<string | undefined, Gathering>();
  for (const event of events) {
    let group = openByKey.get(event.key);
    if (group === undefined || group.positions.length >= collect.eventsMax || event.at >= group.dueAt) {
      group = { key: event.key, positions: [], firstAt: event.at, dueAt: 0 };
      groups.push(group);
      openByKey.set(event.key, group);
    }
    group.positions.push(event.position);
    group.dueAt =
      group.positions.length >= collect.eventsMax
        ? event.at
        : Math.min(event.at + collect.quietMs, group.firstAt + collect.windowMs);
  }
  return groups;
}

interface Gathering {
  readonly key: string | undefined;
  readonly positions: number[];
  readonly firstAt: number;
  dueAt: number;
}
