import { expect, test } from "vitest";
import { z } from "zod";

import { playPlan, resultOf, toTeller } from "../../../../../test/plans/plan-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { TuttiError } from "../../base/errors.ts";
import { flow } from "../../flow/flow.ts";
import { tool } from "../../tools/tool.ts";

const find = toTeller("find");
const write = toTeller("write");

test(
  "a plan runs from JSON: references, conditions, stand-ins and bounded repetition, without code",
  verifies("C3"),
  async () => {
    const plan = {
      name: "brief",
      tasks: [
        { id: "find", call: "find", input: { text: { $from: "input.topic" } } },
        { id: "write", call: "write", input: { text: { $from: "find.text" } } },
        { id: "cocoa", call: "write", when: { value: "find.text", is: "contains", to: "cocoa" }, input: { text: "x" } },
        { id: "after", call: "write", input: { text: { $from: "cocoa.text" } } },
        { id: "anyway", call: "write", input: { text: { $from: "cocoa.text", or: "no cocoa" } } },
        {
          id: "loop",
          call: "write",
          input: { text: { $from: "last.text", or: "start" } },
          repeat: { until: { value: "output.text", is: "equal", to: "write(write(start))" }, max: 5 },
        },
        {
          id: "endless",
          call: "write",
          input: { text: "again" },
          repeat: { until: { value: "output.text", is: "empty" }, max: 3 },
        },
      ],
      output: { text: { $from: "write.text" }, loop: { $from: "loop.text" }, anyway: { $from: "anyway.text" } },
    };
    const stored: unknown = JSON.parse(JSON.stringify(plan));
    const played = await playPlan(stored, { callables: [find, write], input: { topic: "tea" } });
    expect(resultOf(played)).toMatchObject({
      kind: "done",
      output: { text: "write(find(tea))", loop: "write(write(start))", anyway: "write(no cocoa)" },
      outcomes: {
        cocoa: { kind: "skipped", why: expect.stringContaining("cocoa") },
        after: { kind: "skipped", why: "there is no cocoa.text" },
      },
    });
    expect(played.entries.filter(({ key }) => key.includes("/endless/try/write"))).toHaveLength(3);
  },
);

test(
  "a task spends no more than its budget in one call, and its alternative is then tried",
  verifies("C5", "G11"),
  async () => {
    const eager = flow({
      name: "eager",
      input: z.object({ text: z.string() }),
      output: z.object({ text: z.string() }),
      run: async (run, { text }) => run.call(find, await run.call(find, { text })),
    });
    const task = { id: "a", call: "eager", input: { text: "tea" }, onFailure: { alternative: "write" } };
    const play = (calls: number) =>
      playPlan({ name: "p", tasks: [{ ...task, budget: { calls } }] }, { callables: [eager, find, write] });
    expect(resultOf(await play(2))).toMatchObject({ outcomes: { a: { output: { text: "find(find(tea))" } } } });
    const short = await play(1);
    expect(resultOf(short)).toMatchObject({ outcomes: { a: { by: "write", output: { text: "write(tea)" } } } });
  },
);

test("a plan inside a plan is a bounded cycle over several tasks", verifies("C3"), async () => {
  const round = {
    name: "round",
    tasks: [
      { id: "draft", call: "write", input: { text: { $from: "input.text" } } },
      { id: "review", call: "find", input: { text: { $from: "draft.text" } } },
    ],
    output: { $from: "review" },
  };
  const plan = {
    name: "essay",
    tasks: [
      {
        id: "rounds",
        plan: round,
        input: { text: { $from: "last.text", or: "tea" } },
        repeat: { until: { value: "output.text", is: "contains", to: "find(write(find(" }, max: 9 },
      },
    ],
    output: { $from: "rounds.text" },
  };
  const played = await playPlan(plan, { callables: [find, write] });
  expect(resultOf(played).output).toBe("find(write(find(write(tea))))");
});

test(
  "tasks that do not depend on each other are at work at once; those that conflict are not, and it is said why",
  verifies("C5", "C12"),
  async () => {
    const atWork = new Set<string>();
    const seen: string[] = [];
    let together = Promise.withResolvers<undefined>();
    const toPublisher = (name: string, meets: number) =>
      toTeller(name, {
        writes: name.startsWith("publish") ? ["site"] : [],
        async run({ text }) {
          atWork.add(name);
          seen.push([...atWork].toSorted().join("+"));
          if (atWork.size >= meets) together.resolve(undefined);
          await together.promise;
          atWork.delete(name);
          return { text };
        },
      });
    const callables = [
      toPublisher("publish.a", 3),
      toPublisher("publish.b", 3),
      toPublisher("look.a", 3),
      toPublisher("look.b", 3),
    ];
    together = Promise.withResolvers<undefined>();
    const plan = {
      name: "site",
      tasks: callables.map(({ name }) => ({ id: name.replace(".", "-"), call: name, input: { text: name } })),
    };
    const { events } = await playPlan(plan, { callables });
    expect(seen).toContain("look.a+look.b+publish.a");
    expect(seen.filter((names) => names.includes("publish.a") && names.includes("publish.b"))).toEqual([]);
    expect(events.filter(({ kind }) => kind === "task-held")).toEqual([
      { kind: "task-held", task: "publish-b", by: "publish-a", resource: "site", why: "both write it" },
    ]);
  },
);

test(
  "a failure is retried, handed to an alternative, skipped, or ends the plan: as the task says",
  verifies("C5"),
  async () => {
    let tries = 0;
    const flaky = toTeller("flaky", {
      run({ text }) {
        tries += 1;
        if (tries < 3) throw new TuttiError("TOOL_FAILED", "not yet");
        return { text };
      },
    });
    const broken = toTeller("broken", {
      run: () => {
        throw new TuttiError("TOOL_FAILED", "never");
      },
    });
    const tasks = [
      { id: "again", call: "flaky", input: { text: "a" }, onFailure: { retries: 2 } },
      { id: "other", call: "broken", input: { text: "b" }, onFailure: { alternative: "write" } },
      { id: "without", call: "broken", input: { text: "c" }, onFailure: { otherwise: "skip" } },
      { id: "depends", call: "write", input: { text: { $from: "without.text" } } },
    ];
    const callables = [flaky, broken, write];
    const fine = await playPlan({ name: "fine", tasks }, { callables });
    expect(resultOf(fine)).toMatchObject({
      kind: "done",
      outcomes: {
        again: { kind: "done", output: { text: "a" } },
        other: { kind: "done", by: "write" },
        without: { kind: "failed", reason: "failure" },
        depends: { kind: "skipped" },
      },
    });
    const failing = [
      ...tasks.slice(1, 2),
      { id: "must", call: "broken", input: { text: "d" } },
      { id: "never", after: ["must"], call: "write", input: { text: "e" } },
    ];
    const failed = resultOf(await playPlan({ name: "bad", tasks: failing }, { callables }));
    expect(failed).toMatchObject({
      kind: "failed",
      error: { code: "PLAN_FAILED", message: expect.stringContaining("must") },
      outcomes: { must: { kind: "failed" }, never: { kind: "skipped" } },
    });
  },
);

test.each([
  [{ notEmpty: true }, { text: "" }, "empty-result"],
  [{ confidenceMin: 0.8 }, { text: "x" }, "low-confidence"],
  [{ schema: { type: "object", properties: { text: { minLength: 5 } } } }, { text: "x" }, "check-failed"],
  [{ holds: { value: "output.text", is: "equal", to: "y" } }, { text: "x" }, "check-failed"],
  [{ check: "rhymes" }, { text: "x" }, "check-failed"],
])("an output that does not pass %j does not count", async (success, output, reason) => {
  const say = toTeller("say", { run: () => output });
  const plan = { name: "p", tasks: [{ id: "say", call: "say", input: { text: "" }, success }] };
  const checks = { rhymes: () => "it does not rhyme" };
  expect(resultOf(await playPlan(plan, { callables: [say], checks }))).toMatchObject({
    kind: "failed",
    outcomes: { say: { kind: "failed", reason } },
  });
});

test("a plan that fails takes back what it did, if it is told to, and says of each task that it is undone", async () => {
  const site: string[] = [];
  const publish = tool({
    name: "publish",
    does: "Publishes.",
    input: z.object({ text: z.string() }),
    output: z.object({ url: z.string() }),
    effect: "once",
    undo: ({ url }) => void site.splice(site.indexOf(url), 1),
    run: ({ text }) => ({ url: site[site.push(text) - 1] ?? "" }),
  });
  const broken = toTeller("broken", {
    run: () => {
      throw new TuttiError("TOOL_FAILED", "never");
    },
  });
  const tasks = [
    { id: "publish", call: "publish", input: { text: "page" } },
    { id: "broken", call: "broken", after: ["publish"], input: { text: "" } },
  ];
  const undone = await playPlan({ name: "p", tasks }, { callables: [publish, broken], onFailure: "undo" });
  expect(resultOf(undone)).toMatchObject({
    kind: "failed",
    outcomes: { publish: { kind: "undone", output: { url: "page" } } },
  });
  expect(site).toEqual([]);
  const kept = await playPlan({ name: "p", tasks }, { callables: [publish, broken] });
  expect(resultOf(kept)).toMatchObject({ kind: "failed", outcomes: { publish: { kind: "done" } } });
  expect(site).toEqual(["page"]);
});

test("cancelling the run reaches the tools at the leaves, and a failure those beside it", verifies("C5"), async () => {
  const begun = Promise.withResolvers<undefined>();
  const aborted: string[] = [];
  const slow = toTeller("slow", {
    run: ({ text }, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          aborted.push(text);
          reject(new Error("stopped"));
        });
        begun.resolve(undefined);
      }),
  });
  const broken = toTeller("broken", {
    async run() {
      await begun.promise;
      throw new TuttiError("TOOL_FAILED", "never");
    },
  });
  const inner = { name: "inner", tasks: [{ id: "slow", call: "slow", input: { text: "deep" } }] };
  const cancelled = await playPlan(
    { name: "p", tasks: [{ id: "inner", plan: inner }] },
    {
      callables: [slow, broken],
      during: async (handle) => {
        await begun.promise;
        await handle.cancel("enough");
      },
    },
  );
  expect(cancelled.outcome).toMatchObject({ code: "RUN_CANCELLED" });
  const beside = {
    name: "p",
    tasks: [
      { id: "slow", call: "slow", input: { text: "beside" } },
      { id: "broken", call: "broken", input: { text: "" } },
    ],
  };
  expect(resultOf(await playPlan(beside, { callables: [slow, broken] })).outcomes["slow"]).toMatchObject({
    kind: "skipped",
  });
  expect(aborted).toEqual(["deep", "beside"]);
});

test("flows are tasks too, and a need in words finds who fits best", verifies("C5"), async () => {
  const shout = flow({
    name: "shout",
    does: "Makes a text loud.",
    input: z.object({ text: z.string() }),
    output: z.object({ text: z.string() }),
    run: async (_run, { text }) => ({ text: text.toUpperCase() }),
  });
  const plan = { name: "p", tasks: [{ id: "a", need: "make this text loud, please", input: { text: "tea" } }] };
  expect(resultOf(await playPlan(plan, { callables: [write, shout] })).output).toEqual({ a: { text: "TEA" } });
});

test("tasks that plan more tasks at run time come to an end", verifies("C11"), async () => {
  let made = 0;
  const tasks = [
    { id: "again", call: "again", input: { text: "" } },
    { id: "more", planFrom: "again.plan" },
  ];
  const again = tool({
    name: "again",
    does: "Plans itself.",
    input: z.object({ text: z.string() }),
    output: z.object({ plan: z.unknown() }),
    effect: "read",
    run() {
      made += 1;
      return { plan: { name: "p", tasks } };
    },
  });
  const played = await playPlan({ name: "p", tasks }, { callables: [again] });
  expect(resultOf(played)).toMatchObject({
    kind: "failed",
    error: { message: expect.stringContaining("stands in 5 others") },
  });
  expect(made).toBe(5);
});

test("a limit with which nothing would ever start is refused", async () => {
  const plan = { name: "p", tasks: [{ id: "a", call: "write", input: { text: "" } }] };
  expect((await playPlan(plan, { callables: [write], concurrency: 0 })).outcome).toMatchObject({
    code: "INPUT_INVALID",
  });
});

test("a plan that can't be run is refused before anything is done", verifies("C5"), async () => {
  const plan = { name: "p", tasks: [{ id: "a", call: "nobody", input: { text: "" } }] };
  const { outcome, entries } = await playPlan(plan, { callables: [write] });
  expect(outcome).toMatchObject({ code: "PLAN_INVALID", hint: expect.stringContaining("write") });
  expect(entries.map(({ kind }) => kind)).toEqual(["run-started", "run-failed"]);
});
