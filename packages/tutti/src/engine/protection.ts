import type { Clock } from "../base/clock.ts";
import { TuttiError } from "../base/errors.ts";
import { findBudgetProblem, type Budget } from "../contracts/budget.ts";
import type { RunId } from "../contracts/ids.ts";
import { priorities } from "../contracts/run-record.ts";
import type { Payer, Protection } from "../flow/budget-levels.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { checkLimits } from "../limits/limit.ts";
import type { SlotUse } from "../limits/slot-use.ts";
import type { StartOptions, TuttiOptions } from "./tutti.ts";

const accountPattern = /^(?:(?:tenant|flow)\/.+|run\/\*)$/u;
const tenantPattern = /^[\w.~:@-]{1,120}$/u;

/** @throws TuttiError DEFINITION_INVALID for what can't work, before anything is opened. */
export function checkProtection({ limits, budgets, toolTimeoutMs }: TuttiOptions): void {
  if (limits !== undefined) checkLimits(limits);
  for (const [account, budget] of Object.entries(budgets ?? {})) {
    if (!accountPattern.test(account)) {
      throw new TuttiError("DEFINITION_INVALID", `no account is named ${JSON.stringify(account)}`, {
        hint: "Name tenant/<name>, flow/<name>, tenant/*, flow/* or run/*; an agent's budget stands in its declaration.",
      });
    }
    checkBudget("DEFINITION_INVALID", account, budget);
  }
  if (toolTimeoutMs !== undefined && !(toolTimeoutMs > 0)) {
    throw new TuttiError("DEFINITION_INVALID", `toolTimeoutMs is ${toolTimeoutMs}`, {
      hint: "Give a positive number of milliseconds.",
    });
  }
}

function checkBudget(code: "DEFINITION_INVALID" | "INPUT_INVALID", whose: string, budget: Budget): void {
  const problem = findBudgetProblem(budget);
  if (problem !== undefined) throw new TuttiError(code, `the budget of ${whose}: ${problem}`, { hint: budgetHint });
}

const budgetHint =
  "Write for example { usd: 5, tokens: 200_000, calls: 50, timeMs: 600_000 }; leave out what is not limited.";

/** Nothing where nothing was declared: runs then ask nobody. */
export async function openProtection(
  ledger: Ledger,
  { limits, budgets = {} }: TuttiOptions,
  clock: Clock,
): Promise<Protection | undefined> {
  if (limits === undefined)
    return Object.keys(budgets).length === 0 ? undefined : { gates: undefined, slots: undefined, limits: {}, budgets };
  const [{ openGates }, { openRunSlots }] = await Promise.all([
    import("../limits/gates.ts"),
    import("../limits/run-slots.ts"),
  ]);
  return { gates: await openGates(ledger, { limits, clock }), slots: openRunSlots(limits), limits, budgets };
}

export function listSlots(protection: Protection | undefined): readonly SlotUse[] {
  return [...(protection?.slots?.usage() ?? []), ...(protection?.gates?.usage() ?? [])];
}

/** The limits that a run waits for: for a slot of its own, or with its calls. */
export function listWaits(protection: Protection | undefined, run: RunId): readonly string[] {
  const slot = protection?.slots?.waitsFor(run);
  return slot === undefined ? (protection?.gates?.waitsFor(run) ?? []) : [slot];
}

/** What a start says about who pays, and how urgent it is. @throws TuttiError INPUT_INVALID */
export function toPayerFields(
  run: RunId,
  { tenant, budget, priority }: StartOptions,
): Pick<Payer, "tenant" | "priority" | "budgets"> {
  if (priority !== undefined && !priorities.includes(priority)) {
    throw new TuttiError("INPUT_INVALID", `"${priority}" is no priority`, {
      hint: `Use ${priorities.join(", ")}; normal is the default.`,
    });
  }
  if (tenant !== undefined && !tenantPattern.test(tenant)) {
    throw new TuttiError("INPUT_INVALID", `"${tenant}" can't name a tenant`, {
      hint: "Use letters, digits and . ~ : @ - _, at most 120.",
    });
  }
  if (budget !== undefined) checkBudget("INPUT_INVALID", `run ${run}`, budget);
  return {
    ...(tenant === undefined ? {} : { tenant }),
    ...(priority === undefined ? {} : { priority }),
    ...(budget === undefined ? {} : { budgets: { [`run/${run}`]: budget } }),
  };
}
