import crypto from "node:crypto";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { StatementSync } from "node:sqlite";

import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";

import { agent } from "../packages/tutti/src/agents/agent.ts";
import type { Clock } from "../packages/tutti/src/base/clock.ts";
import { toRunId } from "../packages/tutti/src/contracts/ids.ts";
import type { Model } from "../packages/tutti/src/contracts/model.ts";
import type { Policy } from "../packages/tutti/src/contracts/policy.ts";
import { openTutti } from "../packages/tutti/src/engine/open-tutti.ts";
import type { Tutti } from "../packages/tutti/src/engine/tutti.ts";
import { flow } from "../packages/tutti/src/flow/flow.ts";
import type { Durability } from "../packages/tutti/src/ledger/ledger.ts";
import { openSqliteLedger } from "../packages/tutti/src/ledger/sqlite/sqlite-ledger.ts";
import { policy } from "../packages/tutti/src/policy/policy.ts";
import { tool } from "../packages/tutti/src/tools/tool.ts";
import { verifies } from "./verifies.ts";

/** What a piece of work costs, in things that can be counted exactly: no tolerance, no clock. */
interface Counts {
  readonly entries: number;
  readonly statements: number;
  readonly commits: number;
  readonly syncs: number;
  /** Of all keys and bodies. */
  readonly bytes: number;
  /** SHA-256, by whomever. */
  readonly hashes: number;
}

// Time stands still: nothing that only a clock starts (a checkpoint at idle, letting a resting run go) can blur the counts.
const stillClock: Clock = { now: () => 1_760_000_000_000, after: () => () => {} };

const folder = mkdtempSync(path.join(tmpdir(), "tutti-work-"));
let statements = 0;
let hashes = 0;

beforeAll(() => {
  for (const verb of ["run", "get", "all"] as const) {
    const original = StatementSync.prototype[verb];
    vi.spyOn(StatementSync.prototype, verb).mockImplementation(function counted(this: StatementSync, ...values) {
      statements++;
      return Reflect.apply(original, this, values);
    });
  }
});

beforeAll(() => {
  const { hash } = crypto;
  vi.spyOn(crypto, "hash").mockImplementation((...values: Parameters<typeof hash>) => {
    hashes++;
    return hash(...values);
  });
  syncBuiltinESMExports();
});

afterAll(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
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

const readings = flow({
  name: "readings",
  input: z.number(),
  output: z.number(),
  async run(run, rounds) {
    for (let round = 0; round < rounds; round++) {
      for (let read = 0; read < 19; read++) await run.step("read", () => read, { effect: "read" });
      await run.step("write", () => round);
    }
    return rounds;
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

const send = tool({
  name: "send",
  does: "Sends.",
  input: z.object({ to: z.string(), cents: z.number() }),
  output: z.object({ to: z.string(), cents: z.number() }),
  effect: "idempotent",
  run: (letter) => letter,
});

const sending = flow({
  name: "sending",
  input: z.number(),
  output: z.number(),
  async run(run, letters) {
    for (let letter = 0; letter < letters; letter++) await run.call(send, { to: "anna", cents: letter });
    return letters;
  },
});

/** Lets a clerk's letters pass, for what the input says. */
const house = await policy({
  name: "house",
  cedar: `@id("letters") @input("cents: Long")
permit(principal, action == Tutti::Action::"call-tool", resource)
when { resource.name == "send" && context.input has cents && context.input.cents < 100000 };`,
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
  const usage = { modelCalls: 1, inputTokens: 10, outputTokens: 10 };
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

interface CountOptions {
  readonly turns?: number;
  readonly durability?: Durability;
  readonly policy?: Policy;
}

let ledgers = 0;
let ledgerFile = "";

/** The size of the ledger that was counted last. */
function diskBytes(): number {
  return statSync(ledgerFile).size;
}

/** Counts what `work` does on a ledger of its own, from the first start to the last result. */
async function count(work: (tutti: Tutti) => Promise<unknown>, options: CountOptions = {}): Promise<Counts> {
  const { turns = 0, durability = "power", ...governing } = options;
  let entries = 0;
  let bytes = 0;
  let commits = 0;
  let syncs = 0;
  ledgerFile = path.join(folder, `${ledgers++}.db`);
  const ledger = await openSqliteLedger(ledgerFile, {
    clock: stillClock,
    durability,
    onEntry({ key, body }) {
      entries++;
      bytes += Buffer.byteLength(key) + Buffer.byteLength(body);
    },
    fault(point) {
      if (point === "commit") commits++;
      else syncs++;
    },
  });
  const tutti = await openTutti({
    flows: [chain, readings, fanOut, wait, ask, sending],
    ledger,
    clock: stillClock,
    models: { fast: openModel(turns) },
    ...governing,
  });
  try {
    const before = { statements, hashes };
    await work(tutti);
    return {
      entries,
      statements: statements - before.statements,
      commits,
      syncs,
      bytes,
      hashes: hashes - before.hashes,
    };
  } finally {
    await tutti.close();
  }
}

const runChain = (steps: number): Promise<Counts> =>
  count((tutti) => tutti.run(chain, { steps, bytes: 0 }, { id: "run" }));
const runLongChain = (steps: number): Promise<Counts> =>
  count((tutti) => tutti.run(chain, { steps, bytes: 1_000 }, { id: "run" }), { durability: "process" });
const runFanOut = (branches: number): Promise<Counts> => count((tutti) => tutti.run(fanOut, branches, { id: "run" }));
const runReadings = (rounds: number): Promise<Counts> => count((tutti) => tutti.run(readings, rounds, { id: "run" }));
const runSending = (letters: number, governing: Pick<CountOptions, "policy"> = {}): Promise<Counts> =>
  count((tutti) => tutti.run(sending, letters, { id: "run" }), governing);
const runAgent = (turns: number): Promise<Counts> => count((tutti) => tutti.run(ask, turns, { id: "run" }), { turns });

function runSignal(deliveries: number): Promise<Counts> {
  return count(async (tutti) => {
    const handle = await tutti.start(wait, "go", { id: "run" });
    await handle.settled();
    for (let at = 0; at < deliveries; at++) await handle.signal("human", "yes", { id: "answer" });
    return handle.result();
  });
}

/** Statements that a second engine needs to take up so many runs, which an earlier one left where they were. */
async function takeUp(runs: number): Promise<number> {
  const file = path.join(folder, `${ledgers++}.db`);
  const first = await openSqliteLedger(file, { clock: stillClock });
  for (let run = 0; run < runs; run++) {
    const id = toRunId(`run-${run}`);
    await first.start({ id, flow: "wait", version: "1", body: '{"flow":"wait","version":"1","input":"go"}' });
  }
  await first.close();
  const before = statements;
  const ledger = await openSqliteLedger(file, { clock: stillClock });
  const tutti = await openTutti({ flows: [wait], ledger, clock: stillClock });
  const taken = statements - before;
  await tutti.close();
  return taken;
}

/** Statements that a second engine needs for so many runs of an earlier one that wait, and all get their answers in one turn. */
async function answerAll(runs: number): Promise<number> {
  const file = path.join(folder, `${ledgers++}.db`);
  const ids = Array.from({ length: runs }, (_, index) => `run-${index}`);
  const options = { flows: [wait], clock: stillClock };
  const first = await openTutti({ ...options, ledger: await openSqliteLedger(file, { clock: stillClock }) });
  for (const id of ids) await (await first.start(wait, "go", { id })).settled();
  await first.close();
  const tutti = await openTutti({ ...options, ledger: await openSqliteLedger(file, { clock: stillClock }) });
  const handles = await Promise.all(ids.map((id) => tutti.open(id)));
  const before = statements;
  await Promise.all(handles.map((handle) => handle.signal("human", "yes")));
  await Promise.all(handles.map((handle) => handle.result()));
  const taken = statements - before;
  await tutti.close();
  return taken;
}

function subtract(more: Counts, less: Counts): Counts {
  return {
    entries: more.entries - less.entries,
    statements: more.statements - less.statements,
    commits: more.commits - less.commits,
    syncs: more.syncs - less.syncs,
    bytes: more.bytes - less.bytes,
    hashes: more.hashes - less.hashes,
  };
}

test("a run without steps is two entries, two commits and two syncs", async () => {
  expect(await runChain(0)).toEqual({ entries: 2, statements: 10, commits: 2, syncs: 2, bytes: 69, hashes: 5 });
});

test("sixteen steps more are sixteen entries, commits and syncs more", async () => {
  const more = subtract(await runChain(1_016), await runChain(1_000));
  expect(more).toEqual({ entries: 16, statements: 48, commits: 16, syncs: 16, bytes: 352, hashes: 32 });
});

test("nineteen reads and a write are twenty entries, and one commit and one sync", async () => {
  const more = subtract(await runReadings(24), await runReadings(20));
  expect(more).toMatchObject({ entries: 80, commits: 4, syncs: 4 });
});

test('with durability "process" nothing is synced', async () => {
  const { entries, commits, syncs } = await count(
    (tutti) => tutti.run(chain, { steps: 100, bytes: 0 }, { id: "run" }),
    { durability: "process" },
  );
  expect({ entries, commits, syncs }).toEqual({ entries: 102, commits: 102, syncs: 0 });
});

test("a hundred parallel steps more are a hundred entries more, and no commit more", async () => {
  const more = subtract(await runFanOut(900), await runFanOut(800));
  expect(more).toEqual({ entries: 100, statements: 100, commits: 0, syncs: 0, bytes: 2_200, hashes: 200 });
});

test("two hundred runs more are taken up with no statement more", async () => {
  expect((await takeUp(300)) - (await takeUp(100))).toBe(0);
});

test("two hundred runs more that get their answers in one turn are read with no statement more, and written with four each", async () => {
  expect(((await answerAll(300)) - (await answerAll(100))) / 200).toBe(4);
});

test("a turn of an agent is two entries, one commit and one sync", async () => {
  const more = subtract(await runAgent(116), await runAgent(108));
  expect(more).toEqual({ entries: 16, statements: 32, commits: 8, syncs: 8, bytes: 3_216, hashes: 40 });
});

test("a signal is one entry and one sync, however often it is delivered", async () => {
  const once = await runSignal(1);
  expect(once).toMatchObject({ entries: 3, commits: 3, syncs: 3 });
  expect(await runSignal(2)).toMatchObject({ entries: 3, commits: 3, syncs: 3, bytes: once.bytes });
});

test("the bytes of 2,000 steps grow linearly", async () => {
  const [fewer, some, more] = [await runLongChain(1_000), await runLongChain(1_500), await runLongChain(2_000)];
  expect(subtract(more, some)).toMatchObject({ bytes: subtract(some, fewer).bytes, entries: 500 });
  expect(diskBytes()).toBeLessThanOrEqual(1.8 * 1_024 * 2_000);
});

test("the bytes of 200 turns of an agent grow linearly: no turn stores the conversation again", async () => {
  const [fewer, some, more] = [await runAgent(100), await runAgent(150), await runAgent(200)];
  expect(subtract(more, some)).toMatchObject({ bytes: subtract(some, fewer).bytes, entries: 100 });
});

test(
  "a call with an effect under a policy has as many entries, statements, commits, syncs and hashes as without one, and 191 bytes more",
  verifies("G3"),
  async () => {
    const without = subtract(await runSending(1_016), await runSending(1_000));
    const governed = subtract(await runSending(1_016, { policy: house }), await runSending(1_000, { policy: house }));
    expect(without).toMatchObject({ entries: 32, hashes: 80 });
    expect(governed).toEqual({ ...without, bytes: without.bytes + 16 * 191 });
  },
);

/** The statements of a fresh engine that takes up so many waiting runs, one after the other. */
async function countReturns(runs: number): Promise<number> {
  const file = path.join(folder, `${ledgers++}.db`);
  const open = async (): Promise<Tutti> =>
    openTutti({ flows: [wait], ledger: await openSqliteLedger(file, { clock: stillClock }), clock: stillClock });
  const ids = Array.from({ length: runs }, (_, index) => `run-${index}`);
  const first = await open();
  for (const id of ids) await (await first.start(wait, "go", { id })).settled();
  await first.close();
  const second = await open();
  const before = statements;
  for (const id of ids) {
    const handle = await second.open(id);
    await handle.signal("human", "yes", { id: "answer" });
    await handle.result();
  }
  const counted = statements - before;
  await second.close();
  return counted;
}

test("a waiting run that is taken up by another process costs two reads, and what it writes", async () => {
  const reads = 2;
  const writes = 8; // two commits of three statements and the state of the run in each
  expect(((await countReturns(12)) - (await countReturns(8))) / 4).toBe(reads + writes);
});
