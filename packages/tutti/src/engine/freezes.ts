import { TuttiError } from "../base/errors.ts";
import { bodyOf, type LedgerEntry } from "../contracts/entry.ts";
import { toFreezeName, type Freeze, type FreezeName, type FreezeTarget } from "../contracts/freeze.ts";
import type { Freezes } from "../flow/freezes.ts";
import { toBody } from "../flow/stored-value.ts";
import type { Ledger, NewEntry } from "../ledger/ledger.ts";
import { refuseExposing } from "../ledger/refuse-exposing.ts";
import { openJournal, openSharedJournal, toJournalRun, type Journal } from "./journal.ts";

/** Who freezes or lifts, and why. */
export interface Person {
  readonly by: string;
  readonly reason?: string | undefined;
}

/** All freezes of a ledger. Each is an entry in one run of their own, and in force from then on, also after a restart. */
export interface FreezeBook extends Freezes {
  /** Resolves when it is durable. Nothing in its reach is begun after its entry. */
  freeze(target: FreezeTarget, person: Person): Promise<void>;
  /** @throws TuttiError INPUT_INVALID when it is not frozen */
  unfreeze(target: FreezeTarget, person: Person): Promise<void>;
  /** Those that are set, the oldest first. */
  list(): readonly Freeze[];
}

const journalName = "all";

/** What is frozen in a ledger, from its entries. */
export async function readFreezes(ledger: Pick<Ledger, "findRun" | "read">): Promise<readonly Freeze[]> {
  const run = toJournalRun("freeze", journalName);
  if ((await ledger.findRun(run)) === undefined) return [];
  const set = new Map<FreezeName, Freeze>();
  for (const entry of await ledger.read(run)) apply(set, entry);
  return [...set.values()];
}

function apply(set: Map<FreezeName, Freeze>, entry: LedgerEntry): void {
  if (entry.kind !== "freeze-set" && entry.kind !== "freeze-lifted") return;
  const { reach, name = "", by, reason } = bodyOf(entry, entry.kind);
  const target: FreezeTarget = reach === "all" ? { reach } : { reach, name };
  if (entry.kind === "freeze-lifted") set.delete(toFreezeName(target));
  else set.set(toFreezeName(target), { target, by, reason, at: entry.at });
}

interface Book {
  readonly ledger: Ledger;
  readonly now: () => number;
  readonly set: Map<FreezeName, Freeze>;
  readonly listeners: Set<() => void>;
  journal: Promise<Journal> | undefined;
}

export async function openFreezes(ledger: Ledger, now: () => number): Promise<FreezeBook> {
  const frozen = await readFreezes(ledger);
  const set = new Map(frozen.map((each) => [toFreezeName(each.target), each]));
  const book: Book = { ledger, now, set, listeners: new Set(), journal: undefined };
  return {
    get any() {
      return set.size > 0;
    },
    find(names) {
      for (const name of names) {
        const found = set.get(name);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    onLifted(listener) {
      book.listeners.add(listener);
      return () => void book.listeners.delete(listener);
    },
    list: () => [...set.values()],
    freeze: (target, person) => freeze(book, target, person),
    unfreeze: (target, person) => unfreeze(book, target, person),
  };
}

const nameMax = 200;

function refuseTarget(target: FreezeTarget): void {
  if (target.reach === "all" || (target.name.trim() !== "" && target.name.length <= nameMax)) return;
  throw new TuttiError("INPUT_INVALID", `"${target.name}" can't name a ${target.reach}`, {
    hint: `Name the ${target.reach} to freeze, in at most ${nameMax} characters.`,
  });
}

function toEntry(kind: "freeze-set" | "freeze-lifted", target: FreezeTarget, { by, reason }: Person): NewEntry {
  const entry = { kind, key: "", body: toBody({ ...target, by, ...(reason === undefined ? {} : { reason }) }) };
  refuseExposing(entry);
  return entry;
}

/** In force here before its entry is even queued: whatever would be queued behind it finds it set. */
async function freeze(book: Book, target: FreezeTarget, person: Person): Promise<void> {
  refuseTarget(target);
  const entry = toEntry("freeze-set", target, person);
  const name = toFreezeName(target);
  const before = book.set.get(name);
  book.set.set(name, { target, by: person.by, reason: person.reason, at: book.now() });
  try {
    await append(book, entry);
  } catch (error) {
    if (before === undefined) book.set.delete(name);
    else book.set.set(name, before);
    tellLifted(book);
    throw error;
  }
}

async function unfreeze(book: Book, target: FreezeTarget, person: Person): Promise<void> {
  const name = toFreezeName(target);
  if (!book.set.has(name)) {
    throw new TuttiError("INPUT_INVALID", `${name} is not frozen`, { hint: "`tutti freezes` lists what is." });
  }
  await append(book, toEntry("freeze-lifted", target, person));
  book.set.delete(name);
  tellLifted(book);
}

async function append(book: Book, entry: NewEntry): Promise<void> {
  book.journal ??= openJournal(book.ledger, "freeze", journalName).then((journal) =>
    openSharedJournal(book.ledger, journal),
  );
  const journal = await book.journal.catch((error: unknown) => {
    book.journal = undefined;
    throw error;
  });
  await journal.append(entry);
}

function tellLifted({ listeners }: Book): void {
  for (const listener of Array.from(listeners)) listener();
}
