import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";

import { isTuttiError, openTutti } from "tutti";
import { ruleModel } from "tutti/models";
import { openLiveView } from "tutti/terminal";

import { tellChecks, type Check } from "../stage/check.ts";
import { toMarketBrief, type BriefOutput } from "./brief-flow.ts";
import { checkBrief } from "./check.ts";
import { rules } from "./rules.ts";
import { Assignment, openSourceServer } from "./source-server.ts";
import { toPublish, toReadSource } from "./tools.ts";

const ledgerPath = path.join(".tutti", "market-brief.db");

process.exitCode = await main(process.argv[2] ?? path.join(import.meta.dirname, "sources"));

async function main(folder: string): Promise<number> {
  try {
    return await makeBrief(folder);
  } catch (error) {
    console.error(
      `\n✗ ${isTuttiError(error) ? `${error.message} (${error.code})\n  ${error.hint ?? ""}` : String(error)}`,
    );
    return 1;
  }
}

async function makeBrief(folder: string): Promise<number> {
  const assignment = Assignment.parse(JSON.parse(await readFile(path.join(folder, "sources.json"), "utf8")));
  const server = await openSourceServer(folder, assignment);
  const marketBrief = toMarketBrief({ readSource: toReadSource(server.url), publish: toPublish("out") });
  const view = openLiveView();
  const tutti = await openTutti({
    flows: [marketBrief],
    models: { fast: ruleModel(rules) },
    ledger: ledgerPath,
    recover: false, // only the run that is asked for goes on here
    onActivity: view.show,
  });
  try {
    const { market, topics, sources } = assignment;
    const input = { market, topics, sources: sources.map(({ id }) => id) };
    const run = await tutti.start(marketBrief, input, { key: await toKey(folder, assignment) });
    view.follow(run.id, await run.entries());
    const brief = await run.result();
    view.close();
    const checks = await checkBrief({ folder, assignment, brief, entries: await run.entries(), tutti });
    tell(market, brief, checks);
    console.log(`
Ledger ${ledgerPath}, run ${run.id}. Try:
  npm run tutti -- why ${run.id} --ledger ${ledgerPath}
  set "answers" of city-statistics to 200 in sources.json, and run it again`);
    return checks.every(({ problems }) => problems.length === 0) ? 0 : 1;
  } finally {
    view.close();
    await tutti.close();
    await server.close();
  }
}

/** The same sources are the same brief: a start that finds one goes on with it, or shows it. */
async function toKey(folder: string, assignment: Assignment): Promise<string> {
  const texts = await Promise.all(assignment.sources.map(({ file }) => readFile(path.join(folder, file), "utf8")));
  return createHash("sha256")
    .update(JSON.stringify([assignment, texts]))
    .digest("hex");
}

function tell(market: string, { claims, open, missing }: BriefOutput, checks: readonly Check[]): void {
  console.log(`\n${market}`);
  for (const { text, quotes } of claims) {
    console.log(`\n• ${text}`);
    for (const { quote, source } of quotes) console.log(`    “${quote}” (${source})`);
  }
  for (const topic of open) console.log(`\n• Nobody says anything about ${topic}.`);
  for (const { source, why } of missing) console.log(`\n• Without ${source}: ${why}.`);
  tellChecks(checks);
}
