import { decimal, fields, integer, listOf, recordOf, text, type Shape } from "../base/shape.ts";
import type { RunId } from "./ids.ts";

/** What can be limited, spent and reserved. What is missing is not limited, or nothing. */
export interface Amount {
  /** US dollars, counted in whole millionths. */
  readonly usd?: number;
  /** Of models, in and out. */
  readonly tokens?: number;
  /** Attempts that reached a model or a tool. */
  readonly calls?: number;
  /** How long calls took, added up: two at once count twice. */
  readonly timeMs?: number;
}

/** The most that may be spent. */
export type Budget = Amount;

export type BudgetUnit = keyof Amount;

export const budgetUnits: readonly BudgetUnit[] = ["usd", "tokens", "calls", "timeMs"];

/** One account that a call pays into, and what that account may spend. */
export interface BudgetLevel {
  /** `tenant/acme`, `flow/brief`, `run/<id>`, `agent/<run>/<agent>`, `call/<run><step>` or `grant/<whose>/<tool>`. */
  readonly account: string;
  readonly limit: Budget;
}

/** What the ledger knows of an account. Spent and reserved together never exceed the limit that a reservation was decided by. */
export interface AccountRecord {
  readonly account: string;
  /** As it was declared when something was last reserved. */
  readonly limit: Budget;
  readonly spent: Amount;
  readonly reserved: Amount;
}

/** What a call has reserved and not yet settled. */
export interface Reservation {
  readonly run: RunId;
  /** The step that calls. */
  readonly key: string;
  readonly amount: Amount;
  readonly accounts: readonly string[];
}

/** Why a reservation did not fit. */
export interface Shortage {
  readonly account: string;
  readonly unit: BudgetUnit;
  readonly limit: number;
  readonly spent: number;
  readonly reserved: number;
  readonly asked: number;
}

export const amountShape: Shape<Amount> = fields(
  {},
  { usd: decimal, tokens: integer, calls: integer, timeMs: integer },
);
export const budgetsShape: Shape<Readonly<Record<string, Budget>>> = recordOf(amountShape);
export const accountShape = fields({ limit: amountShape, spent: amountShape, reserved: amountShape });
export const reservationShape = fields({ amount: amountShape, accounts: listOf(text) });

/** What is wrong with a budget that somebody declared, if anything is. */
export function findBudgetProblem(budget: Budget): string | undefined {
  for (const unit of budgetUnits) {
    const value = budget[unit];
    const fits =
      value === undefined || (value >= 0 && (unit === "usd" ? Number.isFinite(value) : Number.isSafeInteger(value)));
    if (!fits) return `${unit} is ${value}, not ${unit === "usd" ? "a number" : "a whole number"} from 0 up`;
  }
  return undefined;
}

const fractionsPerUsd = 1_000_000;

/** Sums of dollars stay whole millionths, so that they neither drift nor depend on their order. */
function toWhole(unit: BudgetUnit, value: number): number {
  return unit === "usd" ? Math.round(value * fractionsPerUsd) / fractionsPerUsd : value;
}

/** What a call may cost or did cost, rounded up to what is counted. */
export function roundUp(amount: Amount): Amount {
  const rounded: { -readonly [Unit in BudgetUnit]?: number } = {};
  for (const unit of budgetUnits) {
    const value = amount[unit];
    if (value === undefined || value === 0) continue;
    // A millionth that only a floating point sum made is not charged.
    rounded[unit] = unit === "usd" ? Math.ceil(value * fractionsPerUsd - 1e-6) / fractionsPerUsd : Math.ceil(value);
  }
  return rounded;
}

export function addAmounts(left: Amount, right: Amount): Amount {
  return combine(left, right, 1);
}

export function subtractAmounts(left: Amount, right: Amount): Amount {
  return combine(left, right, -1);
}

function combine(left: Amount, right: Amount, sign: 1 | -1): Amount {
  const sum: { -readonly [Unit in BudgetUnit]?: number } = {};
  for (const unit of budgetUnits) {
    const value = toWhole(unit, (left[unit] ?? 0) + sign * (right[unit] ?? 0));
    if (value !== 0) sum[unit] = value;
  }
  return sum;
}
