import path from "node:path";

import { isTuttiError, openTutti, type Flow, type KnownPerson, type Tutti } from "tutti";
import { ruleModel } from "tutti/models";
import { loadPolicy } from "tutti/policies";

import { makeLedgerPath, type Account } from "../stage/account.ts";
import { readBank, toTools } from "./bank.ts";
import { decide, toRefundFlow } from "./clerk.ts";
import { readAsked } from "./desk.ts";
import { toEuros, type Order, type Outcome, type Request } from "./shapes.ts";

/** So many yeses, and no no: then the engine proposes that the clerk may do more. */
const cases = 30;
const deliveredOn = "2026-05-04";
const mug = { what: "a mug", paidCents: 1_790, shippingCents: 490, deliveredOn };
const chair = { what: "a chair", paidCents: 18_900, shippingCents: 2_900, deliveredOn };

/** The same clerk where nobody trusts it yet: it asks for every refund until it has earned better. Returns its ledger. */
export async function tellEarned(account: Account, people: readonly KnownPerson[]): Promise<string> {
  const orders = [...Array.from({ length: cases + 1 }, () => mug), chair, chair];
  const named = orders.map((order, index): Order => ({ order: `e-${index + 1}`, ...order }));
  const ledger = makeLedgerPath("refund-earned");
  const bank = path.join(path.dirname(ledger), "bank.jsonl");
  const flow = toRefundFlow(toTools(named, bank));
  const tutti = await openTutti({
    flows: [flow],
    models: { fast: ruleModel({ clerk: decide }) },
    policy: await loadPolicy(path.join(import.meta.dirname, "earned.cedar")),
    people,
    ledger,
  });
  try {
    await earn(account, { tutti, flow });
    await override(account, { tutti, flow, bank });
  } finally {
    await tutti.close();
  }
  return ledger;
}

interface Stage {
  readonly tutti: Tutti;
  readonly flow: Flow<Request, Outcome>;
}

async function earn(account: Account, { tutti, flow }: Stage): Promise<void> {
  const proposals: (string | undefined)[] = [];
  for (let index = 1; index <= cases; index++) {
    const run = await tutti.start(flow, toRequest(index, "The mug is broken."));
    const { approval } = await readAsked(tutti, run);
    await tutti.approvals.decide(approval.id, { by: "lena", saw: approval.package, verdict: "approve" });
    await run.result();
    const [line] = await tutti.autonomy.list("clerk");
    proposals.push(line?.proposal);
  }
  const proposal = proposals.at(-1) ?? "";
  const { approval, package: shown } = await tutti.approvals.show(proposal);
  const grant = (by: string): Promise<unknown> =>
    tutti.approvals.decide(proposal, { by, saw: approval.package, verdict: "approve" });
  const refusal = await grant("lena").catch((error: unknown) => error);
  await grant("milo");
  const run = await tutti.start(flow, toRequest(cases + 1, "The mug is broken."));
  const { kind } = await run.settled();
  account.tell("Where the clerk is not trusted yet", [
    `${cases} refunds of ${toEuros(mug.paidCents)}: lena said yes to each.`,
    shown.summary,
    ...shown.reasons.map(({ text }) => text),
    "lena decided the cases, so it is not for her to grant it; milo does.",
    `One more of ${toEuros(mug.paidCents)}: it is ${kind}, and nobody was asked.`,
  ]);
  account.check(
    `more autonomy is proposed after ${cases} yeses and not before, and granted by somebody else`,
    proposals.findIndex((each) => each !== undefined) === cases - 1 &&
      isTuttiError(refusal) &&
      refusal.code === "APPROVAL_FORBIDDEN",
  );
  account.check("then a small refund is the clerk's own", kind === "done");
}

/** A larger one is still asked about. What a person makes of it is shown to whoever decides the next one that is like it. */
async function override(account: Account, { tutti, flow, bank }: Stage & { readonly bank: string }): Promise<void> {
  const first = await tutti.start(flow, toRequest(cases + 2, "The chair is scratched."));
  const { approval, package: asked } = await readAsked(tutti, first);
  const half = { order: `e-${cases + 2}`, amountCents: chair.paidCents / 2, why: "half: it can still be used" };
  const note = "A scratch is worth half.";
  const said = {
    by: "milo",
    saw: approval.package,
    verdict: "edit",
    input: half,
    code: "wrong-content",
    note,
  } as const;
  await tutti.approvals.decide(approval.id, said);
  const { paidBackCents } = await first.result();
  const second = await tutti.start(flow, toRequest(cases + 3, "This chair is scratched too."));
  const { package: next } = await readAsked(tutti, second);
  account.tell("A scratched chair, and another", [
    `${asked.action?.input}: milo changes it. ${note} ${toEuros(paidBackCents)} are paid.`,
    `${next.action?.input}: whoever decides is shown what was decided before.`,
    ...(next.precedents ?? []).map(({ text }) => text),
  ]);
  account.check(
    "what a person made of a refund is what the bank has paid",
    readBank(bank).at(-1)?.amountCents === half.amountCents,
  );
  account.check(
    "and stands in the next package as a precedent, with the reason",
    asked.precedents === undefined && next.precedents?.length === 1 && next.precedents[0]?.text.includes(note) === true,
  );
}

function toRequest(index: number, words: string): Request {
  return { id: `e-${index}`, order: `e-${index}`, on: "2026-05-07", words };
}
