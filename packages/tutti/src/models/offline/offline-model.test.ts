import { expect, test } from "vitest";
import { z } from "zod";

import { verifies } from "../../../../../test/verifies.ts";
import type { ModelMessage, ModelReply, ModelTool } from "../../contracts/model.ts";
import { toTask } from "../../testing/model-task.ts";
import { disclosure } from "./find-text.ts";
import { offlineModel } from "./offline-model.ts";
import type { JsonObject } from "./schema-node.ts";

const signal = new AbortController().signal;

const search: ModelTool = {
  name: "sources.search",
  does: "Searches.",
  input: {
    type: "object",
    properties: { query: { type: "string" }, limit: { type: "integer", maximum: 20 } },
    required: ["query"],
  },
};
const read: ModelTool = {
  name: "sources.read",
  does: "Reads.",
  input: { type: "object", properties: { source: { type: "string" }, at: { type: "integer" } }, required: ["source"] },
};

function generate(
  messages: readonly ModelMessage[],
  schema: z.ZodType | JsonObject,
  tools: readonly ModelTool[] = [],
): Promise<ModelReply> {
  const wanted: JsonObject = schema instanceof z.ZodType ? z.toJSONSchema(schema) : schema;
  return offlineModel().generate({ messages, tools, answer: { name: "answer", schema: wanted } }, signal);
}

async function answer<Schema extends z.ZodType>(
  messages: readonly ModelMessage[],
  schema: Schema,
): Promise<z.output<Schema>> {
  const reply = await generate(messages, schema);
  return schema.parse(JSON.parse(reply.text));
}

/** The conversation after the model's calls were answered. */
function answered(messages: readonly ModelMessage[], reply: ModelReply, results: readonly unknown[]): ModelMessage[] {
  const tools = reply.toolCalls.map((call, index): ModelMessage => {
    const result = results[index];
    return {
      role: "tool",
      callId: call.id,
      tool: call.tool,
      result: result instanceof Error ? result.message : result,
      isError: result instanceof Error,
    };
  });
  return [...messages, { role: "assistant", text: reply.text, toolCalls: reply.toolCalls }, ...tools];
}

const hits = {
  hits: [
    {
      source: "docs/ledger.md",
      title: "The ledger",
      passage:
        "The ledger keeps every entry for ever. It was written in spring.\n\nA crash never loses an entry that was\nacknowledged, because the ledger writes it to disk first.",
      at: 0,
    },
    {
      source: "docs/tools.md",
      title: "Tools",
      passage: "Tools are functions with a contract, and nothing in this text is about storage at all.",
      at: 40,
    },
  ],
};

const Finding = z.object({ claim: z.string(), quote: z.string(), source: z.string() });
const Findings = z.object({ findings: z.array(Finding).max(4) });

test("it searches for the question first, then reads where the search hit, then answers", verifies("X1"), async () => {
  const asked = toTask({ question: "Does the ledger lose an entry in a crash?" });
  const first = await generate(asked, Findings, [search, read]);
  expect(first.toolCalls[0]).toMatchObject({
    tool: "sources.search",
    input: { query: "ledger lose entry crash", limit: 12 },
  });
  const found = answered(
    asked,
    first,
    first.toolCalls.map(() => hits),
  );
  const second = await generate(found, Findings, [search, read]);
  expect(second.toolCalls.map((call) => call.input)).toEqual([
    { source: "docs/ledger.md", at: 0 },
    { source: "docs/tools.md", at: 40 },
  ]);
  const third = await generate(
    answered(
      found,
      second,
      second.toolCalls.map(() => ({ found: false, text: "" })),
    ),
    Findings,
    [search, read],
  );
  expect(third.toolCalls).toEqual([]);
  expect(Findings.parse(JSON.parse(third.text)).findings[0]).toEqual({
    claim: "A crash never loses an entry that was acknowledged, because the ledger writes it to disk first.",
    quote: "A crash never loses an entry that was acknowledged, because the ledger writes it to disk first.",
    source: "docs/ledger.md",
  });
});

test(
  "a search that finds nothing is tried once more with other words, then the answer is an empty list",
  verifies("D8"),
  async () => {
    let messages = toTask({ question: "What is said about the weather in Paris today?" });
    let reply = await generate(messages, Findings, [search, read]);
    const queries: unknown[] = [];
    while (reply.toolCalls.length > 0) {
      queries.push(...reply.toolCalls.map((call) => z.object({ query: z.string() }).parse(call.input).query));
      messages = answered(
        messages,
        reply,
        reply.toolCalls.map(() => ({ hits: [] })),
      );
      reply = await generate(messages, Findings, [search, read]);
    }
    expect(JSON.parse(reply.text)).toEqual({ findings: [] });
    expect(queries).toEqual(["weather paris today", "weather", "weather paris"]);
  },
);

test("a tool that failed is not called again with the same input", async () => {
  const asked = toTask({ question: "ledger" });
  const first = await generate(asked, Findings, [search]);
  const second = await generate(
    answered(
      asked,
      first,
      first.toolCalls.map(() => new Error("no network")),
    ),
    Findings,
    [search],
  );
  expect(second.toolCalls).toEqual([]);
  expect(JSON.parse(second.text)).toEqual({ findings: [] });
});

test("passages that do not answer give an empty list, not the best of them", async () => {
  const messages = toTask({ question: "Which penguins live in Antarctica?", passages: hits.hits });
  expect(await answer(messages, Findings)).toEqual({ findings: [] });
});

test("a tool whose whole input was handed in is called with exactly that", async () => {
  const check: ModelTool = {
    name: "quotes.check",
    does: "Checks quotes.",
    input: z.toJSONSchema(z.object({ quotes: z.array(z.object({ quote: z.string(), source: z.string() })) })),
  };
  const publish: ModelTool = {
    name: "page.publish",
    does: "Publishes.",
    input: z.toJSONSchema(z.object({ slug: z.string(), html: z.string() })),
  };
  const draft = {
    title: "T",
    sections: [
      { heading: "H", paragraphs: [{ text: "t", quote: "q1", source: "s1" }] },
      { heading: "I", paragraphs: [{ text: "u", quote: "q2", source: "s2" }] },
    ],
  };
  const asked = toTask({ draft });
  const reply = await generate(asked, z.object({ approved: z.boolean() }), [check, publish]);
  const quotes = [
    { quote: "q1", source: "s1" },
    { quote: "q2", source: "s2" },
  ];
  expect(reply.toolCalls.map(({ tool, input }) => ({ tool, input }))).toEqual([
    { tool: "quotes.check", input: { quotes } },
  ]);
  const problems = [{ quote: "q2", source: "s2", reason: "not in the source" }];
  const Verdict = z.object({
    approved: z.boolean(),
    problems: z.array(z.object({ quote: z.string(), source: z.string(), reason: z.string() })),
  });
  const verdict = await answer(answered(asked, reply, [{ approved: false, problems }]), Verdict);
  expect(verdict).toEqual({ approved: false, problems });
});

test("a topic that lists things becomes one question for each", async () => {
  const Plan = z.object({ questions: z.array(z.string()).min(3).max(5) });
  const plan = await answer(
    toTask({ topic: "What do the packages say about speed, memory use and browser support?" }),
    Plan,
  );
  expect(plan.questions.slice(0, 3)).toEqual([
    "What do the packages say about speed?",
    "What do the packages say about memory use?",
    "What do the packages say about browser support?",
  ]);
});

test(
  "a draft groups what was found under its questions, word for word, and says who wrote it",
  verifies("G1"),
  async () => {
    const findings = [
      { claim: "It is fast.", quote: "The parser is fast on every input that we tried.", source: "a.md" },
    ];
    const Draft = z.object({
      title: z.string(),
      summary: z.string(),
      sections: z.array(
        z.object({
          heading: z.string(),
          paragraphs: z.array(Finding.omit({ claim: true }).extend({ text: z.string() })),
        }),
      ),
      note: z.string(),
    });
    const draft = await answer(
      toTask({ topic: "speed of parsers", answers: [{ question: "How fast is it?", findings }] }),
      Draft,
    );
    expect(draft.title).toBe("Speed of parsers");
    expect(draft.summary).toBe("The parser is fast on every input that we tried.");
    expect(draft.sections).toEqual([
      { heading: "How fast is it?", paragraphs: [{ text: "It is fast.", quote: findings[0]?.quote, source: "a.md" }] },
    ]);
    expect(draft.note).toContain("Offline extractive model");
  },
);

test("prose without a place for a note carries the disclosure itself", async () => {
  const { summary } = await answer(
    toTask({ question: "ledger crash", passages: hits.hits }),
    z.object({ summary: z.string() }),
  );
  expect(summary).toContain("A crash never loses an entry");
  expect(summary).toContain(disclosure);
});

test("an option is chosen for the evidence that speaks for it, and the reason is said", async () => {
  const counts = [
    { by: "question", bars: [{ label: "a", value: 1 }] },
    {
      by: "source",
      bars: [
        { label: "a", value: 1 },
        { label: "b", value: 2 },
      ],
    },
  ];
  const chosen = await answer(
    toTask({ topic: "speed", counts }),
    z.object({ by: z.enum(["question", "source"]), reason: z.string() }),
  );
  expect(chosen.by).toBe("source");
  expect(chosen.reason).toBe(
    "Offline extractive model: the given material says most about “source”; it says less about “question”.",
  );
});

test("values that are no sentences are taken from beside their names", async () => {
  const text =
    "Invoice number: A-4711\nDate: 2026-02-03\nThe total of 1,299.50 is due within 14 days. Paid: no. Contact: billing@example.org";
  const Invoice = z.object({
    invoiceNumber: z.string(),
    date: z.iso.date(),
    total: z.number(),
    dueDays: z.int().optional(),
    contact: z.email(),
    currency: z.enum(["EUR", "USD", "unknown"]),
    discount: z.number().nullable(),
  });
  expect(await answer([{ role: "user", text: `What is on the invoice?\n${text}` }], Invoice)).toEqual({
    invoiceNumber: "A-4711",
    date: "2026-02-03",
    total: 1299.5,
    dueDays: 14,
    contact: "billing@example.org",
    currency: "unknown",
    discount: null,
  });
});

test("without evidence it chooses the branch and the option that say so", async () => {
  const Outcome = z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("answer"), text: z.string() }),
    z.object({ kind: z.literal("nothing"), why: z.string() }),
  ]);
  const outcome = await answer(
    toTask({ question: "Where is Atlantis?" }),
    z.object({ outcome: Outcome, verdict: z.enum(["yes", "no", "unclear"]), found: z.boolean() }),
  );
  expect(outcome).toMatchObject({ outcome: { kind: "nothing" }, verdict: "unclear", found: false });
});

test("a schema that refers to itself comes to an end", async () => {
  const schema = {
    $ref: "#/$defs/node",
    $defs: {
      node: {
        type: "object",
        properties: { name: { type: "string" }, child: { $ref: "#/$defs/node" } },
        required: ["name", "child"],
      },
    },
  };
  const reply = await generate(toTask({ question: "ledger" }), schema);
  expect(JSON.parse(reply.text)).toHaveProperty("child.child");
});

test("its usage counts words and costs nothing", verifies("M4"), async () => {
  const { usage } = await generate(toTask({ question: "ledger" }), Findings);
  expect(usage).toMatchObject({ modelCalls: 1, costUsd: 0 });
  expect(usage.inputTokens).toBeGreaterThan(3);
  expect(usage.outputTokens).toBeGreaterThan(0);
});

test("a call that was cancelled does not begin", async () => {
  const request = { messages: toTask({ question: "x" }), tools: [], answer: { name: "a", schema: {} } };
  await expect(offlineModel().generate(request, AbortSignal.abort(new Error("cancelled")))).rejects.toThrow(
    "cancelled",
  );
});
