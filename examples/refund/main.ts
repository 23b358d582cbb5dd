import path from "node:path";

import { isTuttiError, openTutti, type RunHandle, type RunState, type Tutti } from "tutti";
import { ruleModel } from "tutti/models";
import { loadPolicy, replayPolicy, toPolicyDecisions, type PolicyRequest } from "tutti/policies";
import { z } from "zod";

import { isIntact, makeLedgerPath, openAccount, readJson, type Account } from "../stage/account.ts";
import { readBank, toTools } from "./bank.ts";
import { decide, toRefundFlow } from "./clerk.ts";
import { readAsked } from "./desk.ts";
import { tellEarned } from "./earned.ts";
import { Desk, Order, Request, toEuros, type Outcome, type Vote } from "./shapes.ts";

const inputs = process.argv[2] ?? path.join(import.meta.dirname, "inputs");

process.exitCode = await main();

async function main(): Promise<number> {
  const account = openAccount("Refunds: the agent alone, with a person, with two");
  const orders = readJson(path.join(inputs, "orders.json"), z.array(Order));
  const requests = readJson(path.join(inputs, "requests.json"), z.array(Request).min(1));
  const { people, votes } = readJson(path.join(inputs, "desk.json"), Desk);
  const ledger = makeLedgerPath("refund");
  const bank = path.join(path.dirname(ledger), "bank.jsonl");
  const refund = toRefundFlow(toTools(orders, bank));
  const tutti = await openTutti({
    flows: [refund],
    models: { fast: ruleModel({ clerk: decide }) },
    policy: await loadPolicy(toFile("refunds.cedar")),
    people,
    ledger,
  });
  try {
    const lines: string[] = [];
    let saidCents = 0;
    for (const request of requests) {
      const run = await tutti.start(refund, request, { id: request.id });
      const said = await letVote(
        tutti,
        run,
        votes.filter((vote) => vote.request === request.id),
      );
      const state = await run.settled();
      if (state.kind === "done") saidCents += state.output.paidBackCents;
      lines.push(`${request.id} "${request.words}"`, ...[...said, tell(state)].map((each) => `    ${each}`));
    }
    account.tell("The requests", lines);
    await checkTiers(account, tutti, { bank, leads: people.filter(({ roles }) => roles.includes("support-lead")) });
    const paid = readBank(bank);
    account.check(
      "the bank has paid what the runs say, and for no order twice",
      new Set(paid.map(({ order }) => order)).size === paid.length &&
        paid.reduce((sum, { amountCents }) => sum + amountCents, 0) === saidCents,
    );
    await checkReplay(account, tutti);
    account.check("the ledger's chain is intact", await isIntact(tutti));
  } finally {
    await tutti.close();
  }
  const earned = await tellEarned(account, people);
  return account.end({
    ledger,
    next: [
      `npm run tutti -- policy test ${toFile("refunds.cedar")} ${toFile("refunds.cases.json")}`,
      `npm run tutti -- policy replay ${toFile("stricter.cedar")} --ledger ${ledger}`,
      `npm run tutti -- autonomy --ledger ${earned}`,
    ],
  });
}

/** People say what the desk has of them, as long as there is something to decide. Returns what came of it. */
async function letVote(tutti: Tutti, run: RunHandle<Outcome>, votes: readonly Vote[]): Promise<string[]> {
  const lines: string[] = [];
  for (const vote of votes) {
    const { approval: asked, package: shown } = await readAsked(tutti, run);
    const { preview } = shown.action ?? {};
    if (lines.length === 0 && typeof preview === "string") lines.push(`${preview}? ${shown.why}`);
    try {
      const { state: now } = await tutti.approvals.decide(asked.id, { ...vote, saw: asked.package });
      lines.push(`${vote.by}: ${vote.verdict}. It is ${now}.`);
    } catch (error) {
      if (!isTuttiError(error)) throw error;
      lines.push(`${vote.by}: ${vote.verdict}. It does not count (${error.code}).`);
    }
  }
  return lines;
}

function tell(state: RunState<Outcome>): string {
  if (state.kind !== "done") return `nothing was paid: the run is ${state.kind}`;
  const { paidBackCents, why } = state.output;
  return paidBackCents === 0 ? `nothing was paid: ${why}` : `${toEuros(paidBackCents)} were paid: ${why}`;
}

/** How many people the rules of this example want, said once more by hand. */
function toPeopleNeeded(amountCents: number, [one, two]: readonly [number, number]): number {
  return amountCents <= one ? 0 : amountCents <= two ? 1 : 2;
}

async function checkTiers(
  account: Account,
  tutti: Tutti,
  { bank, leads }: { readonly bank: string; readonly leads: readonly { readonly name: string }[] },
): Promise<void> {
  const used = await tutti.approvals.list({ states: ["used"] });
  const paid = readBank(bank);
  const isInTier = paid.map(({ order, amountCents }) => {
    const found = used.find(({ about }) => about.includes(`"${order}"`) && about.includes(`${amountCents}`));
    const voters = new Set((found?.votes ?? []).filter(({ verdict }) => verdict === "approve").map(({ by }) => by));
    return (
      voters.size === toPeopleNeeded(amountCents, [5_000, 50_000]) &&
      [...voters].every((voter) => leads.some(({ name }) => name === voter))
    );
  });
  account.check("every refund had as many support leads as its amount wants, and no other", isInTier.every(Boolean));
}

/** What a stricter policy would have said of all this. */
async function checkReplay(account: Account, tutti: Tutti): Promise<void> {
  await tutti.ledger.flush();
  const replayed = await replayPolicy(tutti.ledger, await loadPolicy(toFile("stricter.cedar")));
  const { decisions, same, changes, differences } = replayed;
  account.tell("With stricter.cedar instead", [
    `${decisions} decisions, ${decisions - same} of them otherwise`,
    ...Object.entries(changes).map(([change, count]) => `${count} times ${change}`),
    ...differences.map(
      ({ run, request, now }) =>
        `${run}, ${toEuros(toAmount(request.context.input))}: now ${now.kind} by ${now.rules.join()}`,
    ),
  ]);
  const entries = await tutti.ledger.scan(0, 10_000);
  const changed = new Set(differences.map(({ run }) => String(run)));
  const wanted = new Set(
    entries
      .filter((entry) => toPolicyDecisions(entry).some(({ request }) => isOtherwise(request)))
      .map(({ run }) => String(run)),
  );
  account.check(
    "the stricter policy differs for the amounts between its limits and the old ones, and for no other",
    changed.size > 0 && changed.size === wanted.size && [...changed].every((run) => wanted.has(run)),
  );
}

/** Whether the two policies want other numbers of people for it. Who may say yes is the same in both. */
function isOtherwise({ action, context }: PolicyRequest): boolean {
  if (action !== "call-tool") return false;
  const amountCents = toAmount(context.input);
  return toPeopleNeeded(amountCents, [5_000, 50_000]) !== toPeopleNeeded(amountCents, [2_000, 20_000]);
}

function toAmount(input: unknown): number {
  return z.object({ amountCents: z.number() }).parse(input).amountCents;
}

function toFile(name: string): string {
  return path.relative(process.cwd(), path.join(import.meta.dirname, name));
}
