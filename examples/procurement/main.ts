import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";

import { isTuttiError, openTutti } from "tutti";
import { ruleModel } from "tutti/models";
import { openLiveView } from "tutti/terminal";

import { tellChecks, type Check } from "../stage/check.ts";
import { checkDecision } from "./check.ts";
import { toPurchase } from "./purchase-flow.ts";
import { rules } from "./rules.ts";
import { Need, type Decision } from "./shapes.ts";
import { listSuppliers, readJson, toOfferTools } from "./tools.ts";

const ledgerPath = path.join(".tutti", "procurement.db");

process.exitCode = await main(process.argv[2] ?? path.join(import.meta.dirname, "offers"));

async function main(folder: string): Promise<number> {
  try {
    return await choose(folder);
  } catch (error) {
    console.error(
      `\n✗ ${isTuttiError(error) ? `${error.message} (${error.code})\n  ${error.hint ?? ""}` : String(error)}`,
    );
    return 1;
  }
}

async function choose(folder: string): Promise<number> {
  const need = Need.parse(await readJson(path.join(folder, "need.json")));
  const suppliers = await listSuppliers(folder);
  const purchase = toPurchase(toOfferTools(folder));
  const model = ruleModel(rules);
  const view = openLiveView();
  const tutti = await openTutti({
    flows: [purchase],
    models: { fast: model, deep: model },
    ledger: ledgerPath,
    recover: false, // only the run that is asked for goes on here
    onActivity: view.show,
  });
  try {
    const run = await tutti.start(purchase, { need, suppliers }, { key: await toKey(folder, suppliers) });
    view.follow(run.id, await run.entries());
    const decision = await run.result();
    view.close();
    const checks = await checkDecision({ folder, need, suppliers, decision, entries: await run.entries(), tutti });
    tell(need, decision, checks);
    console.log(`
Ledger ${ledgerPath}, run ${run.id}. Try:
  npm run tutti -- plan ${run.id} --ledger ${ledgerPath}     who judged what, as a plan
  npm run tutti -- why ${run.id} --ledger ${ledgerPath}      what led to the choice
  extend the "EN 527" of birchline in birchline.json, and run it again`);
    return checks.every(({ problems }) => problems.length === 0) ? 0 : 1;
  } finally {
    view.close();
    await tutti.close();
  }
}

/** The same offers are the same decision. */
async function toKey(folder: string, suppliers: readonly string[]): Promise<string> {
  const files = ["need", "deliveries", ...suppliers].map((name) => path.join(folder, `${name}.json`));
  const texts = await Promise.all(files.map((file) => readFile(file, "utf8")));
  return createHash("sha256").update(JSON.stringify(texts)).digest("hex");
}

function tell({ what, quantity, weights }: Need, decision: Decision, checks: readonly Check[]): void {
  const { choice, why, ranking, excluded, dissent, opinions } = decision;
  const specialists = Object.keys(weights);
  console.log(`\n${quantity} × ${what}\n`);
  console.log(["supplier", ...specialists, "weighed"].map((title) => title.padEnd(12)).join(""));
  for (const supplier of new Set(opinions.map((opinion) => opinion.supplier))) {
    const cells = specialists.map((by) => {
      const opinion = opinions.find((each) => each.by === by && each.supplier === supplier);
      return opinion === undefined ? "–" : `${opinion.score}${opinion.veto ? " veto" : ""}`;
    });
    const score = ranking.find((each) => each.supplier === supplier)?.score ?? "out";
    console.log([supplier, ...cells, String(score)].map((cell) => cell.padEnd(12)).join(""));
  }
  console.log(`\nChosen:  ${choice ?? "none"}: ${why}.`);
  for (const { by, supplier, why: reason } of excluded)
    console.log(`Out:     ${supplier}, by veto of ${by}: ${reason}`);
  for (const { by, supplier, why: reason } of dissent) console.log(`Dissent: ${by} would take ${supplier}: ${reason}`);
  tellChecks(checks);
}
