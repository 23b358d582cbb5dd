import { isTuttiError, type TuttiError } from "../base/errors.ts";

/** What a budget leaves when a question to a model does not fit into it. */
export interface BudgetLeft {
  /** The tier that was too dear. */
  readonly tier: string;
  readonly account: string;
  /** What there is too little of: `usd`, `tokens`, `calls` or `timeMs`. */
  readonly unit: string;
  readonly left: number;
  /** What the question may have needed. */
  readonly asked: number;
}

/** Chooses the tier to go on with, or none. */
export type StepDown = (left: BudgetLeft) => string | undefined;

/** A chain of tiers longer than this is a mistake. */
const tiersMax = 8;

/** Asks, and where no budget has room for it, asks the tier that `stepDown` names. @throws TuttiError BUDGET_SPENT */
export async function askWithinBudget<Reply>(
  { tier, stepDown }: { readonly tier: string; readonly stepDown: StepDown | undefined },
  ask: (tier: string) => Promise<Reply>,
): Promise<Reply> {
  const tried = new Set<string>();
  for (let next = tier; ;) {
    try {
      tried.add(next);
      return await ask(next);
    } catch (error) {
      if (stepDown === undefined || !isTuttiError(error) || error.code !== "BUDGET_SPENT") throw error;
      const cheaper = stepDown(toLeft(next, error));
      if (cheaper === undefined || tried.has(cheaper) || tried.size >= tiersMax) throw error;
      next = cheaper;
    }
  }
}

function toLeft(tier: string, { facts }: TuttiError): BudgetLeft {
  const { account, unit, left, asked } = facts;
  return { tier, account: String(account), unit: String(unit), left: Number(left), asked: Number(asked) };
}
