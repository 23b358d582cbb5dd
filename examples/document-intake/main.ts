import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";

import { isTuttiError, openTutti } from "tutti";
import { ruleModel } from "tutti/models";

import { tellChecks, type Check } from "../stage/check.ts";
import { openAccounts } from "./accounts-service.ts";
import { checkIntake, describe, type TakenIn } from "./check.ts";
import { readInvoice } from "./extractor.ts";
import { toIntake } from "./intake-flow.ts";
import { Rules } from "./shapes.ts";
import { toAccountTools } from "./tools.ts";

const ledgerPath = path.join(".tutti", "document-intake.db");
const booksFile = path.join(".tutti", "document-intake-books.jsonl");

const { positionals, values } = parseArgs({ allowPositionals: true, options: { "die-after": { type: "string" } } });
const folder = positionals[0] ?? path.join(import.meta.dirname, "invoices");

try {
  process.exitCode = await takeIn();
} catch (error) {
  console.error(
    `\n✗ ${isTuttiError(error) ? `${error.message} (${error.code})\n  ${error.hint ?? ""}` : String(error)}`,
  );
  process.exitCode = 1;
}

async function takeIn(): Promise<number> {
  const rules = Rules.parse(JSON.parse(await readFile(path.join(folder, "rules.json"), "utf8")));
  const accounts = await openAccounts(booksFile, dieAfter(Number(values["die-after"] ?? Number.POSITIVE_INFINITY)));
  const intake = toIntake(toAccountTools(accounts.url));
  const tutti = await openTutti({
    flows: [intake],
    models: { fast: ruleModel({ extractor: readInvoice }) },
    ledger: ledgerPath,
  });
  try {
    const taken: TakenIn[] = [];
    const files = (await readdir(folder)).filter((file) => file.endsWith(".txt")).toSorted();
    for (const file of files) {
      const text = await readFile(path.join(folder, file), "utf8");
      // The same invoice under the same rules is the same run: a start that finds one goes on with it, or shows it.
      const key = createHash("sha256")
        .update(JSON.stringify([file, text, rules]))
        .digest("hex");
      const run = await tutti.start(intake, { file, text, rules }, { key });
      const state = await run.settled();
      console.log(`${file.padEnd(30)} ${describe(state)}`);
      taken.push({ file, run: run.id, state });
    }
    const checks = await checkIntake({ folder, booksFile, rules, taken, tutti });
    tell(taken, checks);
    return checks.every(({ problems }) => problems.length === 0) ? 0 : 1;
  } finally {
    await tutti.close();
    await accounts.close();
  }
}

/** Kills this process when so many invoices are booked: at the worst moment, when the answer is on its way. */
function dieAfter(bookings: number): (count: number) => void {
  return (count) => {
    if (count >= bookings) process.kill(process.pid, "SIGKILL");
  };
}

function tell(taken: readonly TakenIn[], checks: readonly Check[]): void {
  tellChecks(checks);
  console.log(`\nLedger ${ledgerPath}, books ${booksFile}. Try:`);
  for (const { file, run, state } of taken) {
    if (state.kind !== "waiting") continue;
    const answer = `'{"approved": true, "by": "you"}'`;
    console.log(
      `  npm run tutti -- signal ${run} approval ${answer} --ledger ${ledgerPath}     (${file}; then run this again)`,
    );
  }
  const posted = taken.find(({ state }) => state.kind === "done" && state.output.kind === "posted");
  if (posted !== undefined) console.log(`  npm run tutti -- why ${posted.run} --ledger ${ledgerPath}`);
}
