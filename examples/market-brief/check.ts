import { readFile } from "node:fs/promises";
import path from "node:path";

import type { LedgerEntry, Tutti } from "tutti";
import { z } from "zod";

import { findLedgerProblems, type Check } from "../stage/check.ts";
import type { BriefOutput } from "./brief-flow.ts";
import type { Assignment } from "./source-server.ts";

/** What a careful reader finds in the files by hand. */
const Expected = z.object({ claims: z.record(z.string(), z.string()), missing: z.array(z.string()) });

export interface Checked {
  readonly folder: string;
  readonly assignment: Assignment;
  readonly brief: BriefOutput;
  readonly entries: readonly LedgerEntry[];
  readonly tutti: Tutti;
}

/** Compares the brief with the files themselves: nothing of what the agents said is taken on trust. */
export async function checkBrief({ folder, assignment, brief, entries, tutti }: Checked): Promise<Check[]> {
  const fileBySource = new Map(assignment.sources.map(({ id, file }) => [id, path.join(folder, file)]));
  const page = await readFile(brief.path, "utf8");
  const quoteProblems: string[] = [];
  for (const { quote, source } of brief.claims.flatMap((claim) => claim.quotes)) {
    const file = fileBySource.get(source);
    const text = file === undefined ? "" : await readFile(file, "utf8");
    if (!text.includes(quote)) quoteProblems.push(`${source} does not say: ${quote}`);
  }
  const figureProblems = brief.claims.flatMap(({ topic, figures, quotes }) =>
    figures
      .filter((figure) => !quotes.some(({ quote }) => quote.includes(figure)))
      .map((figure) => `${topic}: no quote has the figure ${figure}`),
  );
  const pageProblems = brief.claims
    .filter(({ text }) => !page.includes(text))
    .map(({ text }) => `not printed: ${text}`);
  return [
    { what: "every quote stands in its source, word for word", problems: quoteProblems },
    { what: "every figure of a claim stands in one of its quotes", problems: figureProblems },
    { what: `${brief.path} has every claim`, problems: pageProblems },
    { what: "the claims are those of expected.json", problems: await compareWithExpected(folder, brief) },
    { what: "the ledger is intact, and no step was done twice", problems: await findLedgerProblems(tutti, entries) },
  ];
}

async function compareWithExpected(folder: string, { claims, missing }: BriefOutput): Promise<string[]> {
  const expected = Expected.parse(JSON.parse(await readFile(path.join(folder, "expected.json"), "utf8")));
  const made = {
    claims: Object.fromEntries(claims.map(({ topic, text }) => [topic, text])),
    missing: missing.map(({ source }) => source),
  };
  const topics = new Set([...Object.keys(expected.claims), ...Object.keys(made.claims)]);
  const problems = [...topics]
    .filter((topic) => expected.claims[topic] !== made.claims[topic])
    .map((topic) => `expected "${expected.claims[topic] ?? "nothing"}", got "${made.claims[topic] ?? "nothing"}"`);
  if (expected.missing.join() !== made.missing.join())
    problems.push(`expected to miss [${expected.missing.join()}], missed [${made.missing.join()}]`);
  return problems;
}
