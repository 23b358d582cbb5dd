import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { openTutti, systemClock } from "tutti";
import { openMemoryLedger } from "tutti/testing";
import { afterEach, beforeEach, expect, test } from "vitest";

import { verifies } from "../../test/verifies.ts";
import { checkIntake, type TakenIn } from "./check.ts";
import type { Booking } from "./shapes.ts";

const booking: Booking = { id: "B-1", reference: "a / 1", costCentre: "it", amountCents: 600_000, file: "a.txt" };
const posted: TakenIn = {
  file: "a.txt",
  run: "intake-1",
  state: { kind: "done", output: { kind: "posted", booking, approvedBy: "the head of it" } },
};
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "tutti-books-"));
  await writeFile(path.join(folder, "expected.json"), `{"a.txt":{"kind":"needs-approval","amount":6000}}`);
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** What the check says of these runs and these books. */
async function findFailed(taken: readonly TakenIn[], booked: readonly Booking[]): Promise<string[]> {
  const booksFile = path.join(folder, "books.jsonl");
  await writeFile(booksFile, booked.map((each) => `${JSON.stringify({ kind: "booking", ...each })}\n`).join(""));
  const rules = { currency: "EUR", rates: {}, approveAbove: 5_000, budgets: { it: 10_000 } };
  const tutti = await openTutti({ flows: [], ledger: openMemoryLedger({ clock: systemClock }) });
  try {
    const checks = await checkIntake({ folder, booksFile, rules, taken, tutti });
    return checks
      .filter(({ problems }) => problems.length > 0)
      .map(({ what }) => what.split(" ").slice(0, 3).join(" "));
  } finally {
    await tutti.close();
  }
}

test("what the runs say and what the books have must be the same", verifies("X7"), async () => {
  expect(await findFailed([posted], [booking])).toEqual([]);
  expect(await findFailed([posted], [])).toEqual(["what was posted"]);
  expect(await findFailed([posted], [{ ...booking, amountCents: 600_001 }])).toEqual(["what was posted"]);
  expect(await findFailed([posted], [booking, { ...booking, id: "B-2" }])).toEqual(["nothing was ever"]);
  const waiting: TakenIn = { ...posted, state: { kind: "waiting", untilMs: undefined, signals: ["approval"] } };
  expect(await findFailed([waiting], [])).toEqual([]);
  expect(await findFailed([waiting], [booking])).toEqual(["what was posted"]);
});

test(
  "a large amount without a person's yes, and an invoice that nobody took in, are found",
  verifies("X7"),
  async () => {
    const unapproved: TakenIn = {
      ...posted,
      state: { kind: "done", output: { kind: "posted", booking, approvedBy: null } },
    };
    expect(await findFailed([unapproved], [booking])).toEqual(["nothing above the"]);
    expect(await findFailed([], [])).toEqual(["every invoice went"]);
  },
);
