import path from "node:path";

import { flow, type Flow, type Run } from "tutti";
import { sourceTools, type Sources } from "tutti/sources";
import { z } from "zod";

import { toAgents, type Agents } from "./agents.ts";
import { toLinks, toShortName } from "./links.ts";
import { toPage } from "./page.ts";
import { toProvenance } from "./provenance.ts";
import type { Answer, Chart, Draft, Problem } from "./shapes.ts";
import { drawChart, toCheckQuotes, toPublish, type CheckQuotes } from "./tools.ts";

/** How often a draft with false quotes goes back to the writer. */
const roundsMax = 2;

/** Where its runs are kept. */
export const ledgerPath = path.join(".tutti", "brief.db");

export interface BriefParts {
  readonly sources: Sources;
  /** Where pages are published. */
  readonly folder: string;
}

/** The job: plan, research in parallel, draft and draw, review, publish. */
export function toBrief({
  sources,
  folder,
}: BriefParts): Flow<{ topic: string; slug: string }, { path: string; quotes: number }> {
  const checkQuotes = toCheckQuotes(sources);
  const agents = toAgents(sourceTools(sources), checkQuotes);
  const publish = toPublish(folder);
  const crew: Crew = { ...agents, checkQuotes };

  return flow({
    name: "brief",
    input: z.object({ topic: z.string(), slug: z.string() }),
    output: z.object({ path: z.string(), quotes: z.number() }),
    onFailure: "undo",
    run: async (run, { topic, slug }) => {
      const { questions } = await run.call(agents.planner, { topic });
      const answers = await run.map(
        questions,
        async (branch, question): Promise<Answer> => ({
          question,
          ...(await branch.call(agents.researcher, { topic, question })),
        }),
        // One question that fails does not spoil a brief, and an empty answer is none that failed.
        { name: "research", concurrency: 4, need: { atLeast: Math.min(2, questions.length) } },
      );
      const answered = answers.filter((answer) => answer.findings.length > 0);
      const { reviewed, chart } = await run.all(
        {
          reviewed: (branch) => writeReviewed(branch, crew, { topic, answers: answered }),
          chart: (branch) => illustrate(branch, crew, { topic, answers: answered }),
        },
        { name: "make" },
      );
      const provenance = await run.step("provenance", async (step) => toProvenance(await step.entries()));
      const html = toPage({
        topic,
        ...reviewed,
        chart,
        unanswered: answers.filter((answer) => answer.findings.length === 0).map((answer) => answer.question),
        failed: questions.filter((_, index) => answers.outcomes[index]?.kind !== "done"),
        links: toLinks(sources, folder),
        documents: { read: sources.list.length, skipped: sources.skipped },
        made: { ...provenance, run: run.id, ledgerPath, at: run.now() },
      });
      const page = await run.call(publish, { slug, html });
      return { path: page.path, quotes: reviewed.draft === undefined ? 0 : quotesOf(reviewed.draft).length };
    },
  });
}

interface Crew extends Agents {
  readonly checkQuotes: CheckQuotes;
}

interface Found {
  readonly topic: string;
  /** Questions that have findings. */
  readonly answers: Answer[];
}

/** A draft of which every quote stands in its source. A false one is sent back with the reason, a few times; then it is left out. */
async function writeReviewed(run: Run, { writer, reviewer, checkQuotes }: Crew, found: Found): Promise<Reviewed> {
  if (found.answers.length === 0) return { draft: undefined, leftOut: [] };
  let draft = await run.call(writer, { ...found, problems: [] });
  for (let round = 1; round <= roundsMax; round++) {
    const { approved, problems } = await run.call(reviewer, { topic: found.topic, draft });
    if (approved || problems.length === 0) break;
    draft = await run.call(writer, { ...found, problems });
  }
  // Whatever the reviewer said: nothing is printed that its source does not say.
  const { problems: leftOut } = await run.call(checkQuotes, { quotes: quotesOf(draft) }, { name: "last-check" });
  return { draft: withoutQuotes(draft, leftOut), leftOut };
}

interface Illustration {
  readonly svg: string;
  readonly title: string;
  readonly reason: string;
}

async function illustrate(
  run: Run,
  { illustrator }: Crew,
  { topic, answers }: Found,
): Promise<Illustration | undefined> {
  if (answers.length === 0) return undefined;
  const charts = toCharts(answers);
  const { by, reason } = await run.call(illustrator, { topic, charts: [charts.document, charts.question] });
  const chosen = charts[by];
  const { svg } = await run.call(drawChart, chosen);
  return { svg, title: chosen.title, reason };
}

interface Reviewed {
  readonly draft: Draft | undefined;
  readonly leftOut: readonly Problem[];
}

function quotesOf(draft: Draft): { quote: string; source: string }[] {
  return draft.sections.flatMap((section) => section.paragraphs.map(({ quote, source }) => ({ quote, source })));
}

/** The draft without the paragraphs whose quotes are false; nothing when none is left, for then nothing supports the rest. */
function withoutQuotes(draft: Draft, problems: readonly Problem[]): Draft | undefined {
  const isFalse = ({ quote, source }: { quote: string; source: string }): boolean =>
    problems.some((problem) => problem.quote === quote && problem.source === source);
  const sections = draft.sections
    .map((section) => ({ ...section, paragraphs: section.paragraphs.filter((paragraph) => !isFalse(paragraph)) }))
    .filter((section) => section.paragraphs.length > 0);
  return sections.length === 0 ? undefined : { ...draft, sections };
}

/** Charts of what was found, counted here: a model only chooses. */
function toCharts(answers: readonly Answer[]): { readonly document: Chart; readonly question: Chart } {
  const countBySource = new Map<string, number>();
  for (const { source } of answers.flatMap((answer) => answer.findings))
    countBySource.set(source, (countBySource.get(source) ?? 0) + 1);
  const byDocument = [...countBySource].map(([source, value]) => ({ label: toShortName(source), value }));
  const byQuestion = answers.map((answer) => ({ label: answer.question, value: answer.findings.length }));
  return {
    document: { by: "document", title: "Quotes found in each document", bars: byDocument },
    question: { by: "question", title: "Quotes found for each question", bars: byQuestion },
  };
}
