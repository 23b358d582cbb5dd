import { readFile } from "node:fs/promises";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";

import type { RunState, Tutti } from "tutti";
import { z } from "zod";

import { findLedgerProblems, type Check } from "../stage/check.ts";
import { readBooks } from "./accounts-service.ts";
import type { Booking, Outcome, Rules } from "./shapes.ts";
import { show } from "./validate.ts";

export interface TakenIn {
  readonly file: string;
  readonly run: string;
  readonly state: RunState<Outcome>;
}

export interface Checked {
  readonly folder: string;
  readonly booksFile: string;
  readonly rules: Rules;
  readonly taken: readonly TakenIn[];
  readonly tutti: Tutti;
}

/** Holds what the runs say against the books and against what a person expects. */
export async function checkIntake(checked: Checked): Promise<Check[]> {
  const { live, all } = await readBooks(checked.booksFile);
  return [
    {
      what: "what was posted is in the books with its amount, and what was taken back is not",
      problems: compareBooks(checked, live),
    },
    { what: "nothing was ever booked twice", problems: findTwice(all) },
    { what: "nothing above the limit was booked without a person's yes", problems: findUnapproved(checked) },
    { what: "every invoice went the way of expected.json", problems: await compareWithExpected(checked) },
    { what: "the ledger is intact", problems: await findLedgerProblems(checked.tutti, []) },
  ];
}

function postedIn({ taken }: Checked): { readonly booking: Booking; readonly approvedBy: string | null }[] {
  return taken.flatMap(({ state }) => (state.kind === "done" && state.output.kind === "posted" ? [state.output] : []));
}

function compareBooks(checked: Checked, live: readonly Booking[]): string[] {
  const isInBooks = (booking: Booking): boolean => live.some((found) => isDeepStrictEqual(found, booking));
  const missing = postedIn(checked).filter(({ booking }) => !isInBooks(booking));
  const unwanted = checked.taken.filter(
    ({ file, state }) =>
      (state.kind === "waiting" || state.kind === "failed") && live.some((booking) => booking.file === file),
  );
  return [
    ...missing.map(
      ({ booking }) => `not in the books: ${booking.id}, ${booking.reference}, ${show(booking.amountCents)}`,
    ),
    ...unwanted.map(({ file, state }) => `in the books, but ${describe(state)}: ${file}`),
  ];
}

function findTwice(all: readonly Booking[]): string[] {
  const references = all.map(({ reference }) => reference);
  return references.filter((reference, index) => references.indexOf(reference) !== index);
}

function findUnapproved(checked: Checked): string[] {
  const limitCents = checked.rules.approveAbove * 100;
  return postedIn(checked)
    .filter(({ booking, approvedBy }) => booking.amountCents > limitCents && approvedBy === null)
    .map(({ booking }) => booking.reference);
}

/** What a careful person says by hand. What needs an approval may wait for it, or may have been refused. */
const Expected = z.record(
  z.string(),
  z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("posted"), amount: z.number() }),
    z.object({ kind: z.literal("needs-approval"), amount: z.number() }),
    z.object({ kind: z.literal("returned"), because: z.string() }),
    z.object({ kind: z.literal("taken-back") }),
  ]),
);
type Expectation = z.infer<typeof Expected>[string];

async function compareWithExpected({ folder, taken }: Checked): Promise<string[]> {
  const expected = Expected.parse(JSON.parse(await readFile(path.join(folder, "expected.json"), "utf8")));
  const files = new Set([...Object.keys(expected), ...taken.map(({ file }) => file)]);
  return [...files].flatMap((file) => {
    const expectation = expected[file];
    const state = taken.find((each) => each.file === file)?.state;
    if (expectation === undefined || state === undefined) return [`${file}: is not in both`];
    return isAsExpected(expectation, state)
      ? []
      : [`${file}: expected ${JSON.stringify(expectation)}, but ${describe(state)}`];
  });
}

function isAsExpected(expected: Expectation, state: RunState<Outcome>): boolean {
  const outcome = state.kind === "done" ? state.output : undefined;
  const isPosted = (amount: number): boolean =>
    outcome?.kind === "posted" && outcome.booking.amountCents === Math.round(amount * 100);
  switch (expected.kind) {
    case "posted":
      return isPosted(expected.amount);
    case "needs-approval":
      return state.kind === "waiting" || outcome?.kind === "refused" || isPosted(expected.amount);
    case "returned":
      return outcome?.kind === "returned" && outcome.problems.some((problem) => problem.includes(expected.because));
    case "taken-back":
      return state.kind === "failed";
  }
}

/** What became of an invoice, in words. */
export function describe(state: RunState<Outcome>): string {
  switch (state.kind) {
    case "done":
      return describeOutcome(state.output);
    case "waiting":
    case "asking":
      return "waits for a person's yes";
    case "failed":
      return `taken back: ${state.error.message}`;
    case "parked":
      return `parked: ${state.error.message}`;
    case "running":
    case "paused":
    case "frozen":
    case "in-doubt":
    case "cancelled":
      return state.kind;
  }
}

function describeOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case "posted": {
      const { booking, approvedBy } = outcome;
      return `posted ${show(booking.amountCents)} as ${booking.id}${approvedBy === null ? "" : `, approved by ${approvedBy}`}`;
    }
    case "returned":
      return `returned: ${outcome.problems.join("; ")}`;
    case "refused":
      return `refused by ${outcome.by}`;
  }
}
