import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

import { isTuttiError, openTutti } from "tutti";
import { ruleModel } from "tutti/models";
import { openLiveView } from "tutti/terminal";

import { tellChecks } from "../stage/check.ts";
import { toDesk } from "./agents.ts";
import { checkTriage, toMessages, type Message } from "./check.ts";
import { rules } from "./rules.ts";
import type { Closed, Ticket } from "./shapes.ts";
import { toDeskTools, toOutbox } from "./tools.ts";
import { toTriage } from "./triage-flow.ts";

const ledgerPath = path.join(".tutti", "support-triage.db");

process.exitCode = await main(process.argv[2] ?? path.join(import.meta.dirname, "desk"));

async function main(folder: string): Promise<number> {
  try {
    return await answerTickets(folder);
  } catch (error) {
    console.error(
      `\n✗ ${isTuttiError(error) ? `${error.message} (${error.code})\n  ${error.hint ?? ""}` : String(error)}`,
    );
    return 1;
  }
}

async function answerTickets(folder: string): Promise<number> {
  const tickets = await readTickets(path.join(folder, "tickets"));
  const triage = toTriage(toDesk(toDeskTools(folder)), toOutbox(path.join("out", "support")));
  const view = openLiveView();
  const tutti = await openTutti({
    flows: [triage],
    models: { fast: ruleModel(rules) },
    ledger: ledgerPath,
    recover: false, // only the run that is asked for goes on here
    onActivity: view.show,
  });
  try {
    const run = await tutti.start(triage, { tickets }, { key: await toKey(folder, tickets) });
    view.follow(run.id, await run.entries());
    const { closed } = await run.result();
    view.close();
    const entries = await run.entries();
    const checks = await checkTriage({ folder, tickets, closed, entries, tutti });
    for (const [index, each] of closed.entries()) tellTicket(each, toMessages(entries, index));
    tellChecks(checks);
    console.log(`
Ledger ${ledgerPath}, run ${run.id}; letters in out/support. Try:
  npm run tutti -- show ${run.id} --ledger ${ledgerPath}
  npm run tutti -- why ${run.id} --ledger ${ledgerPath}
  write the order's number into 02-invoice-missing.txt, and run it again`);
    return checks.every(({ problems }) => problems.length === 0) ? 0 : 1;
  } finally {
    view.close();
    await tutti.close();
  }
}

async function readTickets(folder: string): Promise<Ticket[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".txt")).toSorted();
  return Promise.all(
    files.map(async (file) => ({
      name: path.basename(file, ".txt"),
      text: await readFile(path.join(folder, file), "utf8"),
    })),
  );
}

/** The same tickets and the same files are the same run. */
async function toKey(folder: string, tickets: readonly Ticket[]): Promise<string> {
  const files = ["orders.json", "manual.json"].map((file) => readFile(path.join(folder, file), "utf8"));
  return createHash("sha256")
    .update(JSON.stringify([tickets, await Promise.all(files)]))
    .digest("hex");
}

function tellTicket(closed: Closed, messages: readonly Message[]): void {
  console.log(`\n${closed.ticket}`);
  for (const { from, to, isReturned, why } of messages) {
    if (from === "caller") continue;
    console.log(isReturned ? `    ${from} refuses, back to ${to}: ${why}` : `    ${from} → ${to}: ${why}`);
  }
  if (closed.kind === "answered") console.log(`  ${closed.answer.by} answers: ${closed.answer.text}`);
  else console.log(`  for a person: ${closed.why}`);
}
