import fc from "fast-check";
import { expect, test } from "vitest";

import { toEntries, type SampleLine } from "../../../../../test/sample-entries.ts";
import { verifies } from "../../../../../test/verifies.ts";
import type { Comparison } from "../../contracts/api/comparison.ts";
import { toRunId, toStepKey } from "../../contracts/ids.ts";
import { applyToScore, emptyScore } from "../score/score-state.ts";
import { alignSteps } from "./align-steps.ts";
import { compareRuns, type RunToCompare } from "./compare-runs.ts";

const usage = { modelCalls: 1, inputTokens: 10, outputTokens: 1, costUsd: 0.1 };

function toRun(lines: readonly SampleLine[], run = "left"): RunToCompare {
  const entries = toEntries(lines, run);
  const score = emptyScore();
  applyToScore(score, entries);
  return { entries, score, status: score.tree.phase.kind === "done" ? "done" : "running" };
}

const started = (more: object = {}): SampleLine => ({
  kind: "run-started",
  body: { flow: "brief", version: "1", ...more },
});
const done = (key: string, out: unknown): SampleLine => ({ kind: "step-done", key, body: { out } });

function toAgent(path: string, said: string, costUsd = 0.1): readonly SampleLine[] {
  const spent = { ...usage, costUsd };
  return [
    { kind: "agent-started", key: path, body: { agent: "writer", version: "1" } },
    done(`${path}/model`, { text: said, toolCalls: [], usage: spent, model: "m" }),
    { kind: "scope-closed", key: path, body: { agent: "writer@1", out: said, usage: spent } },
  ];
}

const anyStep = fc.oneof(
  fc.record({ path: fc.constantFrom("/a", "/b", "/c/d"), said: fc.constantFrom("x", "y") }),
  fc.record({ path: fc.constantFrom("/w", "/v/w"), said: fc.constantFrom("x", "y"), isAgent: fc.constant(true) }),
);
const anyRun = fc
  .uniqueArray(anyStep, { selector: ({ path }) => path, maxLength: 5 })
  .map((steps) => [
    started(),
    ...steps.flatMap((step) =>
      "isAgent" in step ? toAgent(step.path, step.said, step.said.length) : [done(step.path, step.said)],
    ),
  ]);

/** The same comparison seen from the other side. */
function mirror({ left, right, steps, ...rest }: Comparison): Comparison {
  return {
    ...rest,
    left: right,
    right: left,
    steps: steps.map((step) => ({ ...step, left: step.right, right: step.left })),
  };
}

test("a run compared with itself differs in nothing", verifies("O11"), () => {
  fc.assert(
    fc.property(anyRun, (lines) => {
      const found = compareRuns(toRun(lines), toRun(lines));
      expect(found).toMatchObject({ differing: 0, divergesAt: undefined, alike: found.steps.length });
      expect(found.left).toEqual(found.right);
    }),
    { numRuns: 100 },
  );
});

test("which of two runs is called the left one changes nothing but the sides", verifies("O11"), () => {
  fc.assert(
    fc.property(anyRun, anyRun, (left, right) => {
      const found = compareRuns(toRun(left), toRun(right, "right"));
      expect(compareRuns(toRun(right, "right"), toRun(left))).toEqual(mirror(found));
      expect(found.alike + found.differing).toBe(found.steps.length);
    }),
    { numRuns: 200 },
  );
});

test("steps of both stand in the order of each, where the two orders agree; every step stands there once", () => {
  const paths = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e", "f", "g"));
  fc.assert(
    fc.property(
      paths,
      fc.array(fc.boolean(), { minLength: 7 }),
      fc.array(fc.boolean(), { minLength: 7 }),
      (all, l, r) => {
        const take = (kept: readonly boolean[]): { path: string }[] =>
          all.filter((_, index) => kept[index]).map((path) => ({ path }));
        const [left, right] = [take(l), take(r)];
        const rows = alignSteps(left, right);
        expect(rows.flatMap((row) => row.left ?? [])).toEqual(left);
        expect(rows.flatMap((row) => row.right ?? [])).toEqual(right);
      },
    ),
  );
});

test("the ways part at the innermost step that differs, not at what is around it", verifies("O11"), () => {
  const left = toRun([
    started(),
    done("/a", 1),
    ...toAgent("/w", "tea"),
    done("/z", "tea"),
    { kind: "run-done", body: { out: 1 } },
  ]);
  const right = toRun(
    [started(), done("/a", 1), ...toAgent("/w", "coffee", 0.4), done("/new", 2), done("/z", "coffee")],
    "r",
  );
  const found = compareRuns(left, right);
  expect(found).toMatchObject({ divergesAt: "/w/model", alike: 1, differing: 4, output: "differs" });
  expect(found.steps.map(({ path, differs }) => [path, differs])).toEqual([
    ["/a", []],
    ["/w", ["output", "cost"]],
    ["/w/model", ["output", "cost"]],
    ["/new", ["presence"]],
    ["/z", ["output"]],
  ]);
  expect(found.steps[2]).toMatchObject({
    left: { costUsd: 0.1, output: "tea" },
    right: { costUsd: 0.4, output: "coffee" },
  });
  expect([found.left.spent.costUsd, found.right.spent.costUsd]).toEqual([0.1, 0.4]);
});

test("what only cost more is told, and parts no ways; what a model's words cost is no part of them", () => {
  const found = compareRuns(
    toRun([started(), ...toAgent("/w", "tea")]),
    toRun([started(), ...toAgent("/w", "tea", 2)], "r"),
  );
  expect(found.steps.map(({ differs }) => differs)).toEqual([["cost"], ["cost"]]);
  expect(found.divergesAt).toBeUndefined();
});

test("another version of an agent that says the same is told, and so is another end", () => {
  const begun: SampleLine = { kind: "agent-started", key: "/w", body: { agent: "writer", version: "2" } };
  const [, ...rest] = toAgent("/w", "tea");
  const other = toRun([started(), begun, ...rest, done("/z", 1)], "r");
  const failed: SampleLine = {
    kind: "step-failed",
    key: "/z",
    body: { error: { code: "TOOL_FAILED", message: "no" } },
  };
  const found = compareRuns(toRun([started(), ...toAgent("/w", "tea"), failed]), other);
  expect(found.steps.map(({ path, differs }) => [path, differs])).toEqual([
    ["/w", ["callable"]],
    ["/w/model", []],
    ["/z", ["state", "output", "error"]],
  ]);
});

test("what is told shortly alike but differs in the ledger differs", () => {
  const long = "word ".repeat(100);
  const found = compareRuns(toRun([started(), done("/a", long)]), toRun([started(), done("/a", `${long}.`)], "r"));
  expect(found.steps).toMatchObject([{ differs: ["output"] }]);
  expect(found.steps[0]?.left?.output).toBe(found.steps[0]?.right?.output);
});

test(
  "what a fork took over is shared, what it did itself is not, and what was edited differs",
  verifies("O11", "D12"),
  () => {
    const origin = toRun([started(), done("/a", 1), done("/b", 2), done("/c", 3)], "origin");
    const forkedFrom = { run: toRunId("origin"), step: toStepKey("/b"), seq: 3, lineage: toRunId("origin"), copied: 2 };
    const edited: SampleLine = { kind: "step-done", key: "/b", body: { out: 9, edited: true } };
    const fork = toRun([started({ forkedFrom }), done("/a", 1), edited, done("/c", 3)], "fork");
    const found = compareRuns(origin, fork);
    expect(found).toMatchObject({ sharedEntries: 2, sharedSteps: 1, divergesAt: "/b" });
    expect(found.steps.map(({ isShared, differs }) => [isShared, differs])).toEqual([
      [true, []],
      [false, ["output"]],
      [false, []],
    ]);
    expect(compareRuns(fork, origin)).toEqual(mirror(found));
  },
);

const forkOf = (copied: number): SampleLine =>
  started({ forkedFrom: { run: toRunId("o"), step: toStepKey("/b"), seq: 3, lineage: toRunId("o"), copied } });

test("two forks of one run share what both took over", () => {
  const found = compareRuns(
    toRun([forkOf(2), done("/a", 1), done("/b", 2)], "f1"),
    toRun([forkOf(1), done("/a", 1), done("/b", 2)], "f2"),
  );
  expect(found.steps.map(({ isShared }) => isShared)).toEqual([true, false]);
  expect(found.sharedEntries).toBe(1);
});

test("runs of two flows are not compared", () => {
  const other: SampleLine = { kind: "run-started", body: { flow: "other", version: "1" } };
  expect(() => compareRuns(toRun([started()]), toRun([other]))).toThrow(/a run of brief, and left one of other/u);
});

test("of long runs differences are told before what is alike", () => {
  const steps = Array.from({ length: 2_100 }, (_, index) => done(`/s${index}`, index));
  const found = compareRuns(toRun([started(), ...steps]), toRun([started(), ...steps, done("/last", 1)], "r"));
  expect(found).toMatchObject({ isCut: true, alike: 2_100, differing: 1, divergesAt: "/last" });
  expect(found.steps.map(({ path }) => path)).toEqual(["/last"]);
});
