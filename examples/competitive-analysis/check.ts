import { readFile } from "node:fs/promises";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";

import type { LedgerEntry, Tutti } from "tutti";
import type { Plan } from "tutti/plans";
import { z } from "zod";

import { findLedgerProblems, type Check } from "../stage/check.ts";
import type { Analysis, Question } from "./shapes.ts";

/** A version of the plan, and why there is one. */
export interface PlanVersion {
  readonly version: number;
  readonly reason: string;
  readonly document: Plan;
}

export interface Checked {
  readonly folder: string;
  readonly question: Question;
  readonly analysis: Analysis;
  readonly versions: readonly PlanVersion[];
  readonly entries: readonly LedgerEntry[];
  readonly tutti: Tutti;
}

/** Holds the analysis against the library and the ledger: nothing of what the agents said is taken on trust. */
export async function checkAnalysis(checked: Checked): Promise<Check[]> {
  return [
    { what: "every figure stands in a quote, and every quote in its source", problems: await findFalseCells(checked) },
    { what: "the best of each aspect has the best figure", problems: findFalseBests(checked) },
    { what: "nothing was looked for twice under one name", problems: findRepetitions(checked) },
    { what: "the result is the one of expected.json", problems: await compareWithExpected(checked) },
    {
      what: "the ledger is intact, and no step was done twice",
      problems: await findLedgerProblems(checked.tutti, checked.entries),
    },
  ];
}

async function findFalseCells({ folder, analysis }: Checked): Promise<string[]> {
  const problems: string[] = [];
  for (const { product, value, quote, source } of Object.values(analysis).flatMap(({ cells }) => cells)) {
    const text = await readFile(path.join(folder, source), "utf8");
    if (!text.includes(quote)) problems.push(`${source} does not say: ${quote}`);
    if (!quote.includes(String(value))) problems.push(`${product}: ${value} is not in: ${quote}`);
  }
  return problems;
}

function findFalseBests({ analysis, question }: Checked): string[] {
  return question.aspects.flatMap(({ name, better }) => {
    const { cells = [], best } = analysis[name] ?? {};
    const values = cells.map(({ value }) => value);
    const wanted = better === "more" ? Math.max(...values) : Math.min(...values);
    return cells.some(({ product, value }) => product === best && value === wanted) ? [] : [`${name}: not ${best}`];
  });
}

/** A version keeps what the one before has found. So there is one search for each different task of all versions, not for each task. */
function findRepetitions({ versions, entries }: Checked): string[] {
  const tasks = versions.flatMap(({ document }) => document.tasks.filter(({ call }) => call === "researcher"));
  const different = new Set(tasks.map(({ input }) => JSON.stringify(input))).size;
  const started = entries.filter(({ kind, key }) => kind === "agent-started" && key.includes("researcher")).length;
  return started <= different ? [] : [`${started} searches were made for ${different} different tasks`];
}

const Expected = z.object({ best: z.record(z.string(), z.string()), products: z.number(), versions: z.number() });

async function compareWithExpected({ folder, analysis, versions }: Checked): Promise<string[]> {
  const expected = Expected.parse(JSON.parse(await readFile(path.join(folder, "expected.json"), "utf8")));
  const comparisons = Object.entries(analysis);
  const made = {
    best: Object.fromEntries(comparisons.map(([aspect, { best }]) => [aspect, best])),
    products: new Set(comparisons.flatMap(([, { cells }]) => cells.map(({ product }) => product))).size,
    versions: versions.length,
  };
  return isDeepStrictEqual(expected, made)
    ? []
    : [`expected ${JSON.stringify(expected)}`, `got ${JSON.stringify(made)}`];
}
