import * as fc from "fast-check";
import { expect, test } from "vitest";

import { sampleStart, toEntries, type SampleLine } from "../../../../test/sample-entries.ts";
import { verifies } from "../../../../test/verifies.ts";
import { toEffectKey, toRunId, toStepKey } from "../contracts/ids.ts";
import { nextRunTree, toRunTree } from "./next-run-tree.ts";
import { emptyRunTree, totalsOf, type RunTree, type StepNode, type TreeEvent } from "./run-tree.ts";

const started: SampleLine = { kind: "run-started", body: { flow: "brief", version: "1", input: { topic: "tea" } } };
const error = { code: "TOOL_UNAVAILABLE", message: "out of reach" } as const;

function stepAt(tree: RunTree, path: string): StepNode {
  let node = tree.root;
  for (const part of path.slice(1).split("/")) {
    const found = node.children.find((child) => child.name === part);
    if (found === undefined) throw new Error(`no ${part} below ${node.path}`);
    node = found;
  }
  return node;
}

test("every step of a run has its kind, state and result in the tree", verifies("D10", "O1"), () => {
  const tree = toRunTree(
    toEntries([
      started,
      { kind: "agent-started", key: "/planner", body: { agent: "planner", version: "ab12" } },
      { kind: "step-done", key: "/planner/turn", body: { call: "model", out: { text: "hello" } } },
      {
        kind: "scope-closed",
        key: "/planner",
        body: {
          out: { questions: ["a", "b"] },
          agent: "planner",
          usage: { modelCalls: 1, inputTokens: 10, outputTokens: 5 },
          confidence: { value: 0.9, source: "self" },
        },
      },
      { kind: "attempt-failed", key: "/find", body: { error, attempt: 1, nextAt: sampleStart + 9_000 } },
      { kind: "step-done", key: "/find", body: { call: "web.search", attempt: 2, out: [1, 2] } },
      { kind: "timer-set", key: "/sleep", body: { dueAt: sampleStart + 60_000 } },
      {
        kind: "effect-intended",
        key: "/publish",
        body: { effect: toEffectKey("page:tea"), tool: "page.publish", class: "once", digest: "d" },
      },
      {
        kind: "effect-in-doubt",
        key: "/publish",
        body: { effect: toEffectKey("page:tea"), why: "the process died while it ran" },
      },
      { kind: "child-started", key: "/review", body: { child: toRunId("c1"), flow: "review", version: "1" } },
      { kind: "step-failed", key: "/draw", body: { error } },
    ]),
  );
  expect(tree).toMatchObject({ flow: "brief", version: "1", phase: { kind: "running" }, seq: 11 });
  expect(stepAt(tree, "/planner")).toMatchObject({
    kind: "agent",
    state: { kind: "done" },
    agentVersion: "ab12",
    confidence: 0.9,
  });
  expect(stepAt(tree, "/planner/turn")).toMatchObject({
    kind: "tool",
    callable: "model",
    state: { kind: "done" },
    output: '{text: "hello"}',
  });
  expect(stepAt(tree, "/find")).toMatchObject({ kind: "tool", attempt: 2, error: undefined, state: { kind: "done" } });
  expect(stepAt(tree, "/sleep")).toMatchObject({ kind: "timer", state: { kind: "waiting", for: "time" } });
  expect(stepAt(tree, "/publish")).toMatchObject({ kind: "tool", effect: "page:tea", state: { kind: "in-doubt" } });
  expect(stepAt(tree, "/review")).toMatchObject({
    kind: "child",
    child: "c1",
    state: { kind: "waiting", for: "child" },
  });
  expect(stepAt(tree, "/draw")).toMatchObject({ kind: "step", state: { kind: "failed" }, error });
  expect(totalsOf(tree)).toEqual({
    agents: 1,
    calls: 3,
    retries: 1,
    shared: 0,
    inDoubt: 1,
    failed: 1,
    usage: { modelCalls: 1, inputTokens: 10, outputTokens: 5 },
  });
});

test(
  "what was still running when its scope ended shows as cancelled, a doubtful effect stays in doubt",
  verifies("D10"),
  () => {
    const effect = toEffectKey("mail:1");
    const tree = toRunTree(
      toEntries([
        started,
        { kind: "timer-set", key: "/race/slow/sleep", body: { dueAt: sampleStart + 60_000 } },
        {
          kind: "effect-intended",
          key: "/race/mail/send",
          body: { effect, tool: "mail.send", class: "once", digest: "d" },
        },
        { kind: "effect-in-doubt", key: "/race/mail/send", body: { effect, why: "it timed out" } },
        { kind: "step-done", key: "/race/fast/step", body: { out: 1 } },
        { kind: "scope-closed", key: "/race", body: { out: 1 } },
      ]),
    );
    expect(stepAt(tree, "/race/slow/sleep").state.kind).toBe("cancelled");
    expect(stepAt(tree, "/race/slow").state.kind).toBe("cancelled");
    expect(stepAt(tree, "/race/mail/send").state.kind).toBe("in-doubt");
    expect(stepAt(tree, "/race/fast").state.kind).toBe("done");
    expect(stepAt(tree, "/race").state.kind).toBe("done");
  },
);

test("a watcher sees a step before the ledger does, and never after it is over", verifies("D10"), () => {
  const entries = toEntries([started, { kind: "step-done", key: "/a", body: { out: 1 } }]);
  const run = toRunId("7f3k2m9q0x");
  const step = toStepKey("/a");
  const events: TreeEvent[] = entries.map((entry) => ({ kind: "entry", entry }));
  const [first, second] = events;
  if (first === undefined || second === undefined) throw new Error("two entries were made");
  const begun = nextRunTree(emptyRunTree, [
    first,
    { kind: "step-started", run, step, at: sampleStart + 100, attempt: 1 },
    { kind: "progress", run, step, at: sampleStart + 200, text: "reading" },
  ]);
  expect(stepAt(begun, "/a")).toMatchObject({
    state: { kind: "running" },
    startedAt: sampleStart + 100,
    remark: "reading",
  });
  const ended = nextRunTree(begun, [second, { kind: "step-started", run, step, at: sampleStart + 2_000, attempt: 1 }]);
  expect(stepAt(ended, "/a")).toMatchObject({ state: { kind: "done" }, remark: undefined });
});

const keys = ["/a", "/a/b", "/a/b/c#2", "/a/d", "/e", "/e/f", "/g"] as const;
const effect = toEffectKey("k");
const key = fc.constantFrom(...keys);
const out = fc.oneof(fc.string(), fc.integer(), fc.constant(undefined), fc.array(fc.integer()));

const someLine: fc.Arbitrary<SampleLine> = fc.oneof(
  fc
    .record({ key, out })
    .map((it): SampleLine => ({ kind: "step-done", key: it.key, body: { out: it.out, call: "t" } })),
  key.map((it): SampleLine => ({ kind: "step-failed", key: it, body: { error } })),
  key.map((it): SampleLine => ({ kind: "attempt-failed", key: it, body: { error, attempt: 1, nextAt: 5 } })),
  key.map((it): SampleLine => ({
    kind: "effect-intended",
    key: it,
    body: { effect, tool: "t", class: "once", digest: "d" },
  })),
  fc
    .record({ key, out })
    .map((it): SampleLine => ({ kind: "effect-settled", key: it.key, body: { effect, by: "tool", out: it.out } })),
  key.map((it): SampleLine => ({ kind: "effect-failed", key: it, body: { effect, error } })),
  key.map((it): SampleLine => ({
    kind: "effect-shared",
    key: it,
    body: { effect, from: { run: toRunId("r"), step: toStepKey("/x") } },
  })),
  key.map((it): SampleLine => ({ kind: "effect-in-doubt", key: it, body: { effect, why: "a crash" } })),
  key.map((it): SampleLine => ({ kind: "effect-resolved", key: it, body: { effect, by: "person" } })),
  key.map((it): SampleLine => ({ kind: "effect-undone", key: it, body: { effect } })),
  key.map((it): SampleLine => ({ kind: "timer-set", key: it, body: { dueAt: 7 } })),
  key.map((it): SampleLine => ({ kind: "timer-fired", key: it, body: {} })),
  key.map((it): SampleLine => ({ kind: "agent-started", key: it, body: { agent: "a", version: "1" } })),
  fc.record({ key, out }).map((it): SampleLine => ({ kind: "scope-closed", key: it.key, body: { out: it.out } })),
  key.map((it): SampleLine => ({
    kind: "scope-closed",
    key: it,
    body: { error: { code: "RUN_CANCELLED", message: "lost" } },
  })),
  key.map((it): SampleLine => ({
    kind: "child-started",
    key: it,
    body: { child: toRunId("c"), flow: "f", version: "1" },
  })),
  key.map((it): SampleLine => ({ kind: "child-settled", key: it, body: { child: toRunId("c"), error } })),
  key.map((it): SampleLine => ({ kind: "note-written", key: `${it}/note`, body: { text: "n" } })),
  key.map((it): SampleLine => ({ kind: "value-drawn", key: it, body: { value: 1 } })),
  fc.constantFrom<SampleLine>(
    { kind: "signal-received", body: { name: "__proto__", id: "1" } },
    { kind: "run-parked", body: { error } },
    { kind: "run-paused", body: { by: "anna" } },
    { kind: "run-resumed", body: { by: "anna" } },
    { kind: "cancel-requested", body: { by: "anna", reason: "enough" } },
    { kind: "rollback-started", body: { error } },
    { kind: "run-done", body: { out: 1 } },
    { kind: "run-failed", body: { error } },
    { kind: "run-cancelled", body: { reason: "enough" } },
  ),
);

const run = toRunId("7f3k2m9q0x");
const someEvents: fc.Arbitrary<readonly TreeEvent[]> = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: someLine },
      { weight: 1, arbitrary: fc.record({ key, attempt: fc.integer({ min: 1, max: 3 }), speaks: fc.boolean() }) },
    ),
    { maxLength: 60 },
  )
  .map((items) => {
    const lines = [started, ...items.flatMap((item) => ("kind" in item ? [item] : []))];
    const entries = [...toEntries(lines)];
    const events: TreeEvent[] = entries.splice(0, 1).map((entry) => ({ kind: "entry", entry }));
    for (const item of items) {
      const entry = "kind" in item ? entries.shift() : undefined;
      if (entry !== undefined) events.push({ kind: "entry", entry });
      else if (!("kind" in item)) {
        const step = toStepKey(item.key);
        events.push(
          item.speaks
            ? { kind: "progress", run, step, at: sampleStart, text: "words" }
            : { kind: "step-started", run, step, at: sampleStart, attempt: item.attempt },
        );
      }
    }
    return events;
  });

test(
  "a tree that grew event by event equals one rebuilt from scratch, and no earlier tree has changed",
  verifies("D10"),
  () => {
    fc.assert(
      fc.property(
        someEvents,
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 10 }),
        (events, sizes) => {
          let tree = emptyRunTree;
          const earlier: { readonly tree: RunTree; readonly copy: RunTree }[] = [];
          for (let from = 0, round = 0; from < events.length; round++) {
            const size = sizes[round % sizes.length] ?? 1;
            tree = nextRunTree(tree, events.slice(from, from + size));
            earlier.push({ tree, copy: structuredClone(tree) });
            from += size;
          }
          expect(tree).toEqual(nextRunTree(emptyRunTree, events));
          for (const seen of earlier) expect(seen.tree).toEqual(seen.copy);
          expect(emptyRunTree.root.children).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  },
);

test("events that come twice, as after a reconnect, change nothing", verifies("D10"), () => {
  fc.assert(
    fc.property(fc.array(someLine, { maxLength: 40 }), fc.nat(40), (lines, again) => {
      const entries = toEntries([started, ...lines]);
      const whole = toRunTree(entries);
      const repeated = entries.slice(0, again).map((entry): TreeEvent => ({ kind: "entry", entry }));
      expect(nextRunTree(whole, repeated)).toEqual(whole);
    }),
    { numRuns: 100 },
  );
});

test(
  "a run of 20,000 steps in one scope is read in one go, and takes one more step without being rebuilt",
  verifies("D10"),
  () => {
    const lines = Array.from({ length: 20_000 }, (_, index): SampleLine => ({
      kind: "step-done",
      key: `/map/step#${index}`,
      body: { out: index },
    }));
    const entries = toEntries([started, ...lines]);
    const tree = toRunTree(entries.slice(0, -1));
    const next = nextRunTree(
      tree,
      entries.slice(-1).map((entry) => ({ kind: "entry", entry })),
    );
    expect(next.root.children[0]?.children.length).toBe(20_000);
    // Untouched steps are the same objects: whoever draws the tree can tell what changed.
    expect(next.root.children[0]?.children[0]).toBe(tree.root.children[0]?.children[0]);
  },
);
