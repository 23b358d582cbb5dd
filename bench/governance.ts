import { spawn } from "node:child_process";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { z } from "zod";

import type { Flow, LedgerEntry, Run, Tutti } from "../packages/tutti/src/index.ts";
import { findBreak, toChainStart } from "../packages/tutti/src/ledger/chain.ts";
import type * as policies from "../packages/tutti/src/policies.ts";
import { build, loadBuilt } from "./built.ts";
import { makeFolder, removeFolder, resultsFolder } from "./folder.ts";
import { median, show } from "./numbers.ts";
import { separateTitles, writeSection } from "./results-file.ts";

/**
 * What a policy and the chain add to the time of a durable step, with many runs at once: the same work in an engine without a policy and in
 * one with a policy and grants, one right after the other. `--write` puts it into RESULTS.md.
 */
const runsAtOnce = 1_000;
const stepsPerRun = 5;
const repeats = 41;
const warmUps = 3;

/** Eight rules, three of which read the input; those that ask people are weighed and don't hold. */
const house = `
@id("looking") permit(principal, action in [Tutti::Action::"read-document", Tutti::Action::"call-model"], resource);
@id("writing-inside") permit(principal, action == Tutti::Action::"write-document", resource);
@id("reading") permit(principal, action == Tutti::Action::"call-tool", resource) when { resource.effect == "read" };
@id("counting") permit(principal, action == Tutti::Action::"call-tool", resource) when { resource.name like "count.*" };
@id("payments") @approvals("1") @role("finance") @distinct("initiator")
permit(principal is Tutti::Agent, action == Tutti::Action::"call-tool", resource)
when { resource.name like "bank.*" && principal.autonomy >= 2 };
@id("large") @approvals("2") @input("amountCents: Long")
forbid(principal, action == Tutti::Action::"call-tool", resource)
when { context.input has amountCents && context.input.amountCents > 100000 };
@id("not-for-nobody") @input("amountCents: Long, to: String")
forbid(principal, action == Tutti::Action::"call-tool", resource)
when { context.input has amountCents && context.input.amountCents > 0 && context.input has to && context.input.to == "" };
@id("nothing-personal-goes-out")
forbid(principal, action in [Tutti::Action::"call-tool", Tutti::Action::"send"], resource)
when { context.labels.containsAll(["untrusted", "personal"]) };
`;

build();
const { flow, openTutti, tool } = await loadBuilt();
const out = (file: string): string => pathToFileURL(join(resultsFolder, "out", file)).href;
const { policy }: typeof policies = await import(out("policies.js"));

const Value = z.object({ amountCents: z.number(), to: z.string() });
const toCount = (name: string, effect: "local" | "idempotent") =>
  tool({ name, does: "Counts.", input: Value, output: Value, effect, run: (value) => value });
const local = toCount("count.local", "local");
const effect = toCount("count.effect", "idempotent");

const receiver = await startReceiver();
const send = tool({
  name: "count.send",
  does: "Sends it to another process.",
  input: Value,
  output: Value,
  effect: "idempotent",
  async run(value, { idempotencyKey, signal }) {
    const headers = { "content-type": "application/json", "idempotency-key": idempotencyKey };
    const response = await fetch(receiver.url, { method: "POST", headers, body: JSON.stringify(value), signal });
    return Value.parse(await response.json());
  },
});

const works: Readonly<Record<string, (run: Run, at: number) => Promise<unknown>>> = {
  "`run.step`": (run, at) => run.step("count", () => ({ amountCents: at, to: "somebody" })),
  "call of a tool without an effect": (run, at) => run.call(local, { amountCents: at, to: "somebody" }),
  "call of a tool with an effect": (run, at) => run.call(effect, { amountCents: at, to: "somebody" }),
  "the same, sent to another process over HTTP": (run, at) => run.call(send, { amountCents: at, to: "somebody" }),
};
const flows: readonly Flow<null, null>[] = Object.values(works).map((work, index) =>
  flow({
    name: `work-${index}`,
    input: z.null(),
    output: z.null(),
    async run(run) {
      for (let at = 0; at < stepsPerRun; at++) await work(run, at);
      return null;
    },
  }),
);

interface Cost {
  readonly us: number;
  readonly processorUs: number;
}

interface Round {
  readonly without: Cost;
  readonly with: Cost;
}

await main();

async function main(): Promise<void> {
  const rows = await measureAll();
  const section = toSection(rows);
  process.stdout.write(section);
  if (process.argv.includes("--write")) writeSection("governance", section);
  receiver.stop();
}

/** Another process on this machine that answers with what it is sent: the least that an effect outside can take. */
async function startReceiver(): Promise<{ readonly url: string; stop(): void }> {
  const program = `
    const server = require("node:http").createServer((request, response) => {
      response.setHeader("content-type", "application/json");
      request.pipe(response);
    });
    server.listen(0, "127.0.0.1", () => console.log(server.address().port));
    process.stdin.on("end", () => process.exit()).resume();`;
  const child = spawn(process.execPath, ["-e", program], { stdio: ["pipe", "pipe", "inherit"] });
  const port = await new Promise<string>((resolve) =>
    child.stdout.once("data", (said) => resolve(String(said).trim())),
  );
  return { url: `http://127.0.0.1:${port}/`, stop: () => void child.stdin.end() };
}

async function measureAll(): Promise<string[]> {
  const folder = makeFolder("governance");
  const open = async (name: string, options: Partial<Parameters<typeof openTutti>[0]>): Promise<Tutti> =>
    openTutti({ flows, ledger: join(folder, `${name}.db`), control: false, ...options });
  const rules = await policy({ name: "house", cedar: house });
  const people = [{ name: "ann", roles: ["finance"] }];
  const plain = await open("without", {});
  const governed = await open("with", {
    policy: rules,
    people,
    approvals: { "*": [{ role: "finance" }] },
    grants: { "*": { tools: { "count.*": {} }, actsFor: ["bert"] } },
  });
  const roundsByFlow = new Map<Flow<null, null>, Round[]>(flows.map((each) => [each, []]));
  // In every round every work both ways, now this one first and now the other: a slow moment slows both.
  for (let round = -warmUps; round < repeats; round++) {
    for (const each of flows) {
      const first = round % 2 === 0 ? plain : governed;
      const one = await measure(first, each);
      const two = await measure(first === plain ? governed : plain, each);
      if (round >= 0)
        roundsByFlow.get(each)?.push(first === plain ? { without: one, with: two } : { without: two, with: one });
    }
  }
  const rows: string[] = [];
  for (const [index, name] of Object.keys(works).entries()) {
    const rounds = roundsByFlow.get(flows[index] ?? raise()) ?? [];
    const before = await measureChain(plain, index);
    const after = await measureChain(governed, index);
    rows.push(toRow(name, rounds, { before, after }));
  }
  await plain.close();
  await governed.close();
  removeFolder(folder);
  return rows;
}

async function measure(tutti: Tutti, work: Flow<null, null>): Promise<Cost> {
  const cpu = process.cpuUsage();
  const from = performance.now();
  await Promise.all(Array.from({ length: runsAtOnce }, () => tutti.run(work, null, { by: "bert" })));
  const ms = performance.now() - from;
  const { user, system } = process.cpuUsage(cpu);
  const steps = runsAtOnce * stepsPerRun;
  return { us: (ms * 1_000) / steps, processorUs: (user + system) / steps };
}

interface ChainCost {
  readonly entriesPerStep: number;
  /** Processor time of both hashes of all entries of a step. */
  readonly usPerStep: number;
}

/** What sealing the entries of a work costs: both hashes of each are made once more, over what is stored. */
async function measureChain(tutti: Tutti, index: number): Promise<ChainCost> {
  await tutti.ledger.flush();
  const runs = (await tutti.runs({ flow: `work-${index}`, limit: 500 })).map(({ id }) => id);
  const entries: (readonly LedgerEntry[])[] = [];
  for (const id of runs) entries.push(await (await tutti.open(id)).entries());
  const count = entries.reduce((sum, each) => sum + each.length, 0);
  const costs = Array.from({ length: 9 }, () => {
    const cpu = process.cpuUsage();
    for (const [at, each] of entries.entries()) follow(String(runs[at]), each);
    const { user, system } = process.cpuUsage(cpu);
    return (user + system) / count;
  });
  const entriesPerStep = count / entries.length / stepsPerRun;
  return { entriesPerStep, usPerStep: median(costs) * entriesPerStep };
}

function follow(run: string, entries: readonly LedgerEntry[]): void {
  let end = toChainStart(run);
  for (const entry of entries) {
    const problem = findBreak(end, entry);
    if (problem !== undefined) throw new Error(`${run}, entry ${entry.seq}: ${problem}`);
    end = { seq: entry.seq, hash: entry.hash };
  }
}

function toRow(
  title: string,
  rounds: readonly Round[],
  { before, after }: { readonly before: ChainCost; readonly after: ChainCost },
): string {
  const ratios = rounds.map((round) => round.with.us / round.without.us);
  const processorRatios = rounds.map((round) => round.with.processorUs / round.without.processorUs);
  // A step that is neither governed nor sealed: what is left without the chain.
  const bare = median(rounds.map(({ without }) => without.processorUs)) - before.usPerStep;
  const figures = [median(rounds.map(({ without }) => without.us)), median(rounds.map((round) => round.with.us))].map(
    show,
  );
  const processor = [
    median(rounds.map(({ without }) => without.processorUs)),
    median(rounds.map((round) => round.with.processorUs)),
  ].map(show);
  const range = `${show(toPercent(median(ratios)))} (${show(toPercent(Math.min(...ratios)))} to ${show(toPercent(Math.max(...ratios)))})`;
  const entries = `${show(before.entriesPerStep)}, ${show(after.entriesPerStep)}`;
  const chain = bare === 0 ? Number.NaN : (bare + after.usPerStep) / bare;
  // Neighbours in time are compared and nothing else: medians of either side alone come from slow and from quick moments.
  const added = [median(processorRatios), chain, median(processorRatios) * chain];
  return `| ${[title, entries, ...figures, range, ...processor, ...added.map((ratio) => show(toPercent(ratio)))].join(" | ")} |`;
}

function toPercent(ratio: number): number {
  return (ratio - 1) * 100;
}

function raise(): never {
  throw new Error("a work has no flow");
}

function toSection(rows: readonly string[]): string {
  return [
    separateTitles.governance,
    "",
    `${runsAtOnce.toLocaleString("en-US")} runs at once of ${stepsPerRun} steps each, that do nothing but for the last row; an engine without a policy beside one with eight rules, people, a ladder and a grant, in which everything is allowed.`,
    `Medians of ${repeats} rounds, the two right after each other in changing order, one process, built package, load ${show(loadavg()[0])} on ${availableParallelism()} processors. The chain is what both`,
    "hashes of each entry cost when they are made once more over what is stored. Together: both over a step that has neither, processor time.",
    "",
    "- repeat it: `node scripts/run.mjs bench/governance.ts --write`",
    "",
    "| durable step | entries, without and with | µs without | µs with | policy adds, % of time | processor µs without | processor µs with | policy adds, % of processor time | chain, % of processor time | together, % |",
    "|---|---|---|---|---|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}
