import { agent, type Agent } from "tutti";
import type { SourceTools } from "tutti/sources";
import { z } from "zod";

import { Answer, Chart, Draft, Finding, Problem, Verdict } from "./shapes.ts";
import type { CheckQuotes } from "./tools.ts";

/** The five roles of this job. */
export interface Agents {
  readonly planner: Agent<{ topic: string }, { questions: string[] }>;
  readonly researcher: Agent<{ topic: string; question: string }, { findings: Finding[] }>;
  readonly writer: Agent<{ topic: string; answers: Answer[]; problems: Problem[] }, Draft>;
  readonly illustrator: Agent<{ topic: string; charts: Chart[] }, { by: Chart["by"]; reason: string }>;
  readonly reviewer: Agent<{ topic: string; draft: Draft }, Verdict>;
}

/** Each names a tier of model, not a vendor: which model stands behind "fast" is said where the engine is opened. */
export function toAgents({ search, read }: SourceTools, checkQuotes: CheckQuotes): Agents {
  const planner = agent({
    name: "planner",
    does: "Breaks a topic down into the questions that the documents can answer.",
    model: "fast",
    tools: [search],
    input: z.object({ topic: z.string() }),
    output: z.object({ questions: z.array(z.string()).min(1).max(6) }),
    instructions:
      "Search first, to see what the documents talk about. Ask 3 to 5 questions: each about one thing, each to be understood by itself, none twice.",
  });

  const researcher = agent({
    name: "researcher",
    does: "Answers one question with verbatim quotes and their sources.",
    model: "fast",
    tools: [search, read],
    input: z.object({ topic: z.string(), question: z.string() }),
    output: z.object({ findings: z.array(Finding).max(4) }),
    instructions:
      "Search with the rare words of the question, read around the best hits, then quote: at most four findings, from different sources where there are some. An empty list is an honest answer.",
  });

  const writer = agent({
    name: "writer",
    does: "Writes the page from what was found.",
    model: "fast",
    input: z.object({ topic: z.string(), answers: z.array(Answer), problems: z.array(Problem) }),
    output: Draft,
    instructions:
      "One section for each question, in their order. Each paragraph makes one statement in plain words and rests on one quote, copied with its source from the findings. Never use a quote that `problems` names. Add nothing that no quote proves.",
  });

  const illustrator = agent({
    name: "illustrator",
    does: "Chooses the chart that tells a reader most.",
    model: "fast",
    input: z.object({ topic: z.string(), charts: z.array(Chart) }),
    output: z.object({
      by: Chart.shape.by,
      reason: z.string().describe("One sentence for below the chart: what it shows."),
    }),
    instructions: "Choose one of the charts. A chart with one bar, or with bars of one length, tells nothing.",
  });

  const reviewer = agent({
    name: "reviewer",
    does: "Checks that every quote of a draft stands in its source, word for word.",
    model: "fast",
    tools: [checkQuotes],
    input: z.object({ topic: z.string(), draft: Draft }),
    output: Verdict,
    instructions:
      "Check all quotes with the tool, in one call. Report its problems as they are; approve only when there are none.",
  });

  return { planner, researcher, writer, illustrator, reviewer };
}
