import { fields, flag, integer, listOf, recordOf, text, type Shape } from "../../base/shape.ts";
import type { Ledger } from "../../ledger/ledger.ts";

/** Why somebody is told: one thing that is wrong. The same thing has the same key as long as it lasts. */
export interface Cause {
  /** `in-doubt bank.pay:7`. */
  readonly key: string;
  readonly rule: string;
  /** What it is, for people. Ids and numbers, no values. */
  readonly about: string;
  readonly run?: string;
}

/** A message on its way. */
export interface Alert extends Cause {
  readonly kind: "fired" | "resolved";
  /** When the cause was seen first: with its key it names the alert. */
  readonly since: number;
  readonly at: number;
}

interface Standing {
  readonly since: number;
  readonly isFired: boolean;
  readonly rule: string;
  readonly about: string;
  readonly run?: string;
}

/** What survives a restart. */
export interface AlertBook {
  /** The ledger was looked at up to here. */
  lsn: number;
  readonly causes: Record<string, Standing>;
  readonly pending: Alert[];
  /** How runs of a flow ended, in parts of the window; newest last. */
  readonly ends: Record<string, readonly Ends[]>;
  /** Approvals whose time was over, until that was told. */
  readonly overdue: Record<string, string>;
}

export interface Ends {
  readonly startMs: number;
  readonly done: number;
  readonly failed: number;
}

const kept = "alerts";
/** So many causes are watched at once; further ones when some of these are over. */
const causesMax = 1_000;
/** While so many alerts wait for their receiver nothing new is decided: it is decided later, and nothing is dropped. */
const pendingMax = 1_000;

const standing = fields({ since: integer, isFired: flag, rule: text, about: text }, { run: text });
const alert = fields({ key: text, rule: text, about: text, since: integer, at: integer, kind: text }, { run: text });
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by keepBook, read by nobody else
const shape = fields({
  lsn: integer,
  causes: recordOf(standing),
  pending: listOf(alert),
  ends: recordOf(listOf(fields({ startMs: integer, done: integer, failed: integer }))),
  overdue: recordOf(text),
}) as Shape<unknown> as Shape<AlertBook>;

export async function readBook(ledger: Ledger): Promise<AlertBook | undefined> {
  const found = (await ledger.listKept()).find(({ name }) => name === kept);
  if (found === undefined) return undefined;
  const { lsn, causes, pending, ends, overdue } = shape(JSON.parse(found.state), "");
  return { lsn, causes: { ...causes }, pending: [...pending], ends: { ...ends }, overdue: { ...overdue } };
}

/** Resolves when it is durable. */
export async function keepBook(ledger: Ledger, book: AlertBook): Promise<void> {
  ledger.keep(kept, JSON.stringify(book));
  await ledger.flush();
}

/** What follows for the book from what is wrong now: each cause is told once, and once that it is over. */
export function settleCauses(
  book: AlertBook,
  present: readonly Cause[],
  when: { readonly now: number; readonly afterMs: (rule: string) => number },
): void {
  const { causes, pending } = book;
  const { now, afterMs } = when;
  const keys = new Set(present.map(({ key }) => key));
  for (const [key, { isFired, ...rest }] of Object.entries(causes)) {
    if (keys.has(key) || pending.length >= pendingMax) continue;
    if (isFired) pending.push({ ...rest, key, kind: "resolved", at: now });
    delete causes[key];
  }
  for (const { key, rule, about, run } of present) {
    const known = causes[key];
    if (known?.isFired === true || (known === undefined && Object.keys(causes).length >= causesMax)) continue;
    const seen = known ?? { since: now, isFired: false, rule, about, ...(run === undefined ? {} : { run }) };
    const isDue = now - seen.since >= afterMs(rule) && pending.length < pendingMax;
    causes[key] = { ...seen, isFired: isDue };
    if (isDue)
      pending.push({
        key,
        rule,
        about,
        ...(run === undefined ? {} : { run }),
        since: seen.since,
        kind: "fired",
        at: now,
      });
  }
}
