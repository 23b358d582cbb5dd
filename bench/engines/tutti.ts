import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import type { Model } from "../../packages/tutti/src/contracts/model.ts";
import type { Flow } from "../../packages/tutti/src/contracts/run.ts";
import type { Schema } from "../../packages/tutti/src/contracts/schema.ts";
import type { RunHandle, Tutti } from "../../packages/tutti/src/engine/tutti.ts";
import type { flow as declare } from "../../packages/tutti/src/flow/flow.ts";
import { loadBuilt } from "../built.ts";
import type { AgentEngine, Engine, Job, Opening } from "../contestant.ts";

/** Tutti as it is published, opened as its documentation says. */
export async function open(opening: Opening): Promise<Engine> {
  const { openTutti, flow } = await loadBuilt();
  const flows = declareFlows(opening, flow);
  const ledger = join(opening.folder, "ledger.db");
  const durability = opening.variant === "process" ? "process" : "power";
  const tutti = await openTutti({ flows: Object.values(flows), ledger, durability });
  const handles = new Map<string, RunHandle>();
  const start = (kind: keyof typeof flows, job: Job): Promise<unknown> => tutti.run(flows[kind], job, { id: job.id });
  return {
    chain: (job) => start("chain", job),
    fanOut: (job) => start("fanOut", job),
    async park(id) {
      const handle = await tutti.start(flows.park, { id, count: 0 }, { id });
      handles.set(id, handle);
      await handle.settled();
    },
    async signal(id, delivery) {
      const handle = handles.get(id) ?? (await tutti.open(id));
      handles.delete(id);
      await handle.signal("human", "yes", { id: delivery });
      return handle.result();
    },
    resume: (job, shape) => start(shape, job), // the same id finds the same run, which has gone on since the engine was opened
    bytes: () => databaseBytes(ledger),
    close: () => tutti.close(),
  };
}

interface Flows {
  readonly chain: Flow<Job, number>;
  readonly fanOut: Flow<Job, number>;
  readonly park: Flow<Job, number>;
}

function declareFlows({ work, variant }: Opening, flow: typeof declare): Flows {
  const isRead = (index: number): boolean => variant === "reads" && (index + 1) % 20 !== 0;
  const shapes = { input: accept<Job>(), output: accept<number>() };
  return {
    chain: flow({
      ...shapes,
      name: "chain",
      async run(run, { id, count }) {
        for (let index = 0; index < count; index++) {
          if (isRead(index)) await run.step("step", () => work.step(id, index), { effect: "read" });
          else await run.step("step", () => work.step(id, index));
          work.acknowledged(id, index);
        }
        return count;
      },
    }),
    fanOut: flow({
      ...shapes,
      name: "fan-out",
      async run(run, { id, count }) {
        const outputs = Array.from({ length: count }, async (_, index) => {
          await run.step("step", () => work.step(id, index));
          work.acknowledged(id, index);
        });
        return (await Promise.all(outputs)).length;
      },
    }),
    park: flow({
      ...shapes,
      name: "park",
      async run(run, { id, count }) {
        await run.step("before", () => work.step(id, 0));
        await run.wait<string>("human");
        work.continued(id);
        await run.step("after", () => work.step(id, 1));
        return count;
      },
    }),
  };
}

/** A schema that takes everything: the others check nothing here either. */
function accept<Value>(): Schema<Value> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the bench passes what it says it passes
  return { "~standard": { version: 1, vendor: "bench", validate: (value) => ({ value: value as Value }) } };
}

function databaseBytes(ledger: string): number {
  const database = new DatabaseSync(ledger, { readOnly: true });
  try {
    const pages = Number(database.prepare("pragma page_count").get()?.["page_count"]);
    return pages * Number(database.prepare("pragma page_size").get()?.["page_size"]);
  } finally {
    database.close();
  }
}

interface Counted {
  modelCalls: number;
  toolCalls: number;
}

export async function openAgent(opening: Opening, turns: number): Promise<AgentEngine> {
  const { agent, flow, openTutti, tool } = await loadBuilt();
  const counted: Counted = { modelCalls: 0, toolCalls: 0 };
  const { z } = await import("zod");
  const add = tool({
    name: "add",
    does: "Adds two numbers.",
    input: z.object({ left: z.number(), right: z.number() }),
    output: z.object({ sum: z.number() }),
    effect: "local",
    run({ left, right }) {
      counted.toolCalls++;
      return { sum: left + right };
    },
  });
  const adder = agent({
    name: "adder",
    does: "Adds until it is told to stop.",
    model: "fast",
    tools: [add],
    input: z.object({ task: z.string() }),
    output: z.object({ text: z.string() }),
    instructions: "go",
    turnsMax: turns + 1,
  });
  const ask = flow({
    name: "ask",
    input: accept<string>(),
    output: accept<string>(),
    run: async (run, task) => (await run.call(adder, { task })).text,
  });
  const tutti: Tutti = await openTutti({
    flows: [ask],
    models: { fast: openModel(turns, counted) },
    ledger: join(opening.folder, "ledger.db"),
    durability: opening.variant === "process" ? "process" : "power",
  });
  return {
    async run(id) {
      counted.modelCalls = 0;
      counted.toolCalls = 0;
      await tutti.run(ask, "go", { id });
      return { ...counted };
    },
    close: () => tutti.close(),
  };
}

function openModel(turns: number, counted: Counted): Model {
  const usage = { modelCalls: 1, inputTokens: 10, outputTokens: 5 };
  return {
    provider: "bench",
    id: "at-once",
    async generate({ messages }) {
      counted.modelCalls++;
      const made = messages.filter((message) => message.role === "tool").length;
      if (made === turns) return { text: '{"text":"done"}', toolCalls: [], usage };
      return { text: "", toolCalls: [{ id: `c${made}`, tool: "add", input: { left: made, right: 1 } }], usage };
    },
  };
}
