import { budgetUnits } from "../../contracts/budget.ts";
import { bodyOf, type LedgerEntry } from "../../contracts/entry.ts";
import type { RunId } from "../../contracts/ids.ts";
import type { RunRecord } from "../../contracts/run-record.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { readGateStates } from "../../limits/gate-state.ts";
import type { AlertBook, Cause, Ends } from "./alert-book.ts";
import type { Thresholds } from "./alert-options.ts";

/** What is known of runs beside the book; made anew by each process. */
export interface Sightings {
  /** When a run that is open wrote its last entry. */
  readonly lastAt: Map<RunId, number>;
}

const pageEntries = 1_000;
const accountsMax = 1_000;
const sightingsMax = 100_000;
const partsOfWindow = 10;

/** Reads what is new in the ledger into the book. */
export async function followLedger(
  ledger: Ledger,
  {
    book,
    sightings,
    thresholds,
  }: { readonly book: AlertBook; readonly sightings: Sightings; readonly thresholds: Thresholds },
): Promise<void> {
  for (;;) {
    const entries = await ledger.scan(book.lsn, pageEntries);
    for (const entry of entries) {
      see(sightings, entry);
      if (entry.kind === "approval-overdue") {
        const { approval, stage } = bodyOf(entry, "approval-overdue");
        book.overdue[`${approval} ${stage}`] = entry.run;
      }
      const isEnd = entry.kind === "run-done" || entry.kind === "run-failed";
      if (isEnd || entry.kind === "run-cancelled") sightings.lastAt.delete(entry.run);
      if (isEnd && thresholds.failureRate !== undefined)
        await countEnd(ledger, book, { entry, windowMs: thresholds.failureRate.windowMs });
      book.lsn = entry.lsn;
    }
    if (entries.length < pageEntries) return;
  }
}

/** The run that wrote last comes last. Of those that are forgotten the ledger knows it. */
function see({ lastAt }: Sightings, { run, at }: Pick<LedgerEntry, "run" | "at">): void {
  lastAt.delete(run);
  lastAt.set(run, at);
  if (lastAt.size <= sightingsMax) return;
  const [oldest] = lastAt.keys();
  if (oldest !== undefined) lastAt.delete(oldest);
}

async function countEnd(
  ledger: Ledger,
  book: AlertBook,
  { entry, windowMs }: { readonly entry: LedgerEntry; readonly windowMs: number },
): Promise<void> {
  const flow = (await ledger.findRun(entry.run))?.flow ?? "";
  const partMs = Math.max(1, Math.ceil(windowMs / partsOfWindow));
  const startMs = entry.at - (entry.at % partMs);
  const parts = (book.ends[flow] ?? []).filter((part) => part.startMs > entry.at - windowMs);
  const part = parts.find((each) => each.startMs === startMs) ?? { startMs, done: 0, failed: 0 };
  const isFailed = entry.kind === "run-failed";
  const counted = { startMs, done: part.done + (isFailed ? 0 : 1), failed: part.failed + (isFailed ? 1 : 0) };
  book.ends[flow] = [...parts.filter((each) => each.startMs !== startMs), counted];
}

/** Everything that is wrong now, by the rules that were named. */
export async function findCauses(
  ledger: Ledger,
  given: {
    readonly book: AlertBook;
    readonly sightings: Sightings;
    readonly thresholds: Thresholds;
    readonly now: number;
  },
): Promise<readonly Cause[]> {
  const { thresholds, book, now } = given;
  const { stuckRun, inDoubt, approvalOverdue, budget, breakerOpen, failureRate } = thresholds;
  return [
    ...(stuckRun === undefined ? [] : await findStuckRuns(ledger, given)),
    ...(inDoubt === undefined ? [] : await findDoubts(ledger)),
    ...(approvalOverdue === undefined ? [] : await findOverdue(ledger, book, now)),
    ...(budget === undefined ? [] : await findBudgets(ledger, budget.ratio)),
    ...(breakerOpen === undefined ? [] : await findBreakers(ledger)),
    ...(failureRate === undefined ? [] : findFailures(book, failureRate, now)),
  ];
}

async function findStuckRuns(ledger: Ledger, given: Parameters<typeof findCauses>[1]): Promise<readonly Cause[]> {
  const causes: Cause[] = [];
  const dueBy = given.now - (given.thresholds.stuckRun?.afterMs ?? 0);
  const records = [
    ...(await ledger.listRuns({ statuses: ["running", "parked"] })),
    ...(await ledger.listRuns({ statuses: ["waiting"], dueBy })),
  ];
  for (const record of records) {
    const why = await describeStanding(ledger, record, given);
    if (why === undefined) continue;
    const { id, flow } = record;
    causes.push({ key: `stuck-run ${id}`, rule: "stuckRun", about: `run ${id} of ${flow} ${why}`, run: id });
  }
  return causes;
}

async function describeStanding(
  ledger: Ledger,
  { id, status }: RunRecord,
  { sightings, thresholds, now }: Parameters<typeof findCauses>[1],
): Promise<string | undefined> {
  const afterMs = thresholds.stuckRun?.afterMs ?? 0;
  if (status === "parked") return "is parked";
  if (status === "waiting") return "is due and does not go on";
  // A run of an earlier process, of which nothing was seen yet.
  const seenAt = sightings.lastAt.get(id);
  const lastAt = seenAt ?? (await ledger.read(id)).at(-1)?.at ?? now;
  if (seenAt === undefined) see(sightings, { run: id, at: lastAt });
  return now - lastAt >= afterMs ? "is at work and has written nothing for long" : undefined;
}

async function findDoubts(ledger: Ledger): Promise<readonly Cause[]> {
  const effects = await ledger.listEffects({ states: ["in-doubt"] });
  return effects.map(({ key, tool, run }) => ({
    key: `in-doubt ${key}`,
    rule: "inDoubt",
    about: `nobody knows whether ${tool} happened in run ${run} (${key})`,
    run,
  }));
}

/** Time that is over is also told where the engine has decided by itself what follows. */
async function findOverdue(ledger: Ledger, book: AlertBook, now: number): Promise<readonly Cause[]> {
  const open = await ledger.listApprovals({ states: ["open"] });
  const late = open.filter(({ dueAt }) => dueAt <= now).map(({ id, stage, run }) => [`${id} ${stage}`, run] as const);
  return [...new Map([...late, ...Object.entries(book.overdue)])].map(([key, run]) => ({
    key: `approval-overdue ${key}`,
    rule: "approvalOverdue",
    about: `nobody decided in time on an approval of run ${run}`,
    run,
  }));
}

async function findBudgets(ledger: Ledger, ratio: number): Promise<readonly Cause[]> {
  const accounts = [
    ...(await ledger.listAccounts({ under: "tenant/", limit: accountsMax })),
    ...(await ledger.listAccounts({ under: "flow/", limit: accountsMax })),
  ];
  return accounts.flatMap(({ account, limit, spent, reserved }) =>
    budgetUnits.flatMap((unit) => {
      const most = limit[unit];
      if (most === undefined || ((spent[unit] ?? 0) + (reserved[unit] ?? 0)) / most < ratio) return [];
      const about = `${account} has spent or reserved ${Math.round(ratio * 100)} % or more of its ${unit}`;
      return [{ key: `budget ${account} ${unit}`, rule: "budget", about }];
    }),
  );
}

async function findBreakers(ledger: Ledger): Promise<readonly Cause[]> {
  const states = await readGateStates(ledger);
  return [...states]
    .filter(([, { breaker }]) => breaker !== undefined)
    .map(([limit]) => ({
      key: `breaker-open ${limit}`,
      rule: "breakerOpen",
      about: `${limit} failed too often and is left alone`,
    }));
}

function findFailures(
  book: AlertBook,
  { ratio, windowMs, runsMin }: NonNullable<Thresholds["failureRate"]>,
  now: number,
): readonly Cause[] {
  return Object.entries(book.ends).flatMap(([flow, parts]) => {
    const recent = parts.filter(({ startMs }) => startMs > now - windowMs);
    const sum = (count: (part: Ends) => number): number => recent.reduce((total, part) => total + count(part), 0);
    const failed = sum((part) => part.failed);
    const ended = failed + sum((part) => part.done);
    if (ended < Math.max(1, runsMin) || failed / ended < ratio) return [];
    const about = `${Math.round(ratio * 100)} % or more of the runs of ${flow} fail`;
    return [{ key: `failure-rate ${flow}`, rule: "failureRate", about }];
  });
}
