import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import { openTutti } from "tutti";
import { z } from "zod";

import { isIntact, makeLedgerPath, openAccount, readJson } from "../stage/account.ts";
import { clerkDecides, ClerksWord, extraction, models, type Extracted } from "./extraction.ts";
import { Terms } from "./readers.ts";

const inputs = path.join(import.meta.dirname, "inputs");

process.exitCode = await main();

async function main(): Promise<number> {
  const account = openAccount("Conflicting extractions: three readers, one answer, and nothing swept aside");
  const expected = readJson(path.join(inputs, "expected.json"), z.record(z.string(), Terms));
  const clerk = readJson(path.join(inputs, "clerk.json"), z.record(z.string(), ClerksWord));
  const files = readdirSync(path.join(inputs, "contracts")).toSorted();
  const ledger = makeLedgerPath("conflicting-extractions");
  const tutti = await openTutti({ flows: [extraction], models, ledger });
  const extracted = new Map<string, Extracted>();
  const escalated: string[] = [];
  for (const file of files) {
    const name = path.basename(file, ".txt");
    const run = await tutti.start(
      extraction,
      { text: readFileSync(path.join(inputs, "contracts", file), "utf8") },
      { id: name },
    );
    if ((await run.settled()).kind === "waiting") {
      escalated.push(name);
      const answer = clerk[name];
      if (answer === undefined) continue; // it waits, for days if need be
      await run.signal(clerkDecides, answer, { id: `clerk-${name}` });
    }
    extracted.set(name, await run.result());
  }
  account.tell(
    "What the contracts say",
    [...extracted].flatMap(([name, found]) =>
      toLines(name, { ...found, decidedBy: escalated.includes(name) ? "the clerk" : "majority" }),
    ),
  );
  const counted = (await tutti.ledger.scan(0, 10_000)).filter(({ kind }) => kind === "votes-counted").length;
  account.check(
    "every contract was read as a person reads it",
    files.every((file) =>
      isSame(extracted.get(path.basename(file, ".txt"))?.terms, expected[path.basename(file, ".txt")]),
    ),
  );
  account.check(
    "where readers disagreed, who said what is kept",
    [...extracted.values()].some(({ dissent }) => dissent.length > 0),
  );
  account.check(
    "only the contract that nobody could settle went to the clerk",
    escalated.join() === Object.keys(clerk).join(),
  );
  account.check(
    "every vote stands in the ledger, and its chain is intact",
    counted >= files.length && (await isIntact(tutti)),
  );
  await tutti.close();
  const waiting = escalated.filter((name) => !extracted.has(name));
  if (waiting.length > 0) account.tell("Still waiting for a clerk", waiting);
  return account.end({ ledger, next: [`npm run tutti -- why ${escalated[0] ?? "aurora"} --ledger ${ledger}`] });
}

function toLines(
  name: string,
  { terms, confidence, dissent, clause, clauseWhy, decidedBy }: Extracted & { readonly decidedBy: string },
): string[] {
  const { client, startsOn, monthlyFeeEur, noticeDays, renews } = terms;
  return [
    `${name}: ${client}, from ${startsOn}, ${monthlyFeeEur} EUR a month, ${noticeDays} days of notice, ${renews ? "renews" : "does not renew"}`,
    `  by ${decidedBy}, ${Math.round(confidence * 100)} % sure; ends by “${clause}” (${clauseWhy})`,
    ...dissent.map(({ field, value, voter }) => `  against: ${voter} reads ${field} as ${String(value)}`),
  ];
}

function isSame(left: Terms | undefined, right: Terms | undefined): boolean {
  return (
    left !== undefined && right !== undefined && Terms.keyof().options.every((field) => left[field] === right[field])
  );
}
