import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { tool, TuttiError, type Tool } from "tutti";
import { quoteIsIn, type Sources } from "tutti/sources";
import { z } from "zod";

import { drawBarChart } from "./bar-chart.ts";
import { Chart, Verdict, type Problem } from "./shapes.ts";

export type CheckQuotes = Tool<{ quotes: { quote: string; source: string }[] }, Verdict>;

/** Compares quotes with their sources. Nothing is left to a model's judgement here. */
export function toCheckQuotes(sources: Sources): CheckQuotes {
  return tool({
    name: "quotes.check",
    does: "Tells which quotes do not stand in their source, word for word.",
    input: z.object({ quotes: z.array(z.object({ quote: z.string(), source: z.string() })) }),
    output: Verdict,
    effect: "read",
    run({ quotes }) {
      const problems = quotes.flatMap(({ quote, source }): Problem[] => {
        const found = sources.find(source);
        if (found === undefined) return [{ quote, source, reason: "There is no source of this name." }];
        return quoteIsIn(found, quote)
          ? []
          : [{ quote, source, reason: "The source does not say this, word for word." }];
      });
      return { approved: problems.length === 0, problems };
    },
  });
}

export const drawChart = tool({
  name: "chart.draw",
  does: "Draws a bar chart as SVG.",
  input: Chart.pick({ title: true, bars: true }),
  output: z.object({ svg: z.string() }),
  effect: "local",
  run: (chart) => ({ svg: drawBarChart(chart) }),
});

function countQuotes(html: string): string {
  const count = html.split("<blockquote>").length - 1;
  return count === 1 ? "1 quote" : `${count} quotes`;
}

/** Puts pages into a folder. A page is there as a whole or not at all, and never twice. */
export function toPublish(folder: string): Tool<{ slug: string; html: string }, { path: string }> {
  const toFile = (slug: string): string => path.join(folder, `${slug}.html`);
  return tool({
    name: "page.publish",
    does: "Publishes a page and returns its path.",
    input: z.object({ slug: z.string().regex(/^[\p{L}\p{N}-]+$/u), html: z.string() }),
    output: z.object({ path: z.string() }),
    effect: "once",
    key: ({ slug }) => slug,
    preview: ({ slug, html }) => `${toFile(slug)}, ${Math.ceil(html.length / 1_000)} kB, ${countQuotes(html)}`,
    check: async ({ slug, html }) =>
      (await readFile(toFile(slug), "utf8").catch(() => undefined)) === html ? { path: toFile(slug) } : undefined,
    undo: ({ path: file }) => rm(file, { force: true }),
    async run({ slug, html }, { idempotencyKey }) {
      // Written beside its place and moved there: a reader never sees half a page.
      const draft = path.join(folder, `.${slug}-${idempotencyKey.replaceAll(/\W+/g, "-").slice(-24)}.part`);
      try {
        await mkdir(folder, { recursive: true });
        await writeFile(draft, html, { flush: true });
        await rename(draft, toFile(slug));
      } catch (error) {
        await rm(draft, { force: true }).catch(() => undefined);
        throw new TuttiError("TOOL_FAILED", `the page can't be written into ${folder}`, {
          hint: "Check that the folder may be written, or name another one with --out.",
          cause: error,
        });
      }
      return { path: toFile(slug) };
    },
  });
}
