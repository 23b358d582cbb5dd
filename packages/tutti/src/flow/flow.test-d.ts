import { expectTypeOf, test } from "vitest";
import { z } from "zod";

import { agent } from "../agents/agent.ts";
import { toRunId } from "../contracts/ids.ts";
import type { Outcome, Result } from "../contracts/outcome.ts";
import type { ChildRun, Flow, Joined, Run } from "../contracts/run.ts";
import { tool } from "../tools/tool.ts";
import { flow, signal } from "./flow.ts";

const search = tool({
  name: "search",
  does: "Searches.",
  input: z.object({ query: z.string() }),
  output: z.object({ hits: z.array(z.string()) }),
  effect: "read",
  run: () => ({ hits: [] }),
});

const writer = agent({
  name: "writer",
  does: "Writes.",
  model: "fast",
  tools: [search],
  input: z.object({ hits: z.array(z.string()) }),
  output: z.object({ title: z.string(), words: z.number() }),
  instructions: "Write.",
});

const publish = flow({
  name: "publish",
  input: z.object({ title: z.string() }),
  output: z.object({ url: z.string() }),
  run: async (_, { title }) => ({ url: title }),
});

const decision = signal({ name: "decision", payload: z.object({ yes: z.boolean() }) });

interface Article {
  title: string;
  words: number;
}

test("a flow's types follow from its schemas", () => {
  expectTypeOf(publish).toEqualTypeOf<Flow<{ title: string }, { url: string }>>();
  flow({
    name: "counts",
    input: z.object({ count: z.number() }),
    output: z.number(),
    run: async (run, input) => {
      expectTypeOf(run).toEqualTypeOf<Run>();
      expectTypeOf(input).toEqualTypeOf<{ count: number }>();
      return input.count;
    },
  });
  flow({
    name: "wrong",
    input: z.null(),
    output: z.object({ url: z.string() }),
    // @ts-expect-error url is a string
    run: async () => ({ url: 1 }),
  });
});

test("types flow from one call to the next, through tools, agents and flows, without a cast", () => {
  flow({
    name: "article",
    input: z.object({ topic: z.string() }),
    output: z.object({ url: z.string() }),
    run: async (run, { topic }) => {
      const found = await run.call(search, { query: topic });
      expectTypeOf(found).toEqualTypeOf<{ hits: string[] }>();
      const article = await run.call(writer, found);
      expectTypeOf(article).toEqualTypeOf<Article>();
      // @ts-expect-error an article has no hits
      await run.call(writer, article);
      // @ts-expect-error a query is a string
      await run.call(search, { query: 1 });
      // @ts-expect-error a query is needed
      await run.call(search, {});
      return run.call(publish, article);
    },
  });
});

test("a result has its output's type, and what is known about it", () => {
  expectTypeOf((run: Run) => run.result(writer, { hits: [] })).returns.resolves.toEqualTypeOf<Result<Article>>();
  expectTypeOf((run: Run) => run.step("count", () => 1)).returns.resolves.toEqualTypeOf<number>();
  expectTypeOf((run: Run) => run.step("later", async () => "text")).returns.resolves.toEqualTypeOf<string>();
  expectTypeOf((run: Run) =>
    run.scope("inside", async (inner) => (await inner.call(search, { query: "" })).hits),
  ).returns.resolves.toEqualTypeOf<string[]>();
});

test("branches keep their names and types; with another need each has an outcome", () => {
  const branches = { search: (run: Run) => run.call(search, { query: "" }), count: async () => 1 };
  expectTypeOf((run: Run) => run.all(branches)).returns.resolves.toEqualTypeOf<{
    readonly search: { hits: string[] };
    readonly count: number;
  }>();
  expectTypeOf((run: Run) => run.all(branches, { need: "all", siblings: "undo" })).returns.resolves.toEqualTypeOf<{
    readonly search: { hits: string[] };
    readonly count: number;
  }>();
  for (const need of ["any", "bestEffort", { atLeast: 1 }] as const) {
    expectTypeOf((run: Run) => run.all(branches, { need })).returns.resolves.toEqualTypeOf<{
      readonly search: Outcome<{ hits: string[] }>;
      readonly count: Outcome<number>;
    }>();
  }
  // @ts-expect-error no such branch
  expectTypeOf(async (run: Run) => (await run.all(branches)).other).toBeFunction();
  // @ts-expect-error an outcome is not yet a value
  expectTypeOf(async (run: Run) => (await run.all(branches, { need: "any" })).search.hits).toBeFunction();
  // @ts-expect-error no such need
  expectTypeOf((run: Run) => run.all(branches, { need: "most" })).toBeFunction();
});

test("a map knows its items and its outputs", () => {
  expectTypeOf((run: Run) =>
    run.map(["a", "b"], async (inner, item, index) => {
      expectTypeOf(inner).toEqualTypeOf<Run>();
      expectTypeOf(item).toEqualTypeOf<string>();
      expectTypeOf(index).toEqualTypeOf<number>();
      return (await inner.call(search, { query: item })).hits.length;
    }),
  ).returns.resolves.toEqualTypeOf<Joined<number>>();
  expectTypeOf(async (run: Run) => (await run.map([1], async () => "text")).outcomes).returns.resolves.toEqualTypeOf<
    readonly Outcome<string>[]
  >();
});

test("a race is won by one of its branches: its name tells the type of its value", () => {
  expectTypeOf(async (run: Run) => {
    const winner = await run.race({
      hits: (branch) => branch.call(search, { query: "" }),
      time: (branch) => branch.sleep(1),
    });
    if (winner.name === "hits") expectTypeOf(winner.value).toEqualTypeOf<{ hits: string[] }>();
    else expectTypeOf(winner.value).toEqualTypeOf<void>();
    // @ts-expect-error no such branch
    return winner.name === "other";
  }).toBeFunction();
});

test("a signal's payload is typed where it is waited for and where it is sent", () => {
  expectTypeOf((run: Run) => run.wait(decision)).returns.resolves.toEqualTypeOf<{ yes: boolean }>();
  expectTypeOf((run: Run) => run.wait(decision, { timeoutMs: 1 })).returns.resolves.toEqualTypeOf<
    { yes: boolean } | undefined
  >();
  expectTypeOf((run: Run) => run.wait("by name")).returns.resolves.toEqualTypeOf<unknown>();
  expectTypeOf((run: Run) => run.emit(toRunId("r"), decision, { yes: true })).returns.resolves.toEqualTypeOf<void>();
  // @ts-expect-error yes is a boolean
  expectTypeOf((run: Run) => run.emit(toRunId("r"), decision, { yes: 1 })).toBeFunction();
  // @ts-expect-error a run's id is not just any text
  expectTypeOf((run: Run) => run.emit("r", decision, { yes: true })).toBeFunction();
});

test("a child's result has its flow's output type", () => {
  expectTypeOf((run: Run) => run.child(publish, { title: "" })).returns.resolves.toEqualTypeOf<
    ChildRun<{ url: string }>
  >();
  // @ts-expect-error a title is a string
  expectTypeOf((run: Run) => run.child(publish, { title: 1 })).toBeFunction();
  // @ts-expect-error a tool is no flow
  expectTypeOf((run: Run) => run.child(search, { query: "" })).toBeFunction();
});
