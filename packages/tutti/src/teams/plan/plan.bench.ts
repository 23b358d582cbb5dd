// What scheduling 1,000 tasks over 50 callables costs: `node scripts/run.mjs packages/tutti/src/teams/plan/plan.bench.ts`.
// Processor time, the threads of the garbage collector included. "check" and "schedule" are ours alone; "run" is the whole, engine and ledger in memory included, beside the same calls without a plan.
import { systemClock } from "../../base/clock.ts";
import type { Tool } from "../../contracts/callable.ts";
import { schemaOf } from "../../contracts/schema.ts";
import { openTutti } from "../../engine/open-tutti.ts";
import { flow } from "../../flow/flow.ts";
import { openMemoryLedger } from "../../ledger/memory/memory-ledger.ts";
import { tool } from "../../tools/tool.ts";
import { checkPlan } from "./check-plan.ts";
import { dependenciesOf } from "./dependencies.ts";
import type { Plan } from "./plan.ts";
import { accessOfTask, toRoster } from "./roster.ts";
import { runPlan } from "./run-plan.ts";
import { openSchedule } from "./schedule.ts";

const taskCount = 1_000;
const callableCount = 50;
const rounds = 15;

interface Text {
  readonly text: string;
}
const anyText = schemaOf<Text>((value) => ({ text: String(Object(value).text) }), {
  type: "object",
  properties: { text: { type: "string" } },
  required: ["text"],
});
const callables = Array.from({ length: callableCount }, (_, index): Tool<Text, Text> =>
  tool({
    name: `tool${index}`,
    does: `Does thing number ${index}.`,
    input: anyText,
    output: anyText,
    effect: "read",
    reads: [`r${index % 10}`],
    writes: index % 5 === 0 ? [`w${index}`] : [],
    run: (input) => input,
  }),
);
const plan: Plan = {
  name: "large",
  tasks: Array.from({ length: taskCount }, (_, index) => ({
    id: `t${index}`,
    call: `tool${index % callableCount}`,
    input: index < 20 ? { text: "tea" } : { text: { $from: `t${index - 20}.text` } },
    after: index < 20 ? [] : [`t${index - 13}`],
  })),
};

async function sample(name: string, work: () => unknown): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1_000);
  }
  const sorted = times.toSorted((left, right) => left - right);
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1);
  process.stdout.write(`${name}: median ${at(0.5)} ms, fastest ${at(0)}, slowest ${at(1)}\n`);
}

async function runOnce(planning: ReturnType<typeof toFlow>): Promise<void> {
  const tutti = await openTutti({ flows: [planning], ledger: openMemoryLedger({ clock: systemClock }) });
  await tutti.run(planning, { text: "" });
  await tutti.close();
}

function toFlow(run: Parameters<typeof flow<Text, Text>>[0]["run"]) {
  return flow({ name: "large", input: anyText, output: anyText, run });
}

await sample("check", () => checkPlan(plan, { callables }));
await sample("schedule", () => {
  const roster = toRoster(callables);
  const tasks = plan.tasks.map((task) => ({
    id: task.id,
    after: dependenciesOf(task),
    access: accessOfTask(task, roster),
  }));
  const schedule = openSchedule(tasks, 64);
  const running: string[] = [];
  while (schedule.left > 0) {
    running.push(...schedule.takeReady());
    schedule.end(running.shift() ?? "");
  }
});
await sample("run, planned", () =>
  runOnce(
    toFlow(async (run) => {
      const { kind } = await runPlan(run, plan, { callables });
      return { text: kind };
    }),
  ),
);
await sample("run, the same calls without a plan", () =>
  runOnce(
    toFlow(async (run, input) => {
      const calls = plan.tasks.map((_, index) => callables[index % callableCount]);
      await Promise.all(
        calls.map((callable) => (callable === undefined ? Promise.resolve() : run.call(callable, input))),
      );
      return input;
    }),
  ),
);
