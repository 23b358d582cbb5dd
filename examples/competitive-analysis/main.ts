import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

import { isTuttiError, openTutti } from "tutti";
import { ruleModel } from "tutti/models";
import { readPlanEvents } from "tutti/plans";
import { openLiveView } from "tutti/terminal";

import { tellChecks } from "../stage/check.ts";
import { toAnalysis } from "./analysis-flow.ts";
import { checkAnalysis, type PlanVersion } from "./check.ts";
import { rules } from "./rules.ts";
import { Question, type Analysis } from "./shapes.ts";
import { toSearchLibrary } from "./tools.ts";

const ledgerPath = path.join(".tutti", "competitive-analysis.db");

process.exitCode = await main(process.argv[2] ?? path.join(import.meta.dirname, "library"));

async function main(folder: string): Promise<number> {
  try {
    return await analyse(folder);
  } catch (error) {
    console.error(
      `\n✗ ${isTuttiError(error) ? `${error.message} (${error.code})\n  ${error.hint ?? ""}` : String(error)}`,
    );
    return 1;
  }
}

async function analyse(folder: string): Promise<number> {
  const question = Question.parse(JSON.parse(await readFile(path.join(folder, "question.json"), "utf8")));
  const flow = toAnalysis(toSearchLibrary(folder));
  const model = ruleModel(rules);
  const view = openLiveView();
  const tutti = await openTutti({
    flows: [flow],
    models: { fast: model, deep: model },
    ledger: ledgerPath,
    recover: false, // only the run that is asked for goes on here
    onActivity: view.show,
  });
  try {
    const run = await tutti.start(flow, question, { key: await toKey(folder) });
    view.follow(run.id, await run.entries());
    const analysis = await run.result();
    view.close();
    const entries = await run.entries();
    const events = await readPlanEvents(entries, (hash) => tutti.ledger.readBlob(hash));
    const versions = events.flatMap(({ event }) => (event.kind === "plan-made" ? [event] : []));
    const checks = await checkAnalysis({ folder, question, analysis, versions, entries, tutti });
    tellPlans(versions);
    tellAnalysis(question, analysis);
    tellChecks(checks);
    console.log(`
Ledger ${ledgerPath}, run ${run.id}. Try:
  npm run tutti -- plan ${run.id} --ledger ${ledgerPath}           tasks, states and reasons
  npm run tutti -- draw --run ${run.id} --ledger ${ledgerPath}     the same as a drawing
  take "Sweepwell 300" out of question.json, and run it again`);
    return checks.every(({ problems }) => problems.length === 0) ? 0 : 1;
  } finally {
    view.close();
    await tutti.close();
  }
}

/** The same library is the same analysis. */
async function toKey(folder: string): Promise<string> {
  const files = (await readdir(folder)).filter((file) => file !== "expected.json").toSorted();
  const texts = await Promise.all(files.map((file) => readFile(path.join(folder, file), "utf8")));
  return createHash("sha256")
    .update(JSON.stringify([files, texts]))
    .digest("hex");
}

/** Every version with its reason, and what is new in it. */
function tellPlans(versions: readonly PlanVersion[]): void {
  let before = new Set<string>();
  for (const { version, reason, document } of versions) {
    const tasks = document.tasks.map((task) => `${task.id} ${JSON.stringify(task.input)}`);
    const changed = document.tasks.filter((_, index) => !before.has(tasks[index] ?? "")).map(({ id }) => id);
    console.log(`\nPlan, version ${version}: ${reason}`);
    console.log(`    ${tasks.length} tasks, ${tasks.length - changed.length} as before, new: ${changed.join(", ")}`);
    before = new Set(tasks);
  }
}

function tellAnalysis({ question, products, aspects }: Question, analysis: Analysis): void {
  console.log(`\n${question}\n`);
  console.log(["", ...aspects.map(({ name }) => name)].map((cell) => cell.padEnd(16)).join(""));
  for (const { name } of products) {
    const cells = aspects.map((aspect) => {
      const { cells: known = [], best } = analysis[aspect.name] ?? {};
      const value = known.find(({ product }) => product === name)?.value ?? "–";
      return `${value}${best === name ? " (best)" : ""}`;
    });
    console.log([name, ...cells].map((cell) => cell.padEnd(16)).join(""));
  }
  for (const { cells } of Object.values(analysis))
    for (const { quote, source } of cells) console.log(`    “${quote}” (${source})`);
}
