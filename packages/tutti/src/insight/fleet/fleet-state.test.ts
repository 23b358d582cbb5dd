import { expect, test } from "vitest";

import type { SampleLine } from "../../../../../test/sample-entries.ts";
import { started, toFleet } from "../../../../../test/sample-fleet.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { toDocumentId, toEffectKey } from "../../contracts/ids.ts";
import { toRunLine } from "./run-notes.ts";
import { toCallableLine } from "./tally.ts";

const usage = { modelCalls: 1, inputTokens: 100, outputTokens: 10, costUsd: 0.25 };
const reply = { text: "x", toolCalls: [], usage, model: "acme/fast" };
const error = { code: "TOOL_FAILED", message: "no" } as const;

const work: readonly SampleLine[] = [
  { kind: "agent-started", key: "/w", body: { agent: "writer", version: "2" }, atMs: 1_000 },
  {
    kind: "attempt-failed",
    key: "/w/model",
    body: { error: { ...error, facts: { ...usage } }, attempt: 1, nextAt: 0 },
  },
  { kind: "step-done", key: "/w/model", body: { out: reply, attempt: 2 } },
  { kind: "step-done", key: "/w/find", body: { call: "web.search", effect: "read", out: {} } },
  {
    kind: "scope-closed",
    key: "/w",
    body: { agent: "writer@2", usage, confidence: { value: 0.5, source: "check" } },
    atMs: 5_000,
  },
  {
    kind: "effect-intended",
    key: "/send",
    body: { effect: toEffectKey("m:1"), tool: "mail", class: "once", digest: "" },
    atMs: 6_000,
  },
  { kind: "effect-failed", key: "/send", body: { effect: toEffectKey("m:1"), error }, atMs: 6_200 },
];

test(
  "cost, tokens, latency and success are told for each agent version, tool, model, flow and tenant",
  verifies("O9"),
  () => {
    const fleet = toFleet(
      [started({ tenant: "acme" }), ...work, { kind: "run-failed", body: { error }, atMs: 7_000 }],
      [started(), ...work, { kind: "run-done", body: {}, atMs: 7_000 }],
    );
    const lines = [...fleet.tallies.values()].filter(({ tenant }) => tenant === "acme").map(toCallableLine);
    const find = (kind: string): unknown => lines.find((line) => line.kind === kind);
    expect(find("agent")).toMatchObject({
      name: "writer",
      version: "2",
      calls: 1,
      done: 1,
      spent: { costUsd: 0.25, inputTokens: 100, outputTokens: 10 },
      latencyMs: { count: 1, longest: 4_000, p50: 4_000, p95: 4_000 },
      confidence: { count: 1, mean: 0.5, lowest: 0.5 },
    });
    expect(find("model")).toMatchObject({ name: "acme/fast", done: 1, retries: 1, spent: { modelCalls: 1 } });
    expect(lines.filter(({ kind }) => kind === "tool")).toMatchObject([
      { name: "web.search", done: 1 },
      { name: "mail", failed: 1, latencyMs: { longest: 200 } },
    ]);
    expect(find("flow")).toMatchObject({
      name: "brief",
      failed: 1,
      latencyMs: { longest: 7_000 },
      spent: { costUsd: 0.5 },
    });
    expect(fleet.tallies.size).toBe(2 * lines.length);
  },
);

test("a line of the list says where a run stands, what it cost and what it needs", () => {
  const fleet = toFleet([
    started({ tenant: "acme" }),
    ...work,
    { kind: "effect-in-doubt", key: "/pay", body: { effect: toEffectKey("p:1"), why: "lost" } },
  ]);
  const notes = fleet.runs.get("run-0");
  expect(
    notes && toRunLine(notes, { status: "in-doubt", wakeAt: undefined, asked: [], freeze: undefined }),
  ).toMatchObject({
    tenant: "acme",
    status: "in-doubt",
    inDoubt: 1,
    phases: 3,
    stepsDone: 2,
    stepsFailed: 1,
    retries: 1,
    agents: ["writer"],
    now: "/pay",
    confidenceLowest: 0.5,
    spent: { modelCalls: 2, costUsd: 0.5 },
  });
});

test("what a fork took over was not spent again", () => {
  const forkedFrom = { run: "run-9", step: "/send", seq: 6, lineage: "run-9" };
  const copied = work.slice(2, 5).map((line): SampleLine => ({ ...line, atMs: 0 }));
  const fleet = toFleet([
    started({ forkedFrom }),
    ...copied,
    { kind: "step-done", key: "/w/model#2", body: { out: reply }, atMs: 900 },
  ]);
  expect(fleet.runs.get("run-0")?.usage).toEqual(usage);
  expect([...fleet.tallies.values()].map(({ kind }) => kind)).toEqual(["model"]);
});

test("a document that runs of two tenants wrote belongs to neither", () => {
  const commit: SampleLine = {
    kind: "document-committed",
    key: "/c",
    body: { reads: {}, writes: [{ document: toDocumentId("stock/x"), version: 1 }] },
  };
  expect(toFleet([started({ tenant: "acme" }), commit]).documents.get("stock/x")).toMatchObject({
    tenant: "acme",
    isShared: false,
  });
  const shared = toFleet([started({ tenant: "acme" }), commit], [started(), commit], [started(), commit]);
  expect(shared.documents.get("stock/x")?.isShared).toBe(true);
});
