import { mkdtempSync, rmSync } from "node:fs";
import { DatabaseSync, StatementSync } from "node:sqlite";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";

import { agent } from "../packages/tutti/src/agents/agent.ts";
import type { Clock } from "../packages/tutti/src/base/clock.ts";
import type { Model } from "../packages/tutti/src/contracts/model.ts";
import { openTutti } from "../packages/tutti/src/engine/open-tutti.ts";
import type { Tutti } from "../packages/tutti/src/engine/tutti.ts";
import { flow } from "../packages/tutti/src/flow/flow.ts";
import { openSqliteLedger } from "../packages/tutti/src/ledger/sqlite/sqlite-ledger.ts";
import { tool } from "../packages/tutti/src/tools/tool.ts";

/** What a piece of work costs, in things that can be counted exactly: no tolerance, no clock. */
interface Counts {
  readonly entries: number;
  readonly statements: number;
  readonly commits: number;
  readonly syncs: number;
  /** Of all keys and bodies. */
  readonly bytes: number;
}

// Time stands still: nothing that only a clock starts (a checkpoint at idle, letting a resting run go) can blur the counts.
const stillClock: Clock = { now: () => 1_760_000_000_000, after: () => () => {} };

const folder = mkdtempSync(path.join(tmpdir(), "tutti-work-"));
let statements = 0;

beforeAll(() => {
  for (const verb of ["run", "get", "all"] as const) {
    const original = StatementSync.prototype[verb];
    vi.spyOn(StatementSync.prototype, verb).mockImplementation(function count(this: StatementSync, ...values) {
      statements++;
      return Reflect.apply(original, this, values);
    });
  }
});

afterAll(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const chain = flow({
  name: "chain",
  input: z.object({ steps: z.number(), bytes: z.number() }),
  output: z.number(),
  async run(run, { steps, bytes }) {
    for (let index = 0; index < steps; index++) await run.step("step", () => (bytes === 0 ? index : "x".repeat(bytes)));
    return steps;
  },
});

const fanOut = flow({
  name: "fan-out",
  input: z.number(),
  output: z.number(),
  async run(run, branches) {
    const outputs = Array.from({ length: branches }, (_, index) => run.step("branch", () => index));
    return (await Promise.all(outputs)).length;
  },
});

const wait = flow({
  name: "wait",
  input: z.string(),
  output: z.string(),
  run: async (run) => run.wait<string>("human"),
});

const add = tool({
  name: "add",
  does: "Adds two numbers.",
  input: z.object({ left: z.number(), right: z.number() }),
  output: z.object({ sum: z.number() }),
  effect: "local",
  run: ({ left, right }) => ({ sum: left + right }),
});

const turnsMax = 201;
const adder = agent({
  name: "adder",
  does: "Adds until it is told to stop.",
  model: "fast",
  tools: [add],
  input: z.object({ turns: z.number() }),
  output: z.object({ text: z.string() }),
  instructions: "Add.",
  turnsMax,
});

const ask = flow({
  name: "ask",
  input: z.number(),
  output: z.string(),
  run: async (run, turns) => (await run.call(adder, { turns })).text,
});

/** Calls its tool `turns` times, with inputs of one length, and answers. */
function openModel(turns: number): Model {
  const usage = { modelCalls: 1, inputTokens: 10, outputTokens: 5 };
  return {
    provider: "test",
    id: "counted",
    async generate({ messages }) {
      const made = messages.filter((message) => message.role === "tool").length;
      if (made === turns) return { text: '{"text":"done"}', toolCalls: [], usage };
      const id = `call-${1_000 + made}`;
      return { text: "", toolCalls: [{ id, tool: "add", input: { left: 1_000 + made, right: 1 } }], usage };
    },
  };
}

let ledgers = 0;

/** Counts what `work` does on a ledger of its own, from the first start to the close. */
async function count(work: (tutti: Tutti) => Promise<unknown>, turns = 0): Promise<Counts> {
  let entries = 0;
  let bytes = 0;
  let commits = 0;
  let syncs = 0;
  const ledger = await openSqliteLedger(path.join(folder, `${ledgers++}.db`), {
    clock: stillClock,
    onEntry({ key, body }) {
      entries++;
      bytes += Buffer.byteLength(key) + Buffer.byteLength(body);
    },
    fault(point) {
      if (point === "commit") commits++;
      else syncs++;
    },
  });
  const tutti = await openTutti({ flows: [chain, fanOut, wait, ask], ledger, clock: stillClock, models: { fast: openModel(turns) } });
  try {
    const before = statements;
    await work(tutti);
    return { entries, statements: statements - before, commits, syncs, bytes };
  } finally {
    await tutti.close();
  }
}

const runChain = (steps: number, bytes = 0): Promise<Counts> => count((tutti) => tutti.run(chain, { steps, bytes }, { id: "run" }));
const runFanOut = (branches: number): Promise<Counts> => count((tutti) => tutti.run(fanOut, branches, { id: "run" }));
const runAgent = (turns: number): Promise<Counts> => count((tutti) => tutti.run(ask, turns, { id: "run" }), turns);

function subtract(more: Counts, less: Counts): Counts {
  return {
    entries: more.entries - less.entries,
    statements: more.statements - less.statements,
    commits: more.commits - less.commits,
    syncs: more.syncs - less.syncs,
    bytes: more.bytes - less.bytes,
  };
}

test("print", async () => {
  console.log(DatabaseSync.name, {
    c0: await runChain(0), c1000: await runChain(1000), c1016: await runChain(1016), c2000k: await runChain(2000,1000), c1000k: await runChain(1000,1000),
    f100: await runFanOut(100), f1000: await runFanOut(1000), a20: await runAgent(20), a100: await runAgent(100), a200: await runAgent(200),
    w: await count(async (tutti) => { const h = await tutti.start(wait, "x", { id: "run" }); await h.settled(); await h.signal("human", "yes", { id: "s" }); await h.signal("human", "yes", { id: "s" }); await h.result(); }),
  });
  console.log(subtract(await runChain(3), await runChain(2)));
  expect(1).toBe(1);
});
