import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";

import { systemClock } from "../packages/tutti/src/base/clock.ts";
import { toRunId } from "../packages/tutti/src/contracts/ids.ts";
import { openFleet } from "../packages/tutti/src/insight/fleet/fleet.ts";
import { openMetrics } from "../packages/tutti/src/insight/metrics/metrics.ts";
import { viewPhase, viewScore } from "../packages/tutti/src/insight/score/score-view.ts";
import { openScores } from "../packages/tutti/src/insight/score/scores.ts";
import type { Ledger, NewEntry } from "../packages/tutti/src/ledger/ledger.ts";
import { openSqliteLedger } from "../packages/tutti/src/ledger/sqlite/sqlite-ledger.ts";

/*
 * What the console waits for, on a large ledger: `node scripts/run.mjs bench/insight.ts [entries] [steps of the long run]`.
 * The ledger is generated: runs of agents with questions and tools, every tenth of them failed, and one long run.
 */

const [entriesWanted = 1_000_000, stepsWanted = 20_000] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), "tutti-insight-"));
const file = join(folder, "ledger.db");

try {
  let ledger = await openSqliteLedger(file, { clock: systemClock, durability: "process" });
  const began = performance.now();
  await generate(ledger);
  say("generated", performance.now() - began);
  await ledger.close();
  say("file", statSync(file).size / 1e6, "MB");

  ledger = await openSqliteLedger(file, { clock: systemClock, durability: "process" });
  const snapshotFile = join(folder, "insight.json");
  const built = await measure("list built from nothing", async () => {
    const fleet = await openFleet(ledger, { snapshotFile });
    await fleet.catchUp();
    return fleet;
  });
  await measure("list saved", () => built.close());
  say("snapshot", statSync(snapshotFile).size / 1e6, "MB");
  const fleet = await measure("list opened from its snapshot", async () => {
    const opened = await openFleet(ledger, { snapshotFile });
    await opened.catchUp();
    return opened;
  });
  say("runs", (await fleet.catchUp()).runs.size, "");
  await measure("first page of the list, cold", () => fleet.listRuns({}));
  await measureMany("first page of the list", () => fleet.listRuns({}));
  await measureMany("failed runs", () => fleet.listRuns({ status: "failed" }));
  await measureMany("a search that finds nothing", () => fleet.listRuns({ q: "no such words" }));
  await measureMany("a page from the middle", () => fleet.listRuns({ cursor: String(Math.floor(entriesWanted / 2)) }));
  await measureMany("figures of all callables", () => fleet.listCallables());
  const scores = openScores(ledger);
  const score = await measure(`score of ${stepsWanted} steps, cold`, async () => {
    const read = await scores.read(toRunId("long"));
    viewScore(read, "running");
    return read;
  });
  say("phases", score.phases.length, "");
  await measureMany("the same again", async () => viewScore(await scores.read(toRunId("long")), "running"));
  await measureMany("one phase", async () => viewPhase(await scores.read(toRunId("long")), 50));
  const metrics = openMetrics({ ledger });
  const pauses = monitorEventLoopDelay({ resolution: 5 });
  pauses.enable();
  const counted = await measure("metrics, first reading", () => metrics.read());
  pauses.disable();
  say("longest that others waited meanwhile", pauses.max / 1e6);
  say("text of the metrics", counted.length / 1e3, "kB");
  await measureMany("metrics again", () => metrics.read());
  await measure("metrics, first reading after a restart", () => openMetrics({ ledger }).read());
  await ledger.close();
} finally {
  rmSync(folder, { recursive: true });
}

async function measure<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
  const start = performance.now();
  const before = process.cpuUsage();
  const result = await work();
  say(what, performance.now() - start);
  // On a machine that others use too, this says more than the clock.
  const { user, system } = process.cpuUsage(before);
  say(`${what}: processor`, (user + system) / 1_000);
  return result;
}

async function measureMany(what: string, work: () => Promise<unknown>): Promise<void> {
  const times: number[] = [];
  const before = process.cpuUsage();
  for (let count = 0; count < 50; count++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  times.sort((left, right) => left - right);
  say(`${what}: median`, times[25] ?? 0);
  say(`${what}: slowest of 50`, times[49] ?? 0);
  const { user, system } = process.cpuUsage(before);
  say(`${what}: processor, mean`, (user + system) / 50_000);
}

function say(what: string, amount: number, unit = "ms"): void {
  process.stdout.write(`${what.padEnd(45)} ${amount.toFixed(1).padStart(10)} ${unit}\n`);
}

async function generate(ledger: Ledger): Promise<void> {
  let written = await addRun(ledger, "long", stepsWanted);
  for (let number = 0; written < entriesWanted; number++) written += await addRun(ledger, `run-${number}`, 12);
}

/** A run of about so many steps; returns how many entries it has. */
async function addRun(ledger: Ledger, id: string, steps: number): Promise<number> {
  const tenant = `tenant-${id.length % 3}`;
  const started = await ledger.start({
    id: toRunId(id),
    flow: "brief",
    version: "1",
    body: JSON.stringify({ flow: "brief", version: "1", input: { topic: id }, tenant }),
  });
  if (started.kind !== "started") throw new Error("a run of this name is there");
  const { log } = started.claim;
  const entries: NewEntry[] = [];
  for (let agent = 0; entries.length < steps; agent++) entries.push(...toAgent(agent));
  const isFailed = id.endsWith("3");
  entries.push(
    isFailed
      ? {
          kind: "run-failed",
          key: "",
          body: JSON.stringify({ error: { code: "TOOL_FAILED", message: "no" } }),
          status: "failed",
        }
      : { kind: "run-done", key: "", body: JSON.stringify({ out: { url: "https://example.org" } }), status: "done" },
  );
  await Promise.all(entries.map((entry) => log.append(entry)));
  return entries.length + 1;
}

function toAgent(number: number): readonly NewEntry[] {
  const path = `/map/${number}/researcher`;
  const usage = { modelCalls: 1, inputTokens: 1_200, outputTokens: 150, costUsd: 0.004 };
  const reply = { text: '{"findings":[]}', toolCalls: [{ tool: "web.search" }], usage, model: "scripted/fast" };
  const before = number === 0 ? [] : [`/map/${number - 1}/researcher`];
  return [
    { kind: "agent-started", key: path, body: JSON.stringify({ agent: "researcher", version: "3", uses: before }) },
    { kind: "step-done", key: `${path}/model`, body: JSON.stringify({ out: reply }) },
    {
      kind: "step-done",
      key: `${path}/web.search`,
      body: JSON.stringify({
        call: "web.search",
        effect: "read",
        out: { hits: ["one", "two"] },
        uses: [`${path}/model`],
      }),
    },
    { kind: "step-done", key: `${path}/model#2`, body: JSON.stringify({ out: reply }) },
    {
      kind: "scope-closed",
      key: path,
      body: JSON.stringify({
        agent: "researcher@3",
        out: { findings: [] },
        usage: { ...usage, modelCalls: 2 },
        confidence: { value: 0.4 + (number % 6) / 10, source: "check" },
      }),
    },
  ];
}
