import fc from "fast-check";
import { expect, test } from "vitest";

import { playPlan, resultOf, surviveEveryPlanCrash, toTeller } from "../../../../../test/plans/plan-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { TuttiError } from "../../base/errors.ts";
import type { Trouble } from "./outcome.ts";
import type { PlanOptions } from "./plan-options.ts";

const find = toTeller("find");
const write = toTeller("write");
const broken = toTeller("broken", {
  run: () => {
    throw new TuttiError("TOOL_FAILED", "the source is gone");
  },
});
const empty = toTeller("empty", { run: () => ({ text: "" }) });

const finding = { id: "find", call: "find", input: { text: { $from: "input.topic" } } };
const trying = (call: string, success = {}) => ({
  id: "more",
  call,
  input: { text: { $from: "find.text" } },
  success,
  onFailure: { otherwise: "replan" },
});
const planOf = (...tasks: readonly unknown[]) => ({ name: "brief", tasks });

test.each([
  ["failure", trying("broken")],
  ["empty-result", trying("empty", { notEmpty: true })],
  ["low-confidence", trying("write", { confidenceMin: 0.5 })],
] as const)(
  "a plan is made again on %s; what was done and did not change is kept",
  verifies("C5"),
  async (reason, task) => {
    const troubles: Trouble[] = [];
    const played = await playPlan(planOf(finding, task), {
      callables: [find, write, broken, empty],
      input: { topic: "tea" },
      replan: async (run, trouble) => {
        troubles.push(trouble);
        return run.step("replan", () => planOf(finding, trying("write")));
      },
    });
    expect(resultOf(played)).toMatchObject({
      kind: "done",
      versions: 2,
      output: { more: { text: "write(find(tea))" } },
    });
    expect(troubles).toMatchObject([
      { reason, task: "more", version: 1, outcomes: { find: { kind: "done" }, more: { kind: "failed" } } },
    ]);
    expect(played.entries.filter(({ key }) => key.endsWith("/try/find"))).toHaveLength(1);
    const made = played.events.filter((event) => event.kind === "plan-made");
    expect(made.map(({ version, document }) => [version, document.tasks.at(-1)?.call])).toEqual([
      [1, task.call],
      [2, "write"],
    ]);
    expect(made[1]?.reason).toContain(reason);
    expect(played.events).toContainEqual({ kind: "task-kept", task: "find" });
  },
);

test(
  "a plan is made again when no task can bring its output, and fails when that is all that can be done",
  verifies("C5"),
  async () => {
    const stuck = {
      ...planOf(finding, {
        id: "never",
        call: "write",
        when: { value: "find.text", is: "empty" },
        input: { text: "" },
      }),
      output: { $from: "never.text" },
    };
    const reasons: string[] = [];
    const options = { callables: [find, write], input: { topic: "tea" } };
    const helped = await playPlan(stuck, {
      ...options,
      replan: async (_run, { reason, what }) => {
        reasons.push(`${reason}: ${what}`);
        return { ...planOf(finding), output: { $from: "find.text" } };
      },
    });
    expect(resultOf(helped)).toMatchObject({ kind: "done", output: "find(tea)", versions: 2 });
    expect(reasons).toEqual([expect.stringContaining("stall: its output needs never.text")]);
    expect(resultOf(await playPlan(stuck, options))).toMatchObject({ kind: "failed", error: { code: "PLAN_FAILED" } });
  },
);

test(
  "versions are bounded, and a plan made again that can't be run ends it with all that is wrong",
  verifies("C5"),
  async () => {
    let asked = 0;
    const options = { callables: [find, broken], input: { topic: "tea" } };
    const endless = await playPlan(planOf(finding, trying("broken")), {
      ...options,
      versionsMax: 4,
      replan: async () => {
        asked += 1;
        return planOf(finding, trying("broken"));
      },
    });
    expect(resultOf(endless)).toMatchObject({ kind: "failed", versions: 4 });
    expect(asked).toBe(3);
    const nonsense = await playPlan(planOf(finding, trying("broken")), {
      ...options,
      replan: async () => planOf({ id: "x", call: "nobody" }),
    });
    expect(resultOf(nonsense)).toMatchObject({
      kind: "failed",
      error: { message: expect.stringContaining(`nobody is called "nobody"`) },
    });
  },
);

/** A tool that a test lets go on. */
function toGate(name: string) {
  const begun = Promise.withResolvers<undefined>();
  const gate = Promise.withResolvers<undefined>();
  const calls: string[] = [];
  const aborted: string[] = [];
  const callable = toTeller(name, {
    async run({ text }, { signal }) {
      calls.push(text);
      let isOver = false;
      signal.addEventListener("abort", () => {
        if (!isOver) aborted.push(text);
      });
      begun.resolve(undefined);
      await gate.promise;
      isOver = true;
      return { text: `${name}(${text})` };
    },
  });
  return { callable, begun: begun.promise, open: () => gate.resolve(undefined), calls, aborted };
}

test(
  "a person edits a plan while it runs: what is at work and unchanged goes on, what was dropped is stopped",
  verifies("C5"),
  async () => {
    const keep = toGate("keep");
    const drop = toGate("drop");
    const tasks = [
      { id: "keep", call: "keep", input: { text: "a" } },
      { id: "drop", call: "drop", input: { text: "b" } },
      { id: "end", call: "write", input: { text: { $from: "drop.text" } } },
    ];
    const edited = planOf(tasks[0], { id: "end", call: "write", input: { text: { $from: "keep.text" } } });
    const played = await playPlan(planOf(...tasks), {
      callables: [keep.callable, drop.callable, write],
      during: async (handle) => {
        await Promise.all([keep.begun, drop.begun]);
        await handle.signal("plan-edit.brief", { plan: planOf({ id: "x", call: "nobody" }), by: "Ada" });
        await handle.signal("plan-edit.brief", "nonsense");
        await handle.signal("plan-edit.brief", { plan: edited, by: "Ada", why: "enough" });
        keep.open();
      },
    });
    expect(resultOf(played)).toMatchObject({ kind: "done", versions: 2, output: { end: { text: "write(keep(a))" } } });
    expect([keep.calls, keep.aborted, drop.aborted]).toEqual([["a"], [], ["b"]]);
    expect(played.events.map(({ kind }) => kind)).toEqual([
      "plan-made",
      "plan-refused",
      "plan-refused",
      "plan-made",
      "task-stopped",
      "plan-ended",
    ]);
    expect(played.events[3]).toMatchObject({ version: 2, reason: "edited by Ada: enough" });
  },
);

test("what depends on a task that changed is done again only if what it is given changed", verifies("C5"), async () => {
  const gate = toGate("gate");
  const before = planOf(
    { id: "a", call: "find", input: { text: "tea" } },
    { id: "b", call: "write", input: { text: { $from: "a.text" } } },
    { id: "c", call: "find", input: { text: "milk" } },
    { id: "d", call: "write", input: { text: { $from: "c.text" } } },
    { id: "gate", call: "gate", after: ["b", "d"], input: { text: "" } },
  );
  const after = planOf(
    { id: "a", call: "find", input: { text: "tea", also: "sugar" } },
    ...before.tasks.slice(1, 2),
    { id: "c", call: "find", input: { text: "honey" } },
    ...before.tasks.slice(3),
  );
  const played = await playPlan(before, {
    callables: [find, write, gate.callable],
    during: async (handle) => {
      await gate.begun;
      await handle.signal("plan-edit.brief", { plan: after });
      gate.open();
    },
  });
  expect(resultOf(played)).toMatchObject({ kind: "done", outcomes: { d: { output: { text: "write(find(honey))" } } } });
  const done = (id: string) =>
    played.entries.filter(({ kind, key }) => kind === "step-done" && key.includes(`/tasks/${id}`));
  expect([done("a"), done("b"), done("c"), done("d")].map(({ length }) => length)).toEqual([2, 1, 2, 2]);
});

test("a result that was judged by another task is not kept when that one changed", verifies("C5"), async () => {
  const judged = {
    id: "b",
    call: "write",
    input: { text: "b" },
    success: { holds: { value: "a.text", is: "not-empty" } },
  };
  const gate = toGate("gate");
  const end = { id: "gate", call: "gate", after: ["b"], input: { text: "" } };
  const played = await playPlan(planOf({ id: "a", call: "find", input: { text: "a" } }, judged, end), {
    callables: [find, write, empty, gate.callable],
    during: async (handle) => {
      await gate.begun;
      await handle.signal("plan-edit.brief", {
        plan: planOf({ id: "a", call: "empty", input: { text: "a" } }, judged),
      });
    },
  });
  expect(resultOf(played)).toMatchObject({
    kind: "failed",
    outcomes: { b: { kind: "failed", reason: "check-failed" } },
  });
});

test("news is told to who planned, while work goes on", verifies("C5"), async () => {
  const gate = toGate("gate");
  const plan = planOf({ id: "gate", call: "gate", input: { text: "a" } });
  const played = await playPlan(plan, {
    callables: [gate.callable, find],
    input: { topic: "tea" },
    replan: async (_run, { reason, what }) => planOf(...plan.tasks, { ...finding, does: `${reason}: ${what}` }),
    during: async (handle) => {
      await gate.begun;
      await handle.signal("plan-news.brief", { news: "the topic is tea" });
      gate.open();
    },
  });
  expect(gate.calls).toEqual(["a"]);
  expect(resultOf(played)).toMatchObject({ kind: "done", versions: 2, outcomes: { find: { kind: "done" } } });
  expect(played.events.find((event) => event.kind === "plan-made" && event.version === 2)).toMatchObject({
    reason: "news: the topic is tea",
  });
});

test("wherever the process dies, a plan that is made again ends the same", verifies("C5", "D1"), async () => {
  const open = (): PlanOptions => ({
    callables: [find, write, broken],
    input: { topic: "tea" },
    replan: (run) =>
      run.step("replan", () =>
        planOf(finding, trying("write"), { id: "end", after: ["more"], call: "find", input: { text: "x" } }),
      ),
  });
  const plan = planOf(finding, trying("broken"), {
    id: "side",
    call: "write",
    input: { text: "y" },
    when: { value: "find.text", is: "not-empty" },
  });
  const { outcome, points, differences } = await surviveEveryPlanCrash(plan, open);
  expect(outcome).toMatchObject({ kind: "done", versions: 2 });
  expect(points).toBeGreaterThan(8);
  expect(differences).toEqual([]);
});

function openConflicting(): PlanOptions {
  return { callables: [find, toTeller("write", { writes: ["site"] }), broken] };
}

test("wherever the process dies, any plan ends the same", verifies("C5", "D1"), async () => {
  const drafts = fc.array(
    fc.record({
      call: fc.constantFrom("find", "write", "broken"),
      after: fc.array(fc.nat(5), { maxLength: 2 }),
      isWriter: fc.boolean(),
    }),
    { minLength: 1, maxLength: 5 },
  );
  await fc.assert(
    fc.asyncProperty(drafts, async (list) => {
      const tasks = list.map(({ call, after }, index) => ({
        id: `t${index}`,
        call,
        after: index === 0 ? [] : [...new Set(after.map((place) => `t${place % index}`))],
        input: { text: `t${index}` },
        onFailure: { otherwise: "skip" },
      }));
      const { differences } = await surviveEveryPlanCrash(planOf(...tasks), openConflicting);
      expect(differences).toEqual([]);
    }),
    { numRuns: 8 },
  );
});
