import { type Priority, priorities } from "../contracts/run-record.ts";
import type { Standing } from "./standing.ts";

/** What of a limit is in use now, and who waits for it. */
export interface SlotUse {
  /** `tool/page.publish`, `tenant/acme`. */
  readonly limit: string;
  readonly of: "calls" | "runs";
  /** How many there are; absent where only the rate is limited. */
  readonly slots?: number;
  readonly inUse: number;
  readonly waiting: readonly Waiting[];
}

/** How many wait, by priority and tenant. */
export interface Waiting {
  readonly priority: Priority;
  /** Empty for runs without one. */
  readonly tenant: string;
  readonly count: number;
}

/** The highest priority first, then those with the most. */
export function countWaiting(standings: readonly Standing[]): readonly Waiting[] {
  const groups = Object.groupBy(standings, ({ priority }) => priority);
  return priorities.toReversed().flatMap((priority) => {
    const counts = new Map<string, number>();
    for (const { tenant } of groups[priority] ?? []) counts.set(tenant, (counts.get(tenant) ?? 0) + 1);
    return [...counts]
      .map(([tenant, count]) => ({ priority, tenant, count }))
      .toSorted((left, right) => right.count - left.count);
  });
}
