import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { z } from "zod";

import type { Agent, Durability, Flow, Model, Run, Tutti } from "../packages/tutti/src/index.ts";
import type * as teams from "../packages/tutti/src/teams.ts";
import { build, loadBuilt } from "./built.ts";
import { makeFolder, removeFolder, resultsFolder } from "./folder.ts";
import { median, show } from "./numbers.ts";
import { separateTitles, writeSection } from "./results-file.ts";

/**
 * What it costs that one agent's output is another's input, with models that answer at once: through `run.call`, a team and peers, beside
 * the same questions to the same model by hand, and beside the same by hand inside durable steps. `--write` puts it into RESULTS.md.
 */
const handOvers = 120;
const handOversPerPeers = 10;
const repeats = 15;
const warmUps = 5;
const durabilities = ["process", "power"] as const;

const Value = z.object({ value: z.number() });
type Value = z.infer<typeof Value>;

build();
const { agent, flow, openTutti } = await loadBuilt();
const loadedTeams: typeof teams = await import(pathToFileURL(join(resultsFolder, "out", "teams.js")).href);
const { packet, peerReply, peers, peerTask, team } = loadedTeams;

const unknownCost: Cost = { us: Number.NaN, processorUs: Number.NaN };
const usage = { modelCalls: 1, inputTokens: 1, outputTokens: 1 };
const counting: Model = {
  provider: "bench",
  id: "counting",
  generate: (request) => Promise.resolve({ text: answer(request.messages), toolCalls: [], usage }),
};

/** The next number, whatever the words around the last one are. */
function answer(messages: Parameters<Model["generate"]>[0]["messages"]): string {
  const text = messages.find((message) => message.role === "user")?.text ?? "";
  const value =
    Number(/"value": ?(\d+)/.exec(text)?.[1] ?? /"fact": ?"(\d+)"(?![\s\S]*"fact")/.exec(text)?.[1] ?? 0) + 1;
  if (!text.includes('"peers"')) return JSON.stringify({ value });
  if (value > handOversPerPeers) return JSON.stringify({ answer: { value }, handOff: null });
  const to = value % 2 === 1 ? "right" : "left";
  const known = [{ topic: `count-${value}`, fact: String(value), confidence: 1 }];
  return JSON.stringify({
    answer: null,
    handOff: { to, reason: "it is next", done: [], known, assumed: [], missing: [] },
  });
}

const toAgent = (name: string): Agent<Value, Value> =>
  agent({ name, does: "Counts on.", model: "fast", input: Value, output: Value, instructions: "Add one." });
const toPeer = (name: string): Agent<teams.Packet, teams.PeerReply<Value>> =>
  agent({ name, does: "Counts on.", model: "fast", input: packet, output: peerReply(Value), instructions: "Add one." });

const ada = toAgent("ada");
const ben = toAgent("ben");
const pair = team({
  name: "pair",
  does: "Counts on twice.",
  input: Value,
  output: Value,
  members: [ada, ben],
  how: async (run, input) => run.result(ben, await run.call(ada, input)),
});
const members = [toPeer("left"), toPeer("right")];
const ring = team({
  name: "ring",
  does: "Counts on.",
  input: peerTask,
  output: Value,
  members,
  how: peers({ members }),
});

async function byHand({ value }: Value): Promise<Value> {
  const messages = [{ role: "user" as const, text: JSON.stringify({ value }, null, 1) }];
  const { text } = await counting.generate(
    { messages, tools: [], answer: { name: "answer", schema: {} } },
    new AbortController().signal,
  );
  return Value.parse(JSON.parse(text));
}

async function repeatedly(times: number, work: (before: Value) => Promise<Value>): Promise<Value> {
  let value: Value = { value: 0 };
  for (let index = 0; index < times; index++) value = await work(value);
  return value;
}

const ways: Readonly<Record<string, (run: Run) => Promise<Value>>> = {
  step: (run) => repeatedly(handOvers, (before) => run.step("count", () => byHand(before))),
  "run.call": (run) => repeatedly(handOvers / 2, async (before) => run.call(ben, await run.call(ada, before))),
  team: (run) => repeatedly(handOvers / 2, (before) => run.call(pair, before)),
  peers: (run) => repeatedly(handOvers / handOversPerPeers, () => run.call(ring, { goal: "count" })),
};
const flows: readonly Flow<null, Value>[] = Object.entries(ways).map(([name, way]) =>
  flow({ name: name.replace(".", "-"), input: z.null(), output: Value, run: (run) => way(run) }),
);

await main();

async function main(): Promise<void> {
  const plain = (await measureInTurn({ plain: () => repeatedly(handOvers, byHand) })).get("plain") ?? unknownCost;
  const rows = [`| by hand: model, JSON, schema | – | ${show(plain.us)} | ${show(plain.processorUs)} | | | |`];
  for (const durability of durabilities) {
    const costs = await measureWays(durability);
    const step = costs.get("step") ?? unknownCost;
    for (const [name, { us, processorUs }] of costs) {
      const way = name === "step" ? "by hand, in `run.step`" : `\`${name}\``;
      const figures = [
        us,
        processorUs,
        processorUs - plain.processorUs,
        processorUs / plain.processorUs,
        processorUs / step.processorUs,
      ];
      rows.push(`| ${[way, durability, ...figures.map(show)].join(" | ")} |`);
    }
  }
  const section = toSection(rows);
  process.stdout.write(section);
  if (process.argv.includes("--write")) writeSection("handOver", section);
}

function toSection(rows: readonly string[]): string {
  return [
    separateTitles.handOver,
    "",
    "Microseconds for one hand-over: agent A's output, checked, is agent B's input; models answer at once. Medians of " +
      `${repeats} rounds of ${handOvers} hand-overs in a row, every`,
    "way in each round, one process, built package. Own is the processor time that is left without the same question by hand, and the",
    `ratios are of processor time, because the machine had a load of ${show(loadavg()[0])} on ${availableParallelism()} processors. An agent's call is three entries.`,
    "",
    "- repeat it: `node scripts/run.mjs bench/hand-over.ts --write`",
    "",
    "| way | durability | µs | processor µs | own µs | × by hand | × durable step |",
    "|---|---|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

interface Cost {
  readonly us: number;
  readonly processorUs: number;
}

async function measureWays(durability: Durability): Promise<ReadonlyMap<string, Cost>> {
  const folder = makeFolder(`hand-over-${durability}`);
  const tutti: Tutti = await openTutti({
    flows,
    models: { fast: counting },
    ledger: join(folder, "ledger.db"),
    durability,
  });
  const costs = await measureInTurn(
    Object.fromEntries(flows.map((each) => [each.name.replace("-", "."), () => tutti.run(each, null)])),
  );
  await tutti.close();
  removeFolder(folder);
  return costs;
}

/** What a hand-over costs each way: one after the other in every round, so that a slow moment slows all. */
async function measureInTurn(
  works: Readonly<Record<string, () => Promise<Value>>>,
): Promise<ReadonlyMap<string, Cost>> {
  const costs = new Map<string, Cost[]>(Object.keys(works).map((name) => [name, []]));
  for (let round = -warmUps; round < repeats; round++) {
    for (const [name, work] of Object.entries(works)) {
      const cpu = process.cpuUsage();
      const from = performance.now();
      await work();
      const us = ((performance.now() - from) * 1_000) / handOvers;
      const { user, system } = process.cpuUsage(cpu);
      if (round >= 0) costs.get(name)?.push({ us, processorUs: (user + system) / handOvers });
    }
  }
  const toMedian = (all: readonly Cost[]): Cost => ({
    us: median(all.map(({ us }) => us)),
    processorUs: median(all.map(({ processorUs }) => processorUs)),
  });
  return new Map([...costs].map(([name, all]) => [name, toMedian(all)]));
}
