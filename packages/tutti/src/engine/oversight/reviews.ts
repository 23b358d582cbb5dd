import { systemChance, toUuid, type Chance } from "../../base/chance.ts";
import { systemClock, type Clock } from "../../base/clock.ts";
import { TuttiError } from "../../base/errors.ts";
import { estimateShare, type Drawn, type Estimate } from "../../base/statistics.ts";
import { bodyOf, type LedgerEntry } from "../../contracts/entry.ts";
import type { Policy } from "../../contracts/policy.ts";
import { reviewShape, type ReviewGiven, type Sample, type Sampling, type Stratum } from "../../contracts/review.ts";
import { openOutputReader, type OutputReader } from "../../insight/oversight/outputs.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { openJournal, openSharedJournal, toJournalRun, type Journal } from "../journal.ts";
import { toOverdueEntries } from "./end-overdue.ts";
import { toSampleEntry } from "./sample-entry.ts";

/** `tutti.reviews`: a share of all outputs is looked at by people. */
export interface Reviews {
  /** From now on at least this share, above 0 to 1, is drawn; what is new, risky or unsure more often. @throws TuttiError INPUT_INVALID */
  sample(request: SampleRequest): Promise<void>;
  /** Draws what has ended since, and says how many outputs are wrong, as far as people have looked. */
  estimate(): Promise<ReviewReport | undefined>;
}

export interface SampleRequest {
  readonly share: number;
  readonly by: string;
  /** Only people with this role may review. */
  readonly role?: string;
}

export interface ReviewReport {
  readonly share: number;
  /** Final outputs since sampling was set. */
  readonly outputs: number;
  readonly drawn: number;
  readonly reviewed: number;
  /** Drawn, and not looked at: `estimate` counts them as good, `highest` as wrong. */
  readonly pending: number;
  readonly estimate: Estimate;
  /** The upper end if all that nobody has looked at were wrong. */
  readonly highest: number;
  readonly byStratum: Readonly<
    Record<Stratum, { readonly outputs: number; readonly drawn: number; readonly defective: number }>
  >;
  readonly defects: readonly { readonly run: string; readonly defects: readonly string[]; readonly by: string }[];
}

const journalName = "all";
const journalRun = toJournalRun("review", journalName);
const batchEntriesMax = 1_000;
/** Defects that a report names, the newest. */
const defectsMax = 100;

interface Course {
  readonly sampling: Sampling;
  /** Its entry: outputs before it are not among these. */
  readonly since: number;
  readonly reader: OutputReader;
  readonly outputs: Record<Stratum, number>;
  /** By approval. */
  readonly samples: Map<string, Sample>;
  readonly reviews: Map<string, { readonly given: ReviewGiven; readonly by: string }>;
}

interface Book {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly peopleKnown: boolean;
  readonly policy: Policy | undefined;
  /** False where nothing may be written: then nothing is drawn. */
  readonly draws: boolean;
  lsn: number;
  course: Course | undefined;
  /** Whether the ledger was looked at for sampling that is set. */
  isFound: boolean;
  journal: Promise<Journal> | undefined;
  turn: Promise<void>;
}

export interface ReviewBook extends Reviews {
  /** Whether anything is sampled, as far as this process knows. */
  readonly isSampling: boolean;
  catchUp(): Promise<void>;
  /** Resolves when what has ended is drawn. */
  close(): Promise<void>;
}

type Parts = Pick<Book, "ledger" | "clock" | "chance" | "peopleKnown" | "policy">;

/** The same from a ledger that nothing is written to: what has ended and was not drawn yet is not counted as drawn. */
export async function readReviewReport(ledger: Ledger): Promise<ReviewReport | undefined> {
  const parts = { ledger, clock: systemClock, chance: systemChance, peopleKnown: false, policy: undefined };
  const book = toBook(parts, false);
  await readOn(book);
  return book.course === undefined ? undefined : toReport(book.course);
}

function toBook(parts: Parts, draws: boolean): Book {
  return { ...parts, draws, lsn: 0, course: undefined, isFound: false, journal: undefined, turn: Promise.resolve() };
}

export async function openReviews(parts: Parts): Promise<ReviewBook> {
  const book = toBook(parts, true);
  let isSampling = (await parts.ledger.findRun(journalRun)) !== undefined;
  const catchUp = (): Promise<void> => {
    const next = book.turn.catch(() => undefined).then(() => drawOn(book));
    book.turn = next;
    return next;
  };
  return {
    get isSampling() {
      return isSampling;
    },
    catchUp,
    close: () => book.turn.catch(() => undefined), // whoever waited for it was told
    async sample({ share, by, role }) {
      if (!(share > 0 && share <= 1)) {
        throw new TuttiError("INPUT_INVALID", `a share of ${share} can't be drawn`, {
          hint: "Give a number above 0, at most 1: 0.05 for 5 of 100.",
        });
      }
      if (isSampling) await catchUp(); // what has ended is drawn as it was said then
      const journal = await toJournal(book);
      const body = JSON.stringify({ share, seed: toUuid(book.chance), by, role });
      await journal.append({ kind: "sampling-set", key: "", body });
      isSampling = true;
      await catchUp();
    },
    async estimate() {
      await catchUp();
      return book.course === undefined ? undefined : toReport(book.course);
    },
  };
}

function toJournal(book: Book): Promise<Journal> {
  book.journal ??= openJournal(book.ledger, "review", journalName).then((journal) =>
    openSharedJournal(book.ledger, journal),
  );
  return book.journal.catch((error: unknown) => {
    book.journal = undefined;
    throw error;
  });
}

async function drawOn(book: Book): Promise<void> {
  await readOn(book);
  if (book.course === undefined) return;
  const overdue = await toOverdueEntries(book.ledger, journalRun, book.clock.now());
  const journal = overdue.length === 0 ? undefined : await toJournal(book);
  for (const entry of overdue) await journal?.append(entry);
}

/** From the newest setting on; what was drawn under an earlier one is still reviewed, and counts no more. */
async function readOn(book: Book): Promise<void> {
  if (!book.isFound) await findSetting(book);
  for (;;) {
    const entries = await book.ledger.scan(book.lsn, batchEntriesMax);
    for (const entry of entries) {
      await noteEntry(book, entry);
      book.lsn = entry.lsn;
    }
    if (entries.length < batchEntriesMax) return;
  }
}

async function findSetting(book: Book): Promise<void> {
  const known = (await book.ledger.findRun(journalRun)) !== undefined;
  const journal = known ? await book.ledger.read(journalRun) : [];
  const set = journal.findLast(({ kind }) => kind === "sampling-set");
  if (set === undefined) {
    // Nothing of the past is sampled; the setting that comes is found from here on.
    if (!known) return;
  } else book.lsn = set.lsn - 1;
  // What was drawn since is known before anything is drawn, so that nothing is drawn twice.
  book.isFound = true;
}

async function noteEntry(book: Book, entry: LedgerEntry): Promise<void> {
  if (entry.run === journalRun) {
    await noteJournal(book, entry);
    return;
  }
  const { course } = book;
  const output = course?.reader.note(entry);
  if (course === undefined || output === undefined) return;
  course.outputs[output.stratum] += 1;
  if (!output.isDrawn || !book.draws) return;
  const { isDrawn: _, ...sample } = output;
  const { role } = course.sampling;
  const asked = { run: journalRun, now: book.clock.now(), peopleKnown: book.peopleKnown, policy: book.policy, role };
  const journal = await toJournal(book);
  // An output is drawn once, whoever draws it and however often.
  await journal.append(await toSampleEntry(book.ledger, sample, asked));
}

async function noteJournal(book: Book, entry: LedgerEntry): Promise<void> {
  const { kind } = entry;
  if (kind === "sampling-set") {
    const sampling = bodyOf(entry, kind);
    const outputs = { novel: 0, "new-version": 0, irreversible: 0, "low-confidence": 0, uniform: 0 };
    book.course = {
      sampling,
      since: entry.lsn,
      reader: openOutputReader(sampling),
      outputs,
      samples: new Map(),
      reviews: new Map(),
    };
  } else if (kind === "output-sampled") {
    const sample = bodyOf(entry, kind);
    if (book.course !== undefined && sample.outputLsn > book.course.since)
      book.course.samples.set(sample.approval, sample);
  } else if (kind === "approval-voted") {
    const { approval, answer, by } = bodyOf(entry, kind);
    const text = answer === undefined ? undefined : await book.ledger.readBlob(answer);
    if (text !== undefined) book.course?.reviews.set(approval, { given: reviewShape(JSON.parse(text), "review"), by });
  }
}

function toReport(course: Course): ReviewReport {
  const { sampling, samples, reviews, outputs } = course;
  const all = [...samples].map(([approval, sample]) => ({ sample, review: reviews.get(approval) }));
  const total = Object.values(outputs).reduce((sum, count) => sum + count, 0);
  const toDrawn = (ofUnseen: boolean): readonly Drawn[] =>
    all.map(({ sample: { probability }, review }) => ({ probability, isHit: review?.given.isDefective ?? ofUnseen }));
  const reviewed = all.filter(({ review }) => review !== undefined).length;
  const toLine = (stratum: Stratum): ReviewReport["byStratum"][Stratum] => {
    const drawn = all.filter(({ sample }) => sample.stratum === stratum);
    const defective = drawn.filter(({ review }) => review?.given.isDefective === true).length;
    return { outputs: outputs[stratum], drawn: drawn.length, defective };
  };
  const [novel, newVersion, irreversible, lowConfidence, uniform] = [
    toLine("novel"),
    toLine("new-version"),
    toLine("irreversible"),
    toLine("low-confidence"),
    toLine("uniform"),
  ];
  return {
    share: sampling.share,
    outputs: total,
    drawn: all.length,
    reviewed,
    pending: all.length - reviewed,
    estimate: estimateShare(toDrawn(false), total, sampling.share),
    highest: estimateShare(toDrawn(true), total, sampling.share).high,
    byStratum: { novel, "new-version": newVersion, irreversible, "low-confidence": lowConfidence, uniform },
    defects: all
      .flatMap(({ sample: { run }, review }) =>
        review?.given.isDefective === true ? [{ run, defects: review.given.defects, by: review.by }] : [],
      )
      .slice(-defectsMax),
  };
}
