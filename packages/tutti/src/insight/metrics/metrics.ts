import { setImmediate as nextTurn } from "node:timers/promises";

import { systemClock, type Clock } from "../../base/clock.ts";
import { budgetUnits } from "../../contracts/budget.ts";
import { openStatuses } from "../../contracts/run-record.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { readGateStates } from "../../limits/gate-state.ts";
import type { SlotUse } from "../../limits/slot-use.ts";
import { readPositions } from "../otlp/position.ts";
import { openSpanReader } from "../otlp/span-reader.ts";
import { labelValuesMax, Numbers } from "./families.ts";
import { keepCounts, readCounts, type Counted } from "./kept-counts.ts";

/** What metrics are about: an engine, or a ledger alone, which knows of no queues. */
export interface MetricsSource {
  readonly ledger: Ledger;
  slots?(): readonly SlotUse[];
}

export interface Metrics {
  /**
   * Everything that is counted, in the text format of Prometheus. The first call of all reads the whole ledger, later ones
   * what is new, also after a restart: how far it came is kept.
   * @throws TuttiError LEDGER_CORRUPT, LEDGER_TOO_NEW, LEDGER_CLOSED
   */
  read(): Promise<string>;
}

/** What Prometheus wants to hear of the text. */
export const metricsType = "text/plain; version=0.0.4; charset=utf-8";

/** So many entries are read before other work has its turn. */
const pageEntries = 500;

/** The counters follow from the ledger, so they are the same after a restart. */
export function openMetrics(source: MetricsSource, { clock = systemClock }: { readonly clock?: Clock } = {}): Metrics {
  const { ledger } = source;
  const reader = openSpanReader(ledger);
  let counted: Counted | undefined;
  let reading: Promise<unknown> = Promise.resolve();

  async function follow(known: Counted): Promise<Counted> {
    const { counts } = known;
    for (let { lsn, hash } = known; ;) {
      const entries = await ledger.scan(lsn, pageEntries);
      const last = entries.at(-1);
      if (last === undefined) return { counts, lsn, hash };
      const { spans } = await reader.read(entries);
      for (const span of spans) counts.add(span);
      ({ lsn, hash } = last);
      counted = { counts, lsn, hash };
      await nextTurn();
    }
  }

  async function read(): Promise<string> {
    counted ??= await readCounts(ledger);
    const before = counted.lsn;
    const { counts, lsn, hash } = await follow(counted);
    if (lsn > before) keepCounts(ledger, { counts, lsn, hash });
    const gauges = await readGauges(source, { lsn, now: clock.now() });
    return counts.toText() + gauges.map((gauge) => gauge.toText()).join("");
  }

  return {
    read() {
      // One after the other, or two would count the same entries.
      const next = reading.then(read, read);
      reading = next;
      return next;
    },
  };
}

interface Moment {
  readonly lsn: number;
  readonly now: number;
}

/** What is as it is now. */
async function readGauges(source: MetricsSource, { lsn, now }: Moment): Promise<readonly Numbers[]> {
  const { ledger } = source;
  const runs = new Numbers("gauge", "tutti_runs", "Runs that have not ended, by where they stand.");
  for (const state of openStatuses) runs.add({ state }, 0);
  for (const { status } of await ledger.listRuns({ statuses: openStatuses })) runs.add({ state: status }, 1);
  const doubts = new Numbers("gauge", "tutti_effects_in_doubt", "Effects of which nobody knows whether they happened.");
  doubts.add({}, (await ledger.listEffects({ states: ["in-doubt"] })).length);
  const approvals = new Numbers("gauge", "tutti_approvals_open", "Approvals that wait for people.");
  for (const state of ["in-time", "overdue"]) approvals.add({ state }, 0);
  for (const { dueAt } of await ledger.listApprovals({ states: ["open"] }))
    approvals.add({ state: dueAt > now ? "in-time" : "overdue" }, 1);
  const position = new Numbers("gauge", "tutti_ledger_lsn", "The newest entry of the ledger.");
  position.add({}, lsn);
  const lag = new Numbers("gauge", "tutti_export_lag_entries", "Entries that a receiver of traces has not taken yet.");
  for (const [target, taken] of await readPositions(ledger)) lag.add({ target }, Math.max(0, lsn - taken));
  return [runs, doubts, approvals, position, lag, ...(await readLimits(source, now)), ...(await readBudgets(ledger))];
}

async function readLimits(source: MetricsSource, now: number): Promise<readonly Numbers[]> {
  const breakers = new Numbers("gauge", "tutti_breaker_open", "1 while nobody calls what has failed too often.");
  for (const [limit, { breaker }] of await readGateStates(source.ledger))
    breakers.add({ limit }, breaker !== undefined && breaker.untilMs > now ? 1 : 0);
  const inUse = new Numbers("gauge", "tutti_limit_in_use", "Slots of a limit that are taken.");
  const free = new Numbers("gauge", "tutti_limit_slots", "Slots that a limit has.");
  const waiting = new Numbers("gauge", "tutti_limit_waiting", "Who waits for a slot of a limit.");
  for (const use of source.slots?.() ?? []) {
    const { limit, of } = use;
    inUse.add({ limit, of }, use.inUse);
    if (use.slots !== undefined) free.add({ limit, of }, use.slots);
    for (const { priority, count } of use.waiting) waiting.add({ limit, of, priority }, count);
  }
  return [breakers, inUse, free, waiting];
}

/** Of tenants and flows; accounts of single runs come and go. */
async function readBudgets(ledger: Ledger): Promise<readonly Numbers[]> {
  const used = new Numbers("gauge", "tutti_budget_used_ratio", "What of a budget is spent or reserved, from 0 to 1.");
  for (const under of ["tenant/", "flow/"]) {
    for (const { account, limit, spent, reserved } of await ledger.listAccounts({ under, limit: labelValuesMax })) {
      for (const unit of budgetUnits) {
        const most = limit[unit];
        if (most !== undefined && most > 0)
          used.add({ account, unit }, ((spent[unit] ?? 0) + (reserved[unit] ?? 0)) / most);
      }
    }
  }
  return [used];
}
