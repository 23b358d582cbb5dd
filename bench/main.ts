import { rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { build } from "./built.ts";
import { compete, type CellResult } from "./compete.ts";
import { contestants, isInstalled, type Contestant } from "./contestants.ts";
import { resultsFolder } from "./folder.ts";
import { plan } from "./plan.ts";
import { startPostgres } from "./postgres.ts";
import { toReport } from "./report.ts";
import { writeReport } from "./results-file.ts";

const usage = `npm run bench -- [--quick] [--cell chain,crowd] [--peers langgraph,mastra] [--only tutti]
Cells: ${plan.map(({ name }) => name).join(" ")}
Without --quick and with all cells it writes bench/RESULTS.md.`;

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    cell: { type: "string" },
    peers: { type: "string" },
    only: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

if (values.help) process.stdout.write(`${usage}\n`);
else await main();

async function main(): Promise<void> {
  const wanted = values.cell?.split(",");
  const cells = plan.filter(({ name }) => wanted === undefined || wanted.includes(name));
  if (cells.length === 0) throw new Error(usage);
  const chosen = toChosen();
  const postgres = contestants.some((each) => each.needsPostgres === true && chosen(each))
    ? startPostgres()
    : undefined;
  const skipped = contestants.filter(chosen).flatMap((each) => whySkipped(each, postgres !== undefined) ?? []);
  const takesPart = (each: Contestant): boolean =>
    chosen(each) && whySkipped(each, postgres !== undefined) === undefined;
  for (const line of skipped) process.stderr.write(`not measured: ${line}\n`);
  const results: CellResult[] = [];
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      postgres?.stop();
      process.exit(1);
    });
  }
  try {
    build();
    for (const cell of cells) results.push(await compete(cell, { quick: values.quick, takesPart }));
  } finally {
    postgres?.stop();
    rmSync(join(resultsFolder, "data"), { recursive: true, force: true });
  }
  const args = process.argv.slice(2).join(" ");
  const command = args === "" ? "npm run bench" : `npm run bench -- ${args}`;
  const report = toReport(results, { command, skipped, postgres: postgres?.version });
  process.stdout.write(report);
  if (!values.quick && wanted === undefined) writeReport(report);
}

/** `--only tutti` leaves the peers out; `--peers` names those that come. Ours and their neighbours always run. */
function toChosen(): (contestant: Contestant) => boolean {
  const peers = values.only === "tutti" ? [] : values.peers?.split(",");
  const isWanted = ({ peer, name }: Contestant): boolean =>
    peer === undefined || peers === undefined || peers.includes(peer) || peers.includes(name);
  return values.only === undefined || values.only === "tutti" ? isWanted : ({ name }) => name === values.only;
}

function whySkipped(contestant: Contestant, hasPostgres: boolean): string | undefined {
  if (!isInstalled(contestant))
    return `${contestant.name}, which is not installed (node scripts/run.mjs bench/setup.ts)`;
  if (contestant.needsPostgres === true && !hasPostgres)
    return `${contestant.name}, which needs PostgreSQL from Debian`;
  return undefined;
}
