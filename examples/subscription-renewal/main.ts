import { spawn } from "node:child_process";
import path from "node:path";

import { openTutti, type LedgerEntry } from "tutti";
import { z } from "zod";

import { isIntact, makeLedgerPath, openAccount, readJson, type Account } from "../stage/account.ts";
import { readLetters } from "./renewal.ts";
import { Answer, Customer, dayMs, Life, reminderDays, toDay, type Letter } from "./shapes.ts";

const inputs = path.join(import.meta.dirname, "inputs");
const entriesMax = 10_000;

process.exitCode = await main();

async function main(): Promise<number> {
  const account = openAccount("Subscription renewal: weeks of waiting, in processes that come and go");
  const customers = readJson(path.join(inputs, "customers.json"), z.array(Customer).min(1));
  const answers = readJson(path.join(inputs, "answers.json"), z.array(Answer));
  const lives = readJson(path.join(inputs, "lives.json"), z.array(Life).min(1));
  const ledger = makeLedgerPath("subscription-renewal");
  const letters = path.join(path.dirname(ledger), "letters.jsonl");
  for (const life of lives) await live(JSON.stringify({ ...life, ledger, letters }));

  const sent = readLetters(letters);
  account.tell(
    "The weeks",
    lives.map(({ from, to }, index) => {
      const until = lives[index + 1]?.from;
      const mine = sent.filter(({ sentOn }) => sentOn >= from && (until === undefined || sentOn < until));
      return `${from} to ${to}, then SIGKILL: ${mine.map(({ about, sentOn }) => `${about} (${sentOn.slice(5)})`).join(", ") || "nothing to do"}`;
    }),
  );
  const tutti = await openTutti({ flows: [], ledger, recover: false });
  const runs = await tutti.runs({ flow: "renewal" });
  const entries = await tutti.ledger.scan(0, entriesMax);
  tellCost(account, { entries, lives: lives.length });
  const expected = customers.flatMap((customer) => toExpected(customer, answers));
  account.check("each reminder was sent once, none too early, none after an answer", isSame(sent, expected));
  account.check(
    "what was due while no process was there was sent when one came",
    sent.every(({ sentOn }) => lives.some(({ from, to }) => sentOn >= from && sentOn <= to)),
  );
  account.check(
    "every subscription came to its end",
    runs.length === customers.length && runs.every(({ status }) => status === "done"),
  );
  account.check("a customer's weeks are few entries", entries.length <= customers.length * 30);
  account.check("the ledger's chain is intact", await isIntact(tutti));
  await tutti.close();
  return account.end({
    ledger,
    next: [`npm run tutti -- show ${customers[0]?.customer} --entries --ledger ${ledger}`],
  });
}

/** Lets a process live, and kills it when it rests. */
function live(given: string): Promise<void> {
  const child = spawn(process.execPath, [...process.execArgv, path.join(import.meta.dirname, "life.ts"), given], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  child.stdout.on("data", (chunk) => {
    if (String(chunk).includes("resting")) child.kill("SIGKILL");
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (signal === "SIGKILL") resolve();
      else reject(new Error(`a process ended with ${code ?? signal} before its time`));
    });
  });
}

function tellCost(
  account: Account,
  { entries, lives }: { readonly entries: readonly LedgerEntry[]; readonly lives: number },
): void {
  const days = new Set(entries.map(({ at }) => toDay(at)));
  const first = entries[0]?.at ?? 0;
  const whole = Math.round(((entries.at(-1)?.at ?? first) - first) / dayMs);
  account.tell("What the waiting cost", [
    `${whole} days, ${lives} processes, ${entries.length} entries in all`,
    `on ${whole + 1 - days.size} of the days nothing was written: a wait is one entry that says until when`,
  ]);
}

/** What should have been sent, worked out from the files alone. */
function toExpected({ customer, priceEur, endsOn }: Customer, answers: readonly Answer[]): string[] {
  const endsAt = Date.parse(endsOn);
  const given = answers.find((each) => each.customer === customer && Date.parse(each.on) < endsAt);
  const until = given === undefined ? endsAt : Date.parse(given.on);
  const due = reminderDays.filter((days) => endsAt - days * dayMs <= until);
  const ending = given === undefined ? "lapsed" : given.answer === "paid" ? "renewed" : "cancelled";
  return [...due.map((days) => `${customer}: ${priceEur} EUR are due in ${days} days`), `${customer}: ${ending}`];
}

function isSame(sent: readonly Letter[], expected: readonly string[]): boolean {
  return (
    sent
      .map(({ about }) => about)
      .toSorted()
      .join("\n") === expected.toSorted().join("\n")
  );
}
