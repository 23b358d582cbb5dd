import { ProtobufLogsSerializer, ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { toAskingPolicy, vote } from "../../../../../test/approvals/approval-fixture.ts";
import { openStage, plainFlow, type Stage } from "../../../../../test/engine/engine-fixture.ts";
import { origin, toOfficialLog, toOfficialSpan } from "../../../../../test/otlp/official.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { agent } from "../../agents/agent.ts";
import { toSpanId, toTraceId } from "../../base/trace-context.ts";
import { toRunId, toStepKey } from "../../contracts/ids.ts";
import type { Tutti } from "../../engine/tutti.ts";
import { document } from "../../flow/document.ts";
import { scriptedModel } from "../../testing/scripted-model.ts";
import { tool } from "../../tools/tool.ts";
import { eventsToJson, spansToJson } from "./encode-json.ts";
import { encodeEvents, encodeSpans } from "./encode-protobuf.ts";
import { openSpanReader } from "./span-reader.ts";
import type { Span, Telemetry } from "./span.ts";

const stock = document({ name: "stock", value: z.number(), initial: 10 });

const toAgent = (name: string) =>
  agent({
    name,
    does: "Thinks.",
    model: "fast",
    input: z.object({}),
    output: z.object({ word: z.string() }),
    instructions: "",
  });

const send = tool({
  name: "mail.send",
  does: "Sends.",
  input: z.object({ to: z.string() }),
  output: z.object({ sent: z.string() }),
  effect: "once",
  key: ({ to }) => to,
  run: ({ to }) => ({ sent: to }),
});

const taking = plainFlow("taking", (run) => run.document(stock, "apples").change((left) => left - 1));

let stage: Stage;
let tutti: Tutti;
let told: Telemetry;

/** A run with everything beside calls: a plan, a message with its answer, votes, documents with a conflict, policies, approvals, a directive. */
const everything = plainFlow("everything", async (run) => {
  await run.call(toAgent("planner"), {});
  const draft = await run.step("draft", () => "a draft");
  const asked = run.record("message-sent", {
    from: "planner",
    to: "writer",
    intent: "please look",
    bytes: draft.length,
    readBy: toStepKey("/draft"),
  });
  run.record("message-sent", { from: "writer", to: "planner", intent: "looked", bytes: 6, inReplyTo: asked });
  await run.agree([toAgent("optimist"), toAgent("pessimist")], {}, { by: { kind: "vote" }, name: "poll" });
  await run.document(stock, "apples").read();
  await run.transact(async (tx) => {
    const left = (await tx.document(stock, "apples").read()).value;
    await tx.step("think", async () => {
      if (tx.attempt === 1) await tutti.run(taking, null);
    });
    await tx.document(stock, "apples").write(left - 3);
  });
  await run.wait("told");
  await run.approve("go on?", { deadlineMs: 60_000 });
  return run.call(send, { to: "anna" });
});

beforeAll(async () => {
  stage = openStage();
  tutti = await stage.open([everything, taking], {
    tools: [send],
    models: {
      fast: scriptedModel(() => ({ answer: { word: "yes" }, confidence: { value: 0.8, source: "logprobs" } })),
    },
    policy: toAskingPolicy({}, { tool: send.name }),
    budgets: { "flow/everything": { calls: 100 } },
  });
  const run = await tutti.start(everything, {}, { id: "all" });
  await run.settled();
  await run.steer({ kind: "constraint", text: "only in Europe" }, { by: "ada" });
  await run.signal("told", {});
  await run.settled();
  await vote(tutti, "bert");
  await run.settled();
  await vote(tutti, "bert");
  await run.result();
  told = await openSpanReader(stage.ledger).read(stage.entries);
});

afterAll(() => tutti.close());

const ofRole = (role: Span["role"]): readonly Span[] =>
  told.spans.filter((span) => span.role === role && span.traceId === toTraceId("all"));
const attributesOf = (role: Span["role"]): readonly Span["attributes"][] =>
  ofRole(role).map(({ attributes }) => attributes);

test("a planner's call is a plan, and its question lies in it", verifies("O10", "P1"), () => {
  const [plan] = ofRole("plan");
  expect(plan).toMatchObject({ name: "plan planner", parentSpanId: toSpanId(toRunId("all"), "", 1) });
  expect(ofRole("model").map(({ parentSpanId }) => parentSpanId)).toContain(plan?.spanId);
});

test("a message says from whom to whom, and leads to who read it and to what it answers", verifies("O10", "O5"), () => {
  const [asked, answered] = ofRole("message");
  expect(asked?.attributes).toMatchObject({
    "tutti.message.from": "planner",
    "tutti.message.to": "writer",
    "tutti.message.intent": "please look",
    "tutti.message.bytes": 7,
  });
  const [draft] = ofRole("step");
  expect(asked?.links).toMatchObject([{ spanId: draft?.spanId, attributes: { "tutti.link.type": "message" } }]);
  expect(answered?.links).toEqual([
    { traceId: asked?.traceId, spanId: asked?.spanId, attributes: { "tutti.link.type": "message" } },
  ]);
});

test("votes are a decision with its rule, its outcome and its confidence", verifies("O10", "O2"), () => {
  expect(attributesOf("decision")).toMatchObject([
    {
      "tutti.decision.outcome": "agreed",
      "tutti.decision.votes": 2,
      "tutti.decision.agree": 2,
      "tutti.confidence": expect.closeTo(0.692, 3),
    },
  ]);
});

test("documents are told as read, in conflict and committed, with their versions", verifies("O10", "O4"), () => {
  expect(ofRole("document").map(({ name }) => name)).toEqual([
    "tutti.document read",
    "tutti.document read",
    "tutti.document conflict",
    "tutti.document read",
    "tutti.document commit",
  ]);
  expect(attributesOf("document")).toMatchObject([
    { "tutti.document": "stock/apples", "tutti.document.version": 0 },
    {},
    { "tutti.document.stale": ["stock/apples"], "tutti.document.next": "rerun" },
    { "tutti.document.version": 1 },
    { "tutti.document.writes": ["stock/apples@2"] },
  ]);
});

test(
  "every decision of a policy is told with its rules, and every approval from question to answer",
  verifies("O10", "G3"),
  () => {
    const policies = attributesOf("policy");
    expect(policies.length).toBe(
      stage.entries.filter(({ kind, run }) => kind === "policy-decided" && run === "all").length,
    );
    expect(policies).toContainEqual(
      expect.objectContaining({
        "tutti.policy.verdict": "needs",
        "tutti.policy.rules": ["ask"],
        "tutti.policy.action": "call-tool",
        "tutti.policy.resource": "mail.send",
        "tutti.policy.version": "1",
      }),
    );
    expect(attributesOf("approval")).toMatchObject([
      { "tutti.step": "/approve", "tutti.outcome": "granted" },
      { "tutti.step": "/mail.send", "tutti.outcome": "granted" },
    ]);
  },
);

test("a directive is told without its words, and what a budget sets aside is no step", verifies("O10", "G5"), () => {
  expect(ofRole("directive")).toMatchObject([{ name: "tutti.directive" }]);
  expect(JSON.stringify(told)).not.toContain("only in Europe");
  expect(stage.entries.some(({ kind }) => kind === "budget-reserved")).toBe(true);
  expect(told.spans.filter(({ name }) => name.includes("budget"))).toEqual([]);
});

test("of one run no two spans and no two evaluations have one id", verifies("O10", "O3"), () => {
  expect(new Set(told.spans.map(({ traceId, spanId }) => traceId + spanId)).size).toBe(told.spans.length);
  const ids = told.events.map(({ attributes }) => attributes["tutti.entry"]);
  expect(ids.length).toBeGreaterThanOrEqual(4);
  expect(new Set(ids).size).toBe(ids.length);
  const spans = new Set(told.spans.map(({ spanId }) => spanId));
  expect(told.events.every(({ spanId }) => spans.has(spanId))).toBe(true);
});

test("what is sent again is the same bytes, and those of the official serializer", verifies("O10"), async () => {
  const again: { readonly spans: Span[]; readonly events: Telemetry["events"][number][] } = { spans: [], events: [] };
  for (const entry of stage.entries) {
    // Another process for each entry.
    const { spans, events } = await openSpanReader(stage.ledger).read([entry]);
    again.spans.push(...spans);
    again.events.push(...events);
  }
  expect(spansToJson(again.spans, origin)).toBe(spansToJson(told.spans, origin));
  expect(eventsToJson(again.events, origin)).toBe(eventsToJson(told.events, origin));
  const official = ProtobufTraceSerializer.serializeRequest(told.spans.map(toOfficialSpan));
  expect(Buffer.from(encodeSpans(again.spans, origin))).toEqual(Buffer.from(official ?? []));
  const officialEvents = ProtobufLogsSerializer.serializeRequest(told.events.map(toOfficialLog));
  expect(Buffer.from(encodeEvents(again.events, origin))).toEqual(Buffer.from(officialEvents ?? []));
});
