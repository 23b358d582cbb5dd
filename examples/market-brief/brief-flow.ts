import { flow, type Flow, type Tool } from "tutti";
import { z } from "zod";

import { Claim, toReader, writer } from "./agents.ts";
import type { ReadSource } from "./tools.ts";

export interface BriefParts {
  readonly readSource: ReadSource;
  readonly publish: Tool<{ name: string; text: string }, { path: string }>;
  /** How many agents work at once; all of them by default. */
  readonly concurrency?: number;
}

/** So many sources must answer, or there is no brief. */
const sourcesNeeded = 2;

export const BriefInput = z.object({ market: z.string(), topics: z.array(z.string()), sources: z.array(z.string()) });
export const BriefOutput = z.object({
  path: z.string(),
  claims: z.array(Claim),
  /** Topics about which no source says anything. */
  open: z.array(z.string()),
  missing: z.array(z.object({ source: z.string(), why: z.string() })),
});
export type BriefOutput = z.infer<typeof BriefOutput>;

/** Reads all sources at once, and then writes about all topics at once. A source that fails is named, not waited for. */
export function toMarketBrief({
  readSource,
  publish,
  concurrency = 16,
}: BriefParts): Flow<z.infer<typeof BriefInput>, BriefOutput> {
  const reader = toReader(readSource);
  return flow({
    name: "market-brief",
    does: "Says what several sources say about a market, with quotes.",
    input: BriefInput,
    output: BriefOutput,
    run: async (run, { market, topics, sources }) => {
      const read = await run.map(sources, (branch, source) => branch.call(reader, { market, topics, source }), {
        name: "read",
        concurrency,
        need: { atLeast: sourcesNeeded },
      });
      const missing = read.outcomes.flatMap((outcome, index) =>
        outcome.kind === "failed" ? [{ source: sources[index] ?? "", why: outcome.error.message }] : [],
      );

      const findings = read.flatMap((result) => result.findings);
      const spoken = topics.filter((topic) => findings.some((finding) => finding.topic === topic));
      const claims = await run.map(
        spoken,
        (branch, topic) => {
          const about = findings.filter((finding) => finding.topic === topic);
          return branch.call(writer, { topic, findings: about, sources: read.length });
        },
        { name: "write", concurrency },
      );

      const open = topics.filter((topic) => !spoken.includes(topic));
      const text = toText(market, { claims: [...claims], open, missing });
      const { path } = await run.call(publish, { name: "market-brief", text });
      return { path, claims: [...claims], open, missing };
    },
  });
}

function toText(market: string, { claims, open, missing }: Omit<BriefOutput, "path">): string {
  const sections = claims.map(({ text, quotes }) =>
    [`## ${text}`, ...quotes.map(({ quote, source }) => `> ${quote}\n> (${source})`)].join("\n\n"),
  );
  const remarks = [
    ...open.map((topic) => `- No source says anything about ${topic}.`),
    ...missing.map(({ source, why }) => `- Without ${source}: ${why}.`),
  ];
  const rest = remarks.length === 0 ? [] : [["## What is missing", remarks.join("\n")].join("\n\n")];
  return `${[`# ${market}`, ...sections, ...rest].join("\n\n")}\n`;
}
