import { createHmac } from "node:crypto";

import type { Clock } from "../../base/clock.ts";
import { describeThrown, isTuttiError } from "../../base/errors.ts";
import { sha256 } from "../../base/hash.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { askHttp } from "../../tools/http/ask-http.ts";
import { keepBook, readBook, settleCauses, type Alert, type AlertBook } from "./alert-book.ts";
import { toThresholds, type AlertOptions, type Thresholds } from "./alert-options.ts";
import { findCauses, followLedger, type Sightings } from "./find-causes.ts";

export interface Alerts {
  close(): Promise<void>;
}

const lookEveryMs = 15_000;
/** Who does not take an alert is asked again with the next look, then ever more rarely. */
const pauseMaxMs = 300_000;
const timeoutMs = 10_000;
const answerBytesMax = 64 * 1024;

/**
 * Looks now and then at what is wrong, and tells the webhook: once when it has begun, once when it is over, also across restarts. What could
 * not be delivered is sent with the next look, in its order; a receiver knows by its id what came twice.
 * @throws TuttiError DEFINITION_INVALID
 */
export async function openAlerts(ledger: Ledger, options: AlertOptions, clock: Clock): Promise<Alerts> {
  const thresholds = toThresholds(options);
  const book = (await readBook(ledger)) ?? (await toFirstBook(ledger));
  const watch: Watch = {
    ledger,
    clock,
    options,
    thresholds,
    book,
    sightings: { lastAt: new Map() },
    abort: new AbortController(),
    isLate: false,
    pausedMs: 0,
    deliverAt: 0,
  };
  let forget: (() => void) | undefined;
  let looking: Promise<void> = Promise.resolve();
  const arm = (): void => {
    forget = clock.after(lookEveryMs, () => {
      looking = look(watch).then(() => {
        if (!watch.abort.signal.aborted) arm();
      });
    });
  };
  arm();
  return {
    async close() {
      watch.abort.abort();
      forget?.();
      await looking;
    },
  };
}

interface Watch {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly options: AlertOptions;
  readonly thresholds: Thresholds;
  readonly book: AlertBook;
  readonly sightings: Sightings;
  readonly abort: AbortController;
  /** It was said that the webhook does not take what is sent. */
  isLate: boolean;
  pausedMs: number;
  /** Nothing is sent before. */
  deliverAt: number;
}

/** What happened before alerts were declared is nothing to wake anybody for. */
async function toFirstBook(ledger: Ledger): Promise<AlertBook> {
  return { lsn: await findNewest(ledger), causes: {}, pending: [], ends: {}, overdue: {} };
}

/** Positions have no gaps, so the newest one is found in steps that double and then halve. */
async function findNewest(ledger: Ledger): Promise<number> {
  const isThere = async (lsn: number): Promise<boolean> => (await ledger.scan(lsn - 1, 1)).length > 0;
  let newest = 0;
  let step = 1;
  for (; await isThere(newest + step); step *= 2) newest += step;
  for (; step >= 1; step /= 2) if (await isThere(newest + step)) newest += step;
  return newest;
}

/** Never rejects: what goes wrong is said, and looked at again. */
async function look(watch: Watch): Promise<void> {
  const { ledger, book, sightings, thresholds, abort } = watch;
  try {
    const before = JSON.stringify(book);
    const now = watch.clock.now();
    await followLedger(ledger, { book, sightings, thresholds });
    const present = await findCauses(ledger, { book, sightings, thresholds, now });
    settleCauses(book, present, { now, afterMs: (rule) => toAfterMs(thresholds, rule) });
    forgetTold(book);
    // What is told is durable first: after a crash it is sent again under the same id, and not decided again.
    if (JSON.stringify(book) !== before) await keepBook(ledger, book);
    if (now < watch.deliverAt) return;
    await deliver(watch);
    watch.isLate = false;
  } catch (error) {
    if (abort.signal.aborted) return;
    if (!watch.isLate) {
      const hint = isTuttiError(error) && error.hint !== undefined ? ` ${error.hint}` : "";
      process.emitWarning(`alerts are late: ${describeThrown(error)}${hint}`, "TuttiWarning");
    }
    watch.isLate = true;
  }
}

/** Stuck runs and overdue approvals have waited for their time already. */
function toAfterMs(thresholds: Thresholds, rule: string): number {
  if (rule === "inDoubt") return thresholds.inDoubt?.afterMs ?? 0;
  if (rule === "approvalOverdue") return thresholds.approvalOverdue?.afterMs ?? 0;
  return rule === "breakerOpen" ? (thresholds.breakerOpen?.afterMs ?? 0) : 0;
}

/** Of an approval whose time was over that is told once; the next look finds it over. */
function forgetTold({ overdue, causes }: AlertBook): void {
  for (const key of Object.keys(overdue)) {
    if (causes[`approval-overdue ${key}`]?.isFired === true) delete overdue[key];
  }
}

async function deliver(watch: Watch): Promise<void> {
  const { ledger, clock, options, book, abort } = watch;
  for (let [next] = book.pending; next !== undefined && !abort.signal.aborted; [next] = book.pending) {
    try {
      await post(options, next, abort.signal);
    } catch (error) {
      watch.pausedMs = Math.min(Math.max(watch.pausedMs * 2, lookEveryMs), pauseMaxMs);
      watch.deliverAt = clock.now() + watch.pausedMs;
      throw error;
    }
    watch.pausedMs = 0;
    book.pending.shift();
    await keepBook(ledger, book);
  }
}

async function post({ url, key }: AlertOptions, alert: Alert, signal: AbortSignal): Promise<void> {
  const body = JSON.stringify(toCloudEvent(alert));
  const signature =
    key === undefined ? {} : { "x-signature-256": `sha256=${createHmac("sha256", key).update(body).digest("hex")}` };
  await askHttp({
    provider: "alerts",
    url,
    headers: { "content-type": "application/cloudevents+json", ...signature },
    body,
    effect: "read", // by its id the receiver knows what comes twice
    method: "POST",
    signal,
    timeoutMs,
    bytesMax: answerBytesMax,
  });
}

function toCloudEvent({ key, rule, about, run, since, at, kind }: Alert): object {
  return {
    specversion: "1.0",
    id: sha256(`${key}\n${since}\n${kind}`),
    source: "/tutti",
    type: `tutti.alert.${kind}`,
    time: new Date(at).toISOString(),
    subject: key,
    datacontenttype: "application/json",
    data: { rule, about, since: new Date(since).toISOString(), ...(run === undefined ? {} : { run }) },
  };
}
