import type { StoredError } from "../../base/errors.ts";
import { bodyOf, type LedgerEntry } from "../../contracts/entry.ts";
import type { RunId } from "../../contracts/ids.ts";

/** A group of events that a subscription could not act on. */
export interface ParkedEvents {
  readonly events: readonly number[];
  readonly error: StoredError;
  readonly at: number;
}

/** What the entries of a subscription say. */
export interface SubscriptionHistory {
  readonly topic: string;
  readonly flow: string;
  /** Every event up to here is done with, but for those that are to be tried again. */
  readonly through: number;
  /** Events beyond it that are done with. */
  readonly done: ReadonlySet<number>;
  /** Events that a person wants to be tried again. */
  readonly retried: ReadonlySet<number>;
  /** By event. */
  readonly parked: ReadonlyMap<number, ParkedEvents>;
  readonly runs: ReadonlyMap<RunId, string | undefined>;
  /** Groups that were acted on. */
  readonly acted: number;
}

/** Nothing if the subscription never began. @throws TuttiError LEDGER_CORRUPT */
export function readSubscriptionHistory(entries: readonly LedgerEntry[]): SubscriptionHistory | undefined {
  let began: { readonly topic: string; readonly flow: string } | undefined;
  let through = 0;
  const done = new Set<number>();
  const retried = new Set<number>();
  const parked = new Map<number, ParkedEvents>();
  const runs = new Map<RunId, string | undefined>();
  const finish = (events: readonly number[], upTo: number): void => {
    for (const event of events) {
      done.add(event);
      retried.delete(event);
    }
    through = Math.max(through, upTo);
  };
  for (const entry of entries) {
    switch (entry.kind) {
      case "subscription-set": {
        const body = bodyOf(entry, entry.kind);
        began ??= body;
        if (through === 0) through = body.after;
        break;
      }
      case "event-acted": {
        const body = bodyOf(entry, entry.kind);
        finish(body.events, body.through);
        runs.set(body.run, body.eventKey);
        break;
      }
      case "event-parked": {
        const body = bodyOf(entry, entry.kind);
        finish(body.events, body.through);
        for (const event of body.events) parked.set(event, { events: body.events, error: body.error, at: entry.at });
        break;
      }
      case "events-passed":
        through = Math.max(through, bodyOf(entry, entry.kind).through);
        break;
      case "event-released": {
        const { event, verdict } = bodyOf(entry, entry.kind);
        for (const each of parked.get(event)?.events ?? []) {
          parked.delete(each);
          if (verdict !== "retry") continue;
          retried.add(each);
          done.delete(each);
        }
        break;
      }
      default:
        break;
    }
  }
  if (began === undefined) return undefined;
  for (const event of done) if (event <= through) done.delete(event);
  return { ...began, through, done, retried, parked, runs, acted: runs.size };
}
