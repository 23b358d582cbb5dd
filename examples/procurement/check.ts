import path from "node:path";
import { isDeepStrictEqual } from "node:util";

import type { LedgerEntry, Tutti } from "tutti";
import { z } from "zod";

import { findLedgerProblems, type Check } from "../stage/check.ts";
import { Offer, type Decision, type Need } from "./shapes.ts";
import { readJson } from "./tools.ts";

export interface Checked {
  readonly folder: string;
  readonly need: Need;
  readonly suppliers: readonly string[];
  readonly decision: Decision;
  readonly entries: readonly LedgerEntry[];
  readonly tutti: Tutti;
}

/** Holds the decision against the files and against what was said: nothing is taken on trust. */
export async function checkDecision(checked: Checked): Promise<Check[]> {
  return [
    { what: "every specialist has judged every offer, once", problems: findUnheard(checked) },
    { what: "the choice keeps what is needed, by its file", problems: await findBrokenNeeds(checked) },
    { what: "who would have chosen another is kept as dissent", problems: findLostDissent(checked) },
    { what: "the decision is the one of expected.json", problems: await compareWithExpected(checked) },
    { what: "the ledger tells the decision", problems: findUntold(checked) },
    {
      what: "the ledger is intact, and no step was done twice",
      problems: await findLedgerProblems(checked.tutti, checked.entries),
    },
  ];
}

function findUnheard({ need, suppliers, decision: { opinions } }: Checked): string[] {
  return suppliers.flatMap((supplier) =>
    Object.keys(need.weights).flatMap((by) => {
      const count = opinions.filter((opinion) => opinion.by === by && opinion.supplier === supplier).length;
      return count === 1 ? [] : [`${by} has judged ${supplier} ${count} times`];
    }),
  );
}

async function findBrokenNeeds({ folder, need, decision: { choice } }: Checked): Promise<string[]> {
  if (choice === null) return ["no offer was chosen"];
  const offer = Offer.parse(await readJson(path.join(folder, `${choice}.json`)));
  const { discount } = offer;
  const percent = need.quantity >= discount.fromQuantity ? 100 - discount.percent : 100;
  const total = (need.quantity * offer.unitPrice * percent) / 100;
  const valid = offer.certificates.filter(({ validUntil }) => validUntil >= need.orderedOn);
  const missing = need.certificates.filter((wanted) => !valid.some(({ name }) => name === wanted));
  return [
    ...(total > need.budget ? [`${choice} costs ${total}, the budget is ${need.budget}`] : []),
    ...(offer.deliveryDays > need.latestDays ? [`${choice} takes ${offer.deliveryDays} days`] : []),
    ...missing.map((name) => `${choice} has no valid ${name}`),
  ];
}

function findLostDissent({ need, decision: { choice, dissent, opinions } }: Checked): string[] {
  return Object.keys(need.weights).flatMap((by) => {
    const own = opinions.filter((opinion) => opinion.by === by);
    const most = Math.max(...own.map(({ score }) => score));
    const wouldTakeIt = own.some(({ supplier, score }) => supplier === choice && score === most);
    const kept = dissent.some((opinion) => opinion.by === by && opinion.why !== "");
    return wouldTakeIt || kept ? [] : [`the dissent of ${by} is lost`];
  });
}

const Expected = z.object({
  choice: z.string(),
  excluded: z.array(z.string()),
  dissent: z.record(z.string(), z.string()),
});

async function compareWithExpected({ folder, decision }: Checked): Promise<string[]> {
  const expected = Expected.parse(await readJson(path.join(folder, "expected.json")));
  const made = {
    choice: decision.choice,
    excluded: [...new Set(decision.excluded.map(({ supplier }) => supplier))].toSorted(),
    dissent: Object.fromEntries(decision.dissent.map(({ by, supplier }) => [by, supplier])),
  };
  return isDeepStrictEqual(expected, made)
    ? []
    : [`expected ${JSON.stringify(expected)}`, `got ${JSON.stringify(made)}`];
}

function findUntold({ entries }: Checked): string[] {
  const decided = entries.filter(({ kind }) => kind === "decision-made").length;
  return decided === 1 ? [] : [`${decided} decisions are recorded`];
}
