import { expect, test } from "vitest";
import { z } from "zod";

import { toTeller } from "../../../../../test/plans/plan-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { tool } from "../../tools/tool.ts";
import { checkPlan, type PlanTerms } from "./check-plan.ts";
import { planLimits } from "./plan.ts";

const count = tool({
  name: "count",
  does: "Counts words.",
  input: z.object({ text: z.string(), limit: z.number().optional() }),
  output: z.object({ words: z.number(), longest: z.array(z.object({ word: z.string() })) }),
  effect: "read",
  guarantees: { costUsd: 0.1 },
  run: () => ({ words: 0, longest: [] }),
});
const terms: PlanTerms = {
  callables: [count, toTeller("write", { guarantees: { costUsd: 1 } })],
  checks: { rhymes: () => true },
  inputSchema: z.object({ topic: z.string(), pages: z.number() }),
};
const topic = { $from: "input.topic" };

function problemsOf(tasks: unknown, more: { readonly output?: unknown } = {}, change: Partial<PlanTerms> = {}) {
  const checked = checkPlan({ name: "p", tasks, ...more }, { ...terms, ...change });
  return checked.kind === "fits" ? [] : checked.problems.map(({ kind, task, what }) => `${kind} ${task}: ${what}`);
}

test("a plan that can be run is one, and what it may cost at most is known", verifies("C5"), () => {
  const tasks = [
    { id: "count", call: "count", input: { text: topic }, onFailure: { retries: 2, alternative: "write" } },
    {
      id: "write",
      need: "tells what write knows",
      input: { text: topic, also: { $from: "count.longest.0.word" } },
      repeat: { until: { value: "output.text", is: "not-empty" }, max: 2 },
    },
  ];
  const checked = checkPlan({ name: "p", tasks }, terms);
  expect(checked).toMatchObject({ kind: "fits", plan: { tasks: [{ id: "count" }, { id: "write" }] } });
  expect(checked.kind === "fits" ? checked.costMaxUsd : 0).toBeCloseTo(3 * 0.1 + 1 + 2);
  expect(problemsOf(tasks, {}, { budgetUsd: 3 })).toEqual([
    expect.stringMatching(/^unaffordable : it may cost up to 3\.3/),
  ]);
});

test("a budget that can't be kept, or that one call exceeds, is told before the plan runs", verifies("C5"), () => {
  const task = { id: "a", call: "count", input: { text: topic } };
  expect(problemsOf([{ ...task, budget: { usd: 0.1, calls: 3 } }])).toEqual([]);
  expect(problemsOf([{ ...task, budget: { usd: 0.05 } }])).toEqual([
    "unaffordable a: one call may cost 0.1 US dollars, and its budget is 0.05",
  ]);
  expect(problemsOf([{ ...task, budget: { calls: -1 } }])).toEqual([
    "limit a: its budget: calls is -1, not a whole number from 0 up",
  ]);
  const inner = { name: "inner", tasks: [task] };
  expect(problemsOf([{ id: "b", plan: inner, budget: { usd: 1 } }])).toEqual([
    "limit b: it has a budget and a plan of its own",
  ]);
});

test.each([
  ["form", "nonsense"],
  ["form", []],
  ["form", [{ id: "a b", call: "write" }]],
  ["form", [{ id: "a", call: "write", when: { value: "input", is: "equal" } }]],
  [
    "id-twice",
    [
      { id: "a", call: "write", input: { text: "" } },
      { id: "a", call: "write", input: { text: "" } },
    ],
  ],
  ["id-reserved", [{ id: "input", call: "write", input: { text: "" } }]],
  ["work-unclear", [{ id: "a", input: { text: "" } }]],
  ["work-unclear", [{ id: "a", call: "write", need: "something", input: { text: "" } }]],
  ["callable-unknown", [{ id: "a", call: "nobody" }]],
  ["callable-unknown", [{ id: "a", need: "zzz qqq" }]],
  ["callable-unknown", [{ id: "a", call: "write", input: { text: "" }, onFailure: { alternative: "nobody" } }]],
  ["reference-unknown", [{ id: "a", call: "write", input: { text: { $from: "b.text" } } }]],
  ["reference-unknown", [{ id: "a", call: "write", input: { text: { $from: "last.text" } } }]],
  ["reference-unknown", [{ id: "a", call: "write", input: { text: { $from: "output.text" } } }]],
  [
    "circle",
    [
      { id: "a", call: "write", input: { text: "" }, after: ["b"] },
      { id: "b", call: "write", input: { text: { $from: "a.text" } } },
    ],
  ],
  ["circle", [{ id: "a", call: "write", input: { text: { $from: "a.text" } } }]],
  ["input-misfit", [{ id: "a", call: "write", input: { txt: topic } }]],
  ["input-misfit", [{ id: "a", call: "write", input: { text: 3 } }]],
  ["input-misfit", [{ id: "a", call: "write", input: { text: { $from: "input.pages" } } }]],
  ["input-misfit", [{ id: "a", call: "write", input: { text: { $from: "input.titel" } } }]],
  [
    "input-misfit",
    [
      { id: "c", call: "count", input: { text: "" } },
      { id: "a", call: "write", input: { text: { $from: "c.longest" } } },
    ],
  ],
  [
    "input-misfit",
    [
      { id: "c", call: "count", input: { text: "" } },
      { id: "a", call: "write", input: { text: { $from: "c.longest.word" } } },
    ],
  ],
  ["check-unknown", [{ id: "a", call: "write", input: { text: "" }, success: { check: "scans" } }]],
  [
    "limit",
    [{ id: "a", call: "write", input: { text: "" }, repeat: { until: { value: "output", is: "empty" }, max: 101 } }],
  ],
  ["limit", [{ id: "a", call: "write", input: { text: "" }, onFailure: { retries: 11 } }]],
  ["limit", [{ id: "a", call: "write", input: { text: "" }, success: { confidenceMin: 2 } }]],
])("a plan with the problem %s is refused: %j", (kind, tasks) => {
  const problems = problemsOf(tasks);
  expect(problems.length).toBeGreaterThan(0);
  expect(problems.every((problem) => problem.startsWith(`${kind} `))).toBe(true);
});

test(
  "all problems are told at once, each with a hint, and those of plans inside it with their place",
  verifies("C5"),
  () => {
    const inner = { name: "inner", tasks: [{ id: "b", call: "nobody" }] };
    const checked = checkPlan(
      {
        name: "p",
        tasks: [
          { id: "a", plan: inner },
          { id: "c", call: "write" },
        ],
        output: { $from: "d" },
      },
      terms,
    );
    expect(checked).toMatchObject({
      kind: "unfit",
      problems: [
        { kind: "callable-unknown", task: "a/b", hint: "Known are: count, write." },
        { kind: "input-misfit", task: "c" },
        { kind: "reference-unknown", task: "", hint: "Name input, or a task: a, c." },
      ],
    });
  },
);

function toTask(index: number) {
  return { id: `t${index}`, call: "write", input: { text: "" } };
}

test("how large and deep a plan may be is bounded", () => {
  const many = Array.from({ length: planLimits.tasksMax + 1 }, (_, index) => toTask(index));
  expect(problemsOf(many)).toEqual([expect.stringMatching(/^limit : there are more than/)]);
  const chain = Array.from({ length: planLimits.chainMax + 1 }, (_, index) => ({
    ...toTask(index),
    after: index === 0 ? [] : [`t${index - 1}`],
  }));
  expect(problemsOf(chain)).toEqual([expect.stringMatching(/^limit : 501 tasks wait/)]);
  let nested: unknown = { name: "p", tasks: [toTask(0)] };
  for (let depth = 0; depth < planLimits.nestingMax; depth++)
    nested = { name: "p", tasks: [{ id: "a", plan: nested }] };
  expect(checkPlan(nested, terms)).toMatchObject({
    problems: [{ kind: "form", what: expect.stringContaining("plans deep") }],
  });
});
