import path from "node:path";

import { isTuttiError, openTutti, type RunHandle, type Tutti } from "tutti";
import { ruleModel } from "tutti/models";
import { loadPolicy } from "tutti/policies";
import { z } from "zod";

import { isIntact, makeLedgerPath, openAccount, readJson, type Account as Told } from "../stage/account.ts";
import { openCrm } from "./crm.ts";
import { toMemoFlow, type Ending } from "./memo-flow.ts";
import { narrate } from "./narrator.ts";
import { Account, Comparable, Desk, Sentence, type Deal, type Memo, type Vote } from "./shapes.ts";
import { toMemoTools, toPage, toSources } from "./tools.ts";

const inputs = path.join(import.meta.dirname, "inputs");

/** So many characters of each piece of evidence are printed; `tutti inbox <id>` shows more. */
const evidenceShown = 90;

process.exitCode = await main();

async function main(): Promise<number> {
  const told = openAccount("Deal memo: an agent writes, a senior banker decides");
  const accounts = readJson(path.join(inputs, "crm.json"), z.array(Account));
  const comparables = readJson(path.join(inputs, "comparables.json"), z.array(Comparable).min(1));
  const compliance = readJson(path.join(inputs, "compliance.json"), z.record(z.string(), z.array(z.string())));
  const { people, deals } = readJson(path.join(inputs, "desk.json"), Desk);
  const crm = await openCrm(accounts);
  const deal = toMemoFlow(toMemoTools({ url: crm.url, comparables, compliance }), compliance);
  const ledger = makeLedgerPath("deal-memo");
  const tutti = await openTutti({
    flows: [deal],
    models: { fast: ruleModel({ narrator: narrate }) },
    policy: await loadPolicy(path.join(import.meta.dirname, "deal-memo.cedar")),
    people,
    ledger,
  });
  try {
    let isFirst = true;
    for (const each of deals) {
      const run = await tutti.start(deal, { account: each.account }, { by: each.askedBy });
      const lines = await attend(tutti, run, { deal: each, isFirst });
      told.tell(`${each.account}, asked for by ${each.askedBy}`, lines);
      isFirst = false;
    }
    told.tell(
      "What is in the CRM now",
      crm.filed.flatMap(({ id, memo }) => [`${id}:`, ...toPage(memo).split("\n")]),
    );
    await check(told, tutti, { deals, seniors: people.filter(({ roles }) => roles.includes("senior-banker")) });
    told.check(
      "each memo was filed once, for an account that it was asked for",
      crm.filed.map(({ memo }) => memo.account).join() === deals.map(({ account }) => account).join(),
    );
    told.check(
      "every number and quote in the CRM stands in the records, and so does the compliance language",
      crm.filed.every(({ memo }) => {
        const account = accounts.find(({ id }) => id === memo.account);
        const facts = account === undefined ? {} : toSources(account, { comparables });
        return isTraced(memo, facts) && same(memo.compliance, compliance[account?.jurisdiction ?? ""]);
      }),
    );
  } finally {
    await tutti.close();
    await crm.close();
  }
  return told.end({
    ledger,
    next: [`npm run tutti -- why <run> --ledger ${ledger}`, `npm run tutti -- runs --ledger ${ledger}`],
  });
}

/** The desk: shows what is asked, and lets people say what they say. Returns the story. */
async function attend(
  tutti: Tutti,
  run: RunHandle<Ending>,
  { deal, isFirst }: { readonly deal: Deal; readonly isFirst: boolean },
): Promise<string[]> {
  const lines: string[] = [];
  let isShown = !isFirst;
  for (const vote of deal.votes) {
    const state = await run.settled();
    const [asked] = state.kind === "asking" ? state.approvals : [];
    if (asked === undefined) throw new Error(`${vote.by} has nothing to decide: the run is ${state.kind}`);
    if (!isShown) lines.push(...(await toPackageLines(tutti, asked.id)), "");
    isShown = true;
    const said = vote.verdict === "edit" ? `edit "${vote.from}" to "${vote.to}"` : vote.verdict;
    lines.push(`${vote.by}: ${said}. ${await decide(tutti, asked.id, vote)}`);
  }
  const state = await run.settled();
  if (state.kind === "done") {
    lines.push(...state.output.remarks.map(({ text }) => `the narrator was told: ${text}`));
    lines.push(`filed as ${state.output.filed.id}`);
  } else lines.push(`not filed: the run is ${state.kind}`);
  return lines;
}

async function decide(tutti: Tutti, id: string, vote: Vote): Promise<string> {
  const { approval, package: shown } = await tutti.approvals.show(id);
  const { by } = vote;
  try {
    const saw = approval.package;
    const said =
      vote.verdict === "edit" ? { verdict: vote.verdict, input: toEdited(shown.action?.input ?? "{}", vote) } : vote;
    const { state } = await tutti.approvals.decide(id, { ...said, by, saw });
    return `It is ${state}.`;
  } catch (error) {
    if (!isTuttiError(error)) throw error;
    return `It does not count: ${error.message} (${error.code})`;
  }
}

function toEdited(input: string, { part, from, to }: Vote & { readonly verdict: "edit" }): unknown {
  const memo = z.looseObject({ sentences: z.array(Sentence) }).parse(JSON.parse(input));
  if (!input.includes(from))
    throw new Error(`an edit of the desk would change nothing: the memo does not say "${from}"`);
  const sentences = memo.sentences.map(({ text, evidence }) => ({
    text: text.replace(from, to),
    evidence: part === "text" ? evidence : evidence.map((each) => ({ ...each, quote: each.quote.replace(from, to) })),
  }));
  return { ...memo, sentences };
}

/** The package as the banker sees it. */
async function toPackageLines(tutti: Tutti, id: string): Promise<string[]> {
  const { package: shown } = await tutti.approvals.show(id);
  const { preview = "" } = shown.action ?? {};
  const page = typeof preview === "string" ? preview : preview.after;
  return [
    ...page.split("\n").map((line) => `│ ${line}`),
    `│ why: ${shown.why ?? ""} (${shown.rules.join(", ")})`,
    `│ changes: ${shown.action?.changes ?? ""}`,
    `│ risk: ${shown.risk.level}, ${shown.risk.why}`,
    ...shown.alternatives.map(({ text }) => `│ or: ${text}`),
    ...shown.evidence.map(({ step, what }) => `│ from ${step}: ${what.slice(0, evidenceShown)}…`),
    `│ decides: ${shown.deciders.join("; ")}. ${shown.otherwise}`,
  ];
}

async function check(
  told: Told,
  tutti: Tutti,
  { deals, seniors }: { readonly deals: readonly Deal[]; readonly seniors: readonly { readonly name: string }[] },
): Promise<void> {
  const used = await tutti.approvals.list({ states: ["used"] });
  told.check(
    "each memo was filed on the yes of one senior banker, and not of who asked for it",
    used.length === deals.length &&
      used.every(
        ({ decidedBy, initiator }) => decidedBy !== initiator && seniors.some(({ name }) => name === decidedBy),
      ),
  );
  const wanted = deals.flatMap(({ votes }) => votes.filter(({ verdict }) => verdict === "reject")).length;
  const refused = await tutti.approvals.list({ states: ["rejected"] });
  told.check("a no was not the end: the memo was written again, as the banker said", refused.length === wanted);
  told.check("the ledger's chain is intact", await isIntact(tutti));
}

/** By hand, without the checks that the agents use: every quote is a line of its source, and no number is another. */
function isTraced({ sentences }: Memo, sources: Readonly<Record<string, string>>): boolean {
  return sentences.every(({ text, evidence }) => {
    const isQuoted = evidence.every(({ source, quote }) => sources[source]?.split("\n").includes(quote) === true);
    const known = new Set(evidence.flatMap(({ quote }) => quote.match(/\d+(?:\.\d+)?/gu) ?? []));
    return isQuoted && (text.match(/\d+(?:\.\d+)?/gu) ?? []).every((number) => known.has(number));
  });
}

function same(left: readonly string[], right: readonly string[] | undefined): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
