import { readFile } from "node:fs/promises";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";

import { toAnalysis } from "../examples/competitive-analysis/analysis-flow.ts";
import { rules as analysisRules } from "../examples/competitive-analysis/rules.ts";
import { Question } from "../examples/competitive-analysis/shapes.ts";
import { toSearchLibrary } from "../examples/competitive-analysis/tools.ts";
import { toMarketBrief } from "../examples/market-brief/brief-flow.ts";
import { rules as briefRules } from "../examples/market-brief/rules.ts";
import { Assignment, openSourceServer } from "../examples/market-brief/source-server.ts";
import { toPublish, toReadSource } from "../examples/market-brief/tools.ts";
import { toPurchase } from "../examples/procurement/purchase-flow.ts";
import { rules as purchaseRules } from "../examples/procurement/rules.ts";
import { Need } from "../examples/procurement/shapes.ts";
import { listSuppliers, toOfferTools } from "../examples/procurement/tools.ts";
import { openTutti, type Flow, type Model } from "../packages/tutti/src/index.ts";
import { ruleModel } from "../packages/tutti/src/models.ts";
import { makeFolder, removeFolder } from "./folder.ts";
import { openPace, type Pace } from "./latency.ts";
import { median, show } from "./numbers.ts";
import { separateTitles, writeSection } from "./results-file.ts";

// What a question to a model and a call of a tool take in practice, and how often everything is measured.
const latencies = { model: { medianSeconds: 4, sigma: 0.5 }, tool: { medianSeconds: 0.8, sigma: 0.6 } } as const;
const msPerSecond = 50;
const repetitions = 7;
const firstSeed = 20_261_127;
const aim = 60;

const examples = path.join(import.meta.dirname, "..", "examples");

/** A job, ready to be done: sequential is the same flow with one call at a time. */
interface Job {
  readonly flow: Flow;
  readonly model: Model;
  readonly input: unknown;
  close?(): Promise<void>;
}

type OpenJob = (pace: Pace, folder: string, concurrency: number | undefined) => Promise<Job>;

const jobs: Readonly<Record<string, OpenJob>> = {
  "market brief": async (pace, folder, concurrency) => {
    const sources = path.join(examples, "market-brief", "sources");
    const assignment = Assignment.parse(await readJson(path.join(sources, "sources.json")));
    const server = await openSourceServer(sources, assignment);
    const flow = toMarketBrief({
      readSource: pace.tool(toReadSource(server.url)),
      publish: pace.tool(toPublish(folder)),
      ...(concurrency === undefined ? {} : { concurrency }),
    });
    const { market, topics } = assignment;
    const input = { market, topics, sources: assignment.sources.map(({ id }) => id) };
    return { flow, model: ruleModel(briefRules), input, close: () => server.close() };
  },
  "competitive analysis": async (pace, _folder, concurrency) => {
    const library = path.join(examples, "competitive-analysis", "library");
    const flow = toAnalysis(pace.tool(toSearchLibrary(library)), concurrency);
    const input = Question.parse(await readJson(path.join(library, "question.json")));
    return { flow, model: ruleModel(analysisRules), input };
  },
  procurement: async (pace, _folder, concurrency) => {
    const offers = path.join(examples, "procurement", "offers");
    const { readOffer, priceOffer, readDeliveries } = toOfferTools(offers);
    const tools = {
      readOffer: pace.tool(readOffer),
      priceOffer: pace.tool(priceOffer),
      readDeliveries: pace.tool(readDeliveries),
    };
    const need = Need.parse(await readJson(path.join(offers, "need.json")));
    const input = { need, suppliers: await listSuppliers(offers) };
    return { flow: toPurchase(tools, concurrency), model: ruleModel(purchaseRules), input };
  },
};

interface Measured {
  readonly seconds: number;
  readonly calls: string;
  readonly output: unknown;
}

await main();

async function main(): Promise<void> {
  const rows: string[] = [];
  for (const [name, open] of Object.entries(jobs)) {
    process.stderr.write(`${name}: ${repetitions} repetitions\n`);
    rows.push(await compare(name, open));
  }
  const { model, tool } = latencies;
  const part = [
    separateTitles.cycleTime,
    "",
    "Three of the examples, whole, with a ledger on disk. Questions to models and calls of tools take as long as real ones, log-normal: models with a",
    `median of ${model.medianSeconds} s (σ ${model.sigma}), tools of ${tool.medianSeconds} s (σ ${tool.sigma}), drawn from what is asked and a seed, so that the same call takes the same time in either`,
    `order. A second is ${msPerSecond} ms here; Tutti's own time is not scaled, so it counts ${1000 / msPerSecond}-fold. Sequential is the same flow with a concurrency of 1; both must come to the same`,
    `result. Medians of ${repetitions} seeds, least and most in brackets. Repeat it: \`npm run bench:cycle-time\``,
    "",
    "| job | calls, sequential | calls, coordinated | sequential, s | coordinated, s | shorter by, % | aim |",
    "|---|---|---|---|---|---|---|",
    ...rows,
  ];
  writeSection("cycleTime", part.join("\n"));
  process.stdout.write(`${part.join("\n")}\n`);
}

async function compare(name: string, open: OpenJob): Promise<string> {
  const pairs: { readonly sequential: Measured; readonly coordinated: Measured; readonly shorter: number }[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const seed = firstSeed + repetition;
    const sequential = await measure(open, seed, 1);
    const coordinated = await measure(open, seed, undefined);
    if (!isDeepStrictEqual(sequential.output, coordinated.output))
      throw new Error(`${name}: sequential and coordinated came to different results`);
    pairs.push({ sequential, coordinated, shorter: 100 * (1 - coordinated.seconds / sequential.seconds) });
  }
  const shorter = pairs.map((pair) => pair.shorter);
  const typical = median(shorter);
  const cells = [
    name,
    pairs[0]?.sequential.calls,
    pairs[0]?.coordinated.calls,
    show(median(pairs.map((pair) => pair.sequential.seconds))),
    show(median(pairs.map((pair) => pair.coordinated.seconds))),
    `${show(typical)} (${show(Math.min(...shorter))}–${show(Math.max(...shorter))})`,
    `≥ ${aim}: ${typical >= aim ? "reached" : "**not reached**"}`,
  ];
  return `| ${cells.join(" | ")} |`;
}

async function measure(open: OpenJob, seed: number, concurrency: number | undefined): Promise<Measured> {
  const folder = makeFolder("cycle-time");
  const pace = openPace({ ...latencies, msPerSecond, seed });
  const job = await open(pace, path.join(folder, "out"), concurrency);
  const model = pace.model(job.model);
  const ledger = path.join(folder, "ledger.db");
  const tutti = await openTutti({ flows: [job.flow], models: { fast: model, deep: model }, ledger, control: false });
  try {
    const startedMs = performance.now();
    const output = await tutti.run(job.flow, job.input);
    const seconds = (performance.now() - startedMs) / msPerSecond;
    const { modelCalls, toolCalls } = pace.spent;
    return { seconds, calls: `${modelCalls} models, ${toolCalls} tools`, output: withoutFolder(output, folder) };
  } finally {
    await tutti.close();
    await job.close?.();
    removeFolder(folder);
  }
}

/** The brief says where it was published, which is another folder each time. */
function withoutFolder(output: unknown, folder: string): unknown {
  return JSON.parse(JSON.stringify(output).replaceAll(folder, ""));
}

async function readJson(file: string): Promise<unknown> {
  return JSON.parse(await readFile(file, "utf8"));
}
