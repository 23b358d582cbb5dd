import { afterAll, beforeAll, expect, test } from "vitest";

import { playEverything, type EverythingPlayed } from "../../../../../test/otlp/everything-run.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { toSpanId, toTraceId } from "../../base/trace-context.ts";
import { toRunId } from "../../contracts/ids.ts";
import { toPolicyDecisions } from "../../contracts/policy-decision.ts";
import { openSpanReader } from "./span-reader.ts";
import type { Span, Telemetry } from "./span.ts";

let played: EverythingPlayed;
let told: Telemetry;

beforeAll(async () => {
  played = await playEverything();
  told = await openSpanReader(played.stage.ledger).read(played.stage.entries);
});

afterAll(() => played.tutti.close());

const ofRole = (role: Span["role"]): readonly Span[] =>
  told.spans.filter((span) => span.role === role && span.traceId === toTraceId("all"));
const attributesOf = (role: Span["role"]): readonly Span["attributes"][] =>
  ofRole(role).map(({ attributes }) => attributes);

test("a planner's call is a plan, and its question lies in it", verifies("O10"), () => {
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

test("documents are told as read, in conflict and committed, with their versions", verifies("O10"), () => {
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
      played.stage.entries.filter((entry) => entry.run === toRunId("all") && toPolicyDecisions(entry).length > 0)
        .length,
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
  expect(played.stage.entries.some(({ kind }) => kind === "budget-reserved")).toBe(true);
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
