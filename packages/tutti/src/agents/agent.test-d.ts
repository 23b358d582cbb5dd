import { expectTypeOf, test } from "vitest";
import { z } from "zod";

import type { Agent, Run } from "../contracts/run.ts";
import { tool } from "../tools/tool.ts";
import { agent } from "./agent.ts";

const search = tool({
  name: "search",
  does: "Searches.",
  input: z.object({ query: z.string() }),
  output: z.object({ hits: z.array(z.string()) }),
  effect: "read",
  run: () => ({ hits: [] }),
});
const publish = tool({
  name: "publish",
  does: "Publishes.",
  input: z.object({ html: z.string() }),
  output: z.object({ url: z.string() }),
  effect: "once",
  key: ({ html }) => html,
  run: () => ({ url: "" }),
});

const researcher = agent({
  name: "researcher",
  does: "Answers one question.",
  model: "fast",
  tools: [search, publish],
  input: z.object({ question: z.string() }),
  output: z.object({ findings: z.array(z.object({ quote: z.string() })) }),
  instructions: "Quote verbatim.",
});

test("an agent's types follow from its schemas, and tools of any types fit in", () => {
  expectTypeOf(researcher).toEqualTypeOf<Agent<{ question: string }, { findings: { quote: string }[] }>>();
});

test("a run checks what an agent is called with, and knows what it returns", () => {
  expectTypeOf(async (run: Run) => run.call(researcher, { question: "Why?" })).returns.resolves.toEqualTypeOf<{
    findings: { quote: string }[];
  }>();
  // @ts-expect-error question is a string
  expectTypeOf((run: Run) => run.call(researcher, { question: 1 })).toBeFunction();
});
