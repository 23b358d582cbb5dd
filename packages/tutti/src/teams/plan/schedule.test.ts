import fc from "fast-check";
import { expect, test } from "vitest";

import { verifies } from "../../../../../test/verifies.ts";
import { openSchedule, type Scheduled } from "./schedule.ts";

const resources = ["site", "index", "ledger"];

/** Tasks that wait only for earlier ones, in an order of their own. */
const taskLists = fc
  .array(
    fc.record({
      after: fc.array(fc.nat(30), { maxLength: 3 }),
      reads: fc.subarray(resources),
      writes: fc.subarray(resources, { maxLength: 2 }),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .map((drafts) =>
    drafts.map(({ after, reads, writes }, index): Scheduled => ({
      id: `t${index}`,
      after: index === 0 ? [] : [...new Set(after.map((place) => `t${place % index}`))],
      access: { reads: reads.filter((name) => !writes.includes(name)), writes },
    })),
  );

function collide(left: Scheduled, right: Scheduled): boolean {
  return touches(left, right) || touches(right, left);
}

function touches(left: Scheduled, right: Scheduled): boolean {
  return left.access.writes.some((name) => right.access.writes.includes(name) || right.access.reads.includes(name));
}

interface Walk {
  readonly order: readonly string[];
  readonly faults: readonly string[];
}

/** Ends tasks in an order that the numbers choose, and looks at what runs after each end. */
function walk(tasks: readonly Scheduled[], choices: readonly number[], concurrency: number): Walk {
  const schedule = openSchedule(tasks, concurrency);
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const running = new Map<string, Scheduled>();
  const over = new Set<string>();
  const order: string[] = [];
  const faults: string[] = [];
  for (let turn = 0; ; turn++) {
    for (const id of schedule.takeReady()) {
      const task = byId.get(id);
      if (task === undefined) continue;
      if (!task.after.every((before) => over.has(before))) faults.push(`${id} began too early`);
      for (const other of running.values()) if (collide(task, other)) faults.push(`${id} collides with ${other.id}`);
      running.set(id, task);
      order.push(id);
    }
    const idle = tasks.filter(
      (task) =>
        !over.has(task.id) &&
        !running.has(task.id) &&
        task.after.every((before) => over.has(before)) &&
        ![...running.values()].some((other) => collide(task, other)),
    );
    if (running.size < concurrency && idle.length > 0) faults.push(`${idle[0]?.id} could run and does not`);
    const [...ids] = running.keys();
    const next = ids[(choices[turn % choices.length] ?? 0) % Math.max(1, ids.length)];
    if (next === undefined) break;
    running.delete(next);
    over.add(next);
    schedule.end(next);
  }
  if (over.size !== tasks.length || schedule.left !== 0) faults.push(`${tasks.length - over.size} tasks never ran`);
  return { order, faults };
}

test(
  "whatever ends when: no task begins before what it waits for, none beside one that it conflicts with, and none waits without a reason",
  verifies("C5", "C12"),
  () => {
    const choices = fc.array(fc.nat(100), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(taskLists, choices, fc.constantFrom(1, 2, 3, Infinity), (tasks, picks, concurrency) => {
        const walked = walk(tasks, picks, concurrency);
        expect(walked.faults).toEqual([]);
        expect(walk(tasks, picks, concurrency)).toEqual(walked);
      }),
      { numRuns: 300 },
    );
  },
);

test("who waits over what is said once, with who keeps it", verifies("C12"), () => {
  const schedule = openSchedule(
    [
      { id: "draft", after: [], access: { reads: [], writes: ["site"] } },
      { id: "read", after: [], access: { reads: ["site"], writes: [] } },
      { id: "publish", after: [], access: { reads: [], writes: ["site"] } },
    ],
    Infinity,
  );
  expect(schedule.takeReady()).toEqual(["draft"]);
  expect(schedule.takeHeld()).toEqual([
    { id: "read", by: "draft", resource: "site", why: "it reads what the other writes" },
    { id: "publish", by: "draft", resource: "site", why: "both write it" },
  ]);
  schedule.end("draft");
  expect(schedule.takeReady()).toEqual(["read"]);
  schedule.end("read");
  expect(schedule.takeReady()).toEqual(["publish"]);
  expect(schedule.takeHeld()).toEqual([]);
});

function looksOf(count: number): number {
  const tasks = Array.from({ length: count }, (_, index): Scheduled => ({
    id: `t${index}`,
    after: index < 10 ? [] : [`t${index - 10}`, `t${index - 7}`],
    access: { reads: [`r${index % 50}`], writes: index % 3 === 0 ? ["site"] : [] },
  }));
  const schedule = openSchedule(tasks, Infinity);
  const running: string[] = [];
  for (;;) {
    running.push(...schedule.takeReady());
    const next = running.shift();
    if (next === undefined) break;
    schedule.end(next);
  }
  expect(schedule.left).toBe(0);
  return schedule.looks;
}

test(
  "a plan of 1,000 tasks costs a few looks a task, also when all of them want the same thing",
  verifies("C5"),
  () => {
    expect(looksOf(1_000)).toBeLessThan(6 * 1_000);
    expect(looksOf(2_000)).toBeLessThan(2.2 * looksOf(1_000));
  },
);
