import {
  addAmounts,
  budgetUnits,
  subtractAmounts,
  type AccountRecord,
  type Amount,
  type BudgetLevel,
  type Reservation,
  type Shortage,
} from "../contracts/budget.ts";
import type { EntryKind } from "../contracts/entry.ts";
import type { RunId } from "../contracts/ids.ts";
import { isOver } from "../contracts/run-record.ts";
import type { CommitStore, RunHead } from "./commit-store.ts";
import type { BudgetChange, NewEntry } from "./ledger.ts";

/** The open reservations of every run, and the accounts that they count in: decided and written inside the transaction of a batch. */
export interface BudgetBook {
  /** What the entry does to the accounts, done; nothing if it does nothing to them. Entries that say so are written in front of it. */
  decide(head: RunHead, entry: NewEntry): BudgetDone | BudgetSpent | undefined;
}

export interface BudgetDone {
  readonly kind: "done";
  /** The entry to write; if it is about budgets itself, with what it has to say. */
  readonly entry: NewEntry;
  readonly reserved: Amount | undefined;
}

/** It does not fit, and nothing was written. */
export interface BudgetSpent {
  readonly kind: "spent";
  readonly shortage: Shortage;
}

type BudgetEntry = Pick<NewEntry, "key" | "body"> & { readonly kind: "budget-reserved" | "budget-settled" };
type Write = (head: RunHead, entry: BudgetEntry) => unknown;

export function openBudgetBook(store: CommitStore, write: Write): BudgetBook {
  const openByRun = new Map<RunId, Map<string, Reservation>>();
  for (const reservation of store.listReservations()) remember(openByRun, reservation);
  const book: Book = { store, openByRun, write };
  return {
    decide(head, entry) {
      const isAboutBudgets = entry.budget !== undefined || (openByRun.size > 0 && openByRun.has(head.run));
      return isAboutBudgets ? decide(book, head, entry) : undefined;
    },
  };
}

interface Book {
  readonly store: CommitStore;
  readonly openByRun: Map<RunId, Map<string, Reservation>>;
  readonly write: Write;
}

function remember(openByRun: Book["openByRun"], reservation: Reservation): void {
  const ofRun = openByRun.get(reservation.run);
  if (ofRun === undefined) openByRun.set(reservation.run, new Map([[reservation.key, reservation]]));
  else ofRun.set(reservation.key, reservation);
}

function forget({ openByRun }: Book, { run, key }: Reservation): void {
  const ofRun = openByRun.get(run);
  ofRun?.delete(key);
  if (ofRun?.size === 0) openByRun.delete(run);
}

/** A reservation that ends, and what it cost. */
interface Settling {
  readonly reservation: Reservation;
  readonly charged: Amount;
  readonly by: "call" | "outcome" | "crash" | "end";
}

function decide(book: Book, head: RunHead, entry: NewEntry): BudgetDone | BudgetSpent {
  const { run } = head;
  const settlings = toSettlings(book.openByRun.get(run), entry);
  const change = entry.budget;
  let taken: Taken | undefined;
  if (change?.kind === "reserve") {
    const granted = decideReservation(book.store, change);
    if (granted.kind === "spent") return granted;
    const accounts = change.levels.map((level) => level.account);
    taken = { reservation: { run, key: entry.key, amount: granted.amount, accounts }, levels: change.levels };
  }
  for (const settling of settlings) settle(book, settling);
  if (taken !== undefined) reserve(book, taken);
  const said = settlings.map(toSettledEntry);
  if (taken !== undefined) said.push(toReservedEntry(taken));
  // A second settling of the same step finds nothing open, and says that it charged nothing.
  const own = isBudgetKind(entry.kind) ? (said.pop()?.body ?? JSON.stringify({ charged: {}, by: "call" })) : undefined;
  for (const each of said) book.write(head, each);
  return {
    kind: "done",
    entry: own === undefined ? entry : { ...entry, body: own },
    reserved: taken?.reservation.amount,
  };
}

/** A new reservation, with the limits that it was decided by. */
interface Taken {
  readonly reservation: Reservation;
  readonly levels: readonly BudgetLevel[];
}

function isBudgetKind(kind: EntryKind): kind is BudgetEntry["kind"] {
  return kind === "budget-reserved" || kind === "budget-settled";
}

function toSettlings(open: ReadonlyMap<string, Reservation> | undefined, entry: NewEntry): readonly Settling[] {
  if (open === undefined) return [];
  if (entry.status !== undefined && isOver(entry.status)) {
    return [...open.values()].map((reservation) => ({ reservation, charged: reservation.amount, by: "end" }));
  }
  const reservation = open.get(entry.key);
  if (reservation === undefined) return [];
  const { budget: change, effect } = entry;
  if (change?.kind === "reserve") return [{ reservation, charged: reservation.amount, by: "crash" }];
  if (change?.kind === "settle") {
    return [{ reservation, charged: change.actual ?? reservation.amount, by: change.by }];
  }
  if (effect?.kind !== "change") return [];
  // Nobody said what it cost: if it happened all of it is spent, if it certainly did not happen nothing is.
  if (effect.state === "settled") return [{ reservation, charged: reservation.amount, by: "outcome" }];
  if (effect.state === "failed" || effect.state === "intended") return [{ reservation, charged: {}, by: "outcome" }];
  return [];
}

type Reserve = Extract<BudgetChange, { kind: "reserve" }>;
type Granted = { readonly kind: "granted"; readonly amount: Amount };

/** All of it on every level or none of it; only the time may be less, because a call can be stopped when it is over. */
function decideReservation(store: CommitStore, { levels, amount }: Reserve): Granted | BudgetSpent {
  let { timeMs } = amount;
  for (const { account, limit } of levels) {
    const present = store.findAccount(account);
    for (const unit of budgetUnits) {
      const asked = (unit === "timeMs" ? timeMs : amount[unit]) ?? 0;
      const most = limit[unit];
      if (most === undefined || asked === 0) continue;
      const spent = present?.spent[unit] ?? 0;
      const reserved = present?.reserved[unit] ?? 0;
      const used = addAmounts({ [unit]: spent }, { [unit]: reserved })[unit] ?? 0;
      const left = subtractAmounts({ [unit]: most }, { [unit]: used })[unit] ?? 0;
      if (asked <= left) continue;
      if (unit !== "timeMs" || left < 1) {
        return { kind: "spent", shortage: { account, unit, limit: most, spent, reserved, asked } };
      }
      timeMs = Math.floor(left);
    }
  }
  return { kind: "granted", amount: timeMs === undefined ? amount : { ...amount, timeMs } };
}

const nothing: Pick<AccountRecord, "spent" | "reserved"> = { spent: {}, reserved: {} };

function reserve({ store, openByRun }: Book, { reservation, levels }: Taken): void {
  for (const { account, limit } of levels) {
    const { spent, reserved } = store.findAccount(account) ?? nothing;
    store.putAccount({ account, limit, spent, reserved: addAmounts(reserved, reservation.amount) });
  }
  store.putReservation(reservation);
  remember(openByRun, reservation);
}

function settle(book: Book, { reservation, charged }: Settling): void {
  const { store } = book;
  for (const account of reservation.accounts) {
    const { limit, spent, reserved } = store.findAccount(account) ?? { limit: {}, ...nothing };
    const left = subtractAmounts(reserved, reservation.amount);
    store.putAccount({ account, limit, spent: addAmounts(spent, charged), reserved: left });
  }
  store.removeReservation(reservation);
  forget(book, reservation);
}

function toReservedEntry({ reservation: { key, amount }, levels }: Taken): BudgetEntry {
  const budgets = Object.fromEntries(levels.map((level) => [level.account, level.limit]));
  return { kind: "budget-reserved", key, body: JSON.stringify({ amount, budgets }) };
}

function toSettledEntry({ reservation, charged, by }: Settling): BudgetEntry {
  return { kind: "budget-settled", key: reservation.key, body: JSON.stringify({ charged, by }) };
}
