import fc from "fast-check";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { openStage, plainFlow } from "../../../../../test/engine/engine-fixture.ts";
import { privateWords, playTracedRuns, type TracedRuns } from "../../../../../test/otlp/traced-runs.ts";
import { toEntries } from "../../../../../test/sample-entries.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { toTraceId, toTraceparent } from "../../base/trace-context.ts";
import { toRunId } from "../../contracts/ids.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { toRunTree } from "../next-run-tree.ts";
import { totalsOf } from "../run-tree.ts";
import { names } from "./conventions.ts";
import { openSpanReader, type SpanOptions } from "./span-reader.ts";
import type { Span, Telemetry } from "./span.ts";

let traced: TracedRuns;
beforeAll(async () => {
  traced = await playTracedRuns();
});
afterAll(() => traced.tutti.close());

const readAll = (options: SpanOptions = {}): Promise<Telemetry> =>
  openSpanReader(traced.ledger, options).read(traced.entries);

const sumOf = (spans: readonly Span[], name: string): number =>
  spans.reduce((sum, { attributes }) => sum + Number(attributes[name] ?? 0), 0);

test(
  "tokens and cost of all spans are those of the ledger: no parent, no copy of a fork counts them again",
  verifies("O10", "M4", "O9"),
  async () => {
    const { spans } = await readAll();
    const tree = toRunTree(await traced.ledger.read(toRunId("traced")));
    const { usage } = totalsOf(tree);
    expect(usage).toMatchObject({ modelCalls: 3, inputTokens: 27, outputTokens: 13 });
    expect(sumOf(spans, names.inputTokens)).toBe(usage.inputTokens);
    expect(sumOf(spans, names.outputTokens)).toBe(usage.outputTokens);
    expect(sumOf(spans, "tutti.model_calls")).toBe(usage.modelCalls);
    expect(sumOf(spans, "tutti.cost_usd")).toBeCloseTo(usage.costUsd ?? 0, 10);
    const carriers = spans.filter(({ attributes }) => names.inputTokens in attributes);
    expect(new Set(carriers.map(({ role }) => role))).toEqual(new Set(["model"]));
  },
);

test("a run is told with what happened in it, each with its parent", verifies("O10", "O1"), async () => {
  const { spans } = await readAll();
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const lines = spans
    .filter(({ traceId }) => traceId === toTraceId("traced"))
    .map((span) => `${byId.get(span.parentSpanId ?? "")?.name ?? "-"} > ${span.name} ${span.error ?? ""}`.trim());
  expect(lines).toEqual([
    "invoke_agent reporter > chat script-1 MODEL_UNAVAILABLE",
    "invoke_agent reporter > chat script-1",
    "invoke_agent reporter > execute_tool orchard.look-up TOOL_UNAVAILABLE",
    "invoke_agent reporter > execute_tool orchard.look-up",
    "invoke_agent reporter > chat script-1",
    "invoke_workflow reporting > invoke_agent reporter",
    "invoke_workflow reporting > tutti.decision decision-made",
    "invoke_workflow reporting > execute_tool orchard.publish",
    "invoke_workflow reporting > execute_tool orchard.publish",
    "invoke_workflow reporting > tutti.wait sleep",
    "invoke_workflow reporting > tutti.child printing",
    "invoke_workflow reporting > tutti.wait wait-printed",
    "- > invoke_workflow reporting",
  ]);
});

test("every link leads to a span that is told, and says why", verifies("O10", "O5"), async () => {
  const { spans } = await readAll();
  const known = new Set(spans.map(({ traceId, spanId }) => `${traceId} ${spanId}`));
  const links = spans.flatMap((span) => span.links);
  expect(links.filter(({ traceId, spanId }) => !known.has(`${traceId} ${spanId}`))).toEqual([]);
  const types = new Set(links.map(({ attributes }) => attributes["tutti.link.type"]));
  expect(types).toEqual(new Set(["data", "retry", "shared", "child", "fork"]));
});

test("a confidence is an evaluation of the span that it is about", verifies("O10", "O3"), async () => {
  const { spans, events } = await readAll();
  const about = events.map(({ spanId, attributes }) => [
    spans.find((span) => span.spanId === spanId)?.name,
    attributes[names.evaluationScore],
  ]);
  expect(about).toEqual([
    ["invoke_agent reporter", 0.9],
    ["tutti.decision decision-made", 0.75],
  ]);
});

test("names and required attributes are those of the conventions", verifies("O10"), async () => {
  const required: Readonly<Record<string, readonly string[]>> = {
    chat: [names.provider, names.requestModel],
    execute_tool: [names.tool],
    invoke_agent: [names.agent],
    invoke_workflow: [names.workflow],
    plan: [names.agent],
  };
  const subject: Readonly<Record<string, string>> = {
    chat: names.requestModel,
    execute_tool: names.tool,
    invoke_agent: names.agent,
    invoke_workflow: names.workflow,
    plan: names.agent,
  };
  const { spans } = await readAll();
  const operations = spans.filter(({ attributes }) => names.operation in attributes);
  expect(new Set(operations.map(({ role }) => role))).toEqual(new Set(["model", "tool", "agent", "run"]));
  for (const { name, attributes, error } of operations) {
    const operation = String(attributes[names.operation]);
    expect(Object.keys(attributes)).toEqual(
      expect.arrayContaining(["gen_ai.operation.name", ...(required[operation] ?? ["none"])]),
    );
    expect(name).toBe(`${operation} ${String(attributes[subject[operation] ?? ""])}`);
    expect(attributes["error.type"]).toBe(error);
  }
});

test(
  "values stay inside unless bodies are asked for: then they leave, and only hashes before",
  verifies("O10", "G10"),
  async () => {
    expect(JSON.stringify(await readAll())).not.toContain(privateWords);
    const { spans } = await readAll({ bodies: true, dialect: "langfuse" });
    const published = spans.find(({ attributes }) => attributes[names.tool] === "orchard.publish");
    expect(published?.attributes).toMatchObject({
      [names.toolArguments]: JSON.stringify({ text: `${privateWords} is in` }),
      "langfuse.observation.input": JSON.stringify({ text: `${privateWords} is in` }),
    });
  },
);

test("of a run about a person not even a hash leaves", verifies("G10", "O10"), async () => {
  const [first, ...rest] = traced.entries;
  const body = JSON.stringify({ flow: "reporting", version: "1", personal: "p" });
  const personal = first === undefined ? [] : [{ ...first, body }, ...rest];
  const { spans } = await openSpanReader(traced.ledger, { bodies: true }).read(personal);
  const told = JSON.stringify(spans.filter(({ traceId }) => traceId === toTraceId("traced")));
  expect(told).not.toContain(privateWords);
  expect(told).not.toContain("sha256");
});

test("a dialect adds what its tool draws from, and changes nothing else", verifies("O10"), async () => {
  const plain = await readAll();
  const kinds = {
    phoenix: "openinference.span.kind",
    langfuse: "langfuse.observation.type",
    langsmith: "langsmith.span.kind",
  } as const;
  for (const dialect of ["phoenix", "langfuse", "langsmith"] as const) {
    const { spans } = await readAll({ dialect });
    expect(spans).toMatchObject(plain.spans);
    expect(spans.every(({ attributes }) => kinds[dialect] in attributes)).toBe(true);
  }
  const { spans } = await readAll({ dialect: "phoenix" });
  expect(spans.find(({ role }) => role === "model")?.attributes).toMatchObject({
    "openinference.span.kind": "LLM",
    "llm.token_count.total": 10,
  });
});

test("an id is the one that a call carried to the outside while the run was going on", async () => {
  const { spans } = await readAll();
  const tool = spans.find(({ role, error }) => role === "tool" && error === undefined);
  expect(`00-${tool?.traceId ?? ""}-${tool?.spanId ?? ""}-01`).toBe(
    toTraceparent("traced", "/reporter/orchard.look-up:a", 2),
  );
});

test(
  "however the ledger is cut into pages, wherever reading begins, and however little is kept in memory, the spans are the same",
  verifies("O10"),
  async () => {
    const whole = await readAll();
    expect(new Set(whole.spans.map(({ spanId }) => spanId)).size).toBe(whole.spans.length);
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: traced.entries.length - 1 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(cuts, fc.constantFrom(0, 3, 1_000), async (at, openStepsMax) => {
        const bounds = [0, ...at.toSorted((left, right) => left - right), traced.entries.length];
        const spans: Span[] = [];
        let reader = openSpanReader(traced.ledger, { openStepsMax });
        for (const [index, from] of bounds.slice(0, -1).entries()) {
          // Another process goes on with every other page.
          if (index % 2 === 1) reader = openSpanReader(traced.ledger, { openStepsMax });
          const told = await reader.read(traced.entries.slice(from, bounds[index + 1]));
          spans.push(...told.spans);
        }
        expect(spans).toEqual(whole.spans);
      }),
      { numRuns: 40 },
    );
  },
);

test("an approval is a span from the question to its end", verifies("O10", "O2"), async () => {
  const stage = openStage();
  const asking = plainFlow("asking", (run) => run.approve("print it?", { deadlineMs: 60_000 }));
  const tutti = await stage.open([asking]);
  const ended = tutti.run(asking, {}, { id: "asks" });
  await stage.clock.advance(120_000);
  await ended;
  const { spans } = await openSpanReader(stage.ledger).read(stage.entries);
  const lines = spans.map(({ name, startMs, endMs, attributes }) => [
    name,
    endMs - startMs,
    attributes["tutti.outcome"],
  ]);
  expect(lines).toEqual([
    ["tutti.approval approve", 60_000, "expired"],
    ["tutti.step approve", 0, undefined],
    ["invoke_workflow asking", 60_000, "done"],
  ]);
  await tutti.close();
});

test("what lost a race ends with its run, and an effect in doubt when somebody settles it", async () => {
  const effect = { effect: "pay", tool: "bank.pay", class: "once", digest: "d" } as const;
  const entries = toEntries([
    { kind: "run-started", body: { flow: "race", version: "1" } },
    { kind: "agent-started", key: "/slow", body: { agent: "slow", version: "1" } },
    { kind: "timer-set", key: "/slow/sleep", body: { dueAt: 9 } },
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a brand only
    { kind: "effect-intended", key: "/pay", body: { ...effect, effect: effect.effect as never } },
    { kind: "run-cancelled", body: { reason: "late" } },
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a brand only
    { kind: "effect-settled", key: "/pay", body: { effect: "pay" as never, by: "person" } },
  ]);
  const reader = openSpanReader(traced.ledger);
  const told = [];
  for (const entry of entries) told.push((await reader.read([entry])).spans.map(({ name }) => name));
  expect(told).toEqual([
    [],
    [],
    [],
    [],
    ["invoke_agent slow", "tutti.wait sleep", "invoke_workflow race"],
    ["execute_tool bank.pay"],
  ]);
});

test("runs that take turns are read once, as long as what is open of them fits", async () => {
  const runs = ["left", "right"].map((run) =>
    toEntries(
      [
        { kind: "run-started", body: { flow: "race", version: "1" } },
        ...Array.from({ length: 60 }, (_, step) => ({
          kind: "step-done" as const,
          key: `/${step}`,
          body: { out: step },
        })),
      ],
      run,
    ),
  );
  const read = vi.fn<Ledger["read"]>((...asked) => traced.ledger.read(...asked));
  const reader = openSpanReader({ ...traced.ledger, read }, { openStepsMax: 20 });
  for (let at = 0; at < 61; at++) await reader.read(runs.flatMap((entries) => entries.slice(at, at + 1)));
  expect(read).not.toHaveBeenCalled();
});

test("of a run whose earlier entries are lost, what is there is told, and nothing hangs", async () => {
  const [, second] = toEntries([
    { kind: "run-started", body: { flow: "race", version: "1" } },
    { kind: "step-done", key: "/a", body: { out: 1 } },
  ]);
  const reader = openSpanReader({ ...traced.ledger, read: async () => [] });
  const { spans } = await reader.read(second === undefined ? [] : [second]);
  expect(spans).toMatchObject([{ name: "tutti.step a" }]);
});
