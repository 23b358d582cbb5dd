import { isTuttiError, TuttiError } from "../base/errors.ts";
import {
  addAmounts,
  roundUp,
  subtractAmounts,
  type Amount,
  type Budget,
  type BudgetLevel,
  type Shortage,
} from "../contracts/budget.ts";
import type { Tool } from "../contracts/callable.ts";
import { toGrantLevels } from "../contracts/grant.ts";
import type { StepKey } from "../contracts/ids.ts";
import type { Appended, BudgetChange, NewEntry } from "../ledger/ledger.ts";
import type { CallEnd, Gate, Pass } from "../limits/gate.ts";
import { toCallLevels } from "./budget-levels.ts";
import { toConflictError } from "./conflict.ts";
import type { Driver } from "./driver.ts";
import { grantAt } from "./govern/grants.ts";
import { LeftEarly, passGates, untilStopped } from "./pass-gates.ts";
import type { Reported } from "./report.ts";
import type { Pending, Scope } from "./scope.ts";

/** The right to make one attempt. */
export interface Ticket {
  /** What its budget leaves it, if that is less than the attempt may take. */
  readonly timeoutMs: number | undefined;
  leave(end: CallEnd): void;
}

/** It was frozen while it waited for its turn: nothing was written down. */
export class HeldBack extends Error {}

/** Stands in front of every attempt of one call. */
export interface AttemptGuard {
  /**
   * Waits for the call's turn, and reserves what it may cost. Nothing when somebody else makes the call, or the driver is let go; `held`
   * when it was frozen meanwhile.
   * @throws TuttiError BUDGET_SPENT, RETRIES_SPENT, or what says that the tool is not to be asked now. Nothing was called.
   */
  enter(attempt: number): Promise<Ticket | "held" | undefined>;
}

export interface ToolCall {
  readonly tool: Tool;
  readonly key: StepKey;
  readonly scope: Scope;
  readonly timeoutMs: number;
  /** For this call alone. */
  readonly budget: Budget | undefined;
  /** Where the tool says what it used. */
  readonly reported: Reported;
}

/** How a call that changes something is written down, and who else may have it. */
export interface IntentWriter {
  append(budget: BudgetChange | undefined): Promise<Appended>;
  /** The key is another's, or the yes that it was to be made on does not hold. */
  onTaken(appended: Extract<Appended, { kind: "taken" | "unapproved" }>): void;
}

export interface Admission {
  readonly pending: Pending;
  readonly intent?: IntentWriter;
}

interface Limited extends ToolCall {
  readonly gates: readonly Gate[];
  readonly levels: readonly BudgetLevel[];
}

/** What limits this call, or nothing if nothing does: then it costs nothing. */
export function findLimited(driver: Driver, call: ToolCall): Limited | undefined {
  const { admission } = driver;
  const granted = toGrantLevels(grantAt(driver, call.scope), call.tool.name);
  if (admission.isFree && call.budget === undefined && granted.length === 0) return undefined;
  const { tenant, flow, run } = admission;
  const agent = admission.agentAt(call.scope);
  const gates = admission.gates?.of({ tenant, flow, agent, kind: "tool", name: call.tool.name }) ?? [];
  const levels = [...admission.levelsAt(call.scope), ...toCallLevels(run, call.key, call.budget), ...granted];
  return gates.length === 0 && levels.length === 0 ? undefined : { ...call, gates, levels };
}

export function openGuard(driver: Driver, call: Limited, admission: Admission): AttemptGuard {
  return {
    async enter(attempt) {
      try {
        return await admit(driver, call, { ...admission, attempt });
      } catch (error) {
        if (error instanceof LeftEarly) return undefined;
        if (error instanceof HeldBack) return "held";
        throw error;
      }
    },
  };
}

async function admit(
  driver: Driver,
  call: Limited,
  asking: Admission & { readonly attempt: number },
): Promise<Ticket | undefined> {
  const { tool, gates, scope } = call;
  const { standing } = driver.admission;
  const caller = { calls: "tool", attempt: asking.attempt, mayProbe: mayProbe(tool), standing } as const;
  const pass = await passGates(driver, { gates, caller, signal: scope.signal() });
  try {
    const appended = await write(driver, call, asking.intent);
    if (appended?.kind === "taken" || appended?.kind === "unapproved") {
      pass.leave({ kind: "left" });
      asking.intent?.onTaken(appended);
      return undefined;
    }
    if (appended?.kind === "spent") throw toBudgetSpent(appended.shortage);
    if (appended?.kind === "stale") throw toConflictError(`${tool.name} was not called`, appended.documents);
    const ticket = toTicket(driver, call, {
      pass,
      granted: appended?.kind === "recorded" ? appended.reserved : undefined,
    });
    if (!asking.pending.over) return ticket;
    ticket.leave({ kind: "left" });
    throw new TuttiError("RUN_CANCELLED", `${call.key} was cancelled before ${tool.name} did anything`);
  } catch (error) {
    pass.leave({ kind: "left" });
    throw error;
  }
}

/** A call that only looks, that may be repeated under its key, or whose outcome can be found out. */
function mayProbe(tool: Tool): boolean {
  return tool.effect !== "once" || tool.check !== undefined;
}

/** The intent with its reservation; for a call without an intent the reservation alone, if there is one. */
async function write(
  driver: Driver,
  { key, levels, tool, timeoutMs }: Limited,
  intent: IntentWriter | undefined,
): Promise<Appended | undefined> {
  const amount = roundUp({ calls: 1, timeMs: timeoutMs, usd: tool.guarantees?.costUsd ?? 0 });
  const budget = levels.length === 0 ? undefined : ({ kind: "reserve", levels, amount } as const);
  if (intent !== undefined) return untilStopped(driver, intent.append(budget));
  if (budget === undefined) return undefined;
  return untilStopped(driver, driver.append({ kind: "budget-reserved", key, body: "", budget }));
}

interface Granted {
  readonly pass: Pass;
  readonly granted: Amount | undefined;
}

function toTicket(driver: Driver, call: Limited, { pass, granted }: Granted): Ticket {
  const { clock } = driver.host;
  const startedAt = clock.now();
  return {
    timeoutMs: granted?.timeMs,
    leave(end) {
      pass.leave(end);
      if (granted === undefined) return;
      const actual = toActual(call, { end, granted, elapsedMs: clock.now() - startedAt });
      if (actual !== "open") void driver.append(toSettlement(call.key, actual));
    },
  };
}

interface Called {
  readonly end: CallEnd;
  readonly granted: Amount;
  readonly elapsedMs: number;
}

/** What the call cost. `open`: nobody knows whether it happened, and its outcome will say. */
function toActual({ tool, reported }: Limited, { end, granted, elapsedMs }: Called): Amount | "open" {
  if (end.kind === "left") return {};
  const hasNoEffect = end.kind === "failed" && isTuttiError(end.error) && end.error.effect === "none";
  const mayHaveActed = end.kind === "failed" && !hasNoEffect;
  if (mayHaveActed && (tool.effect === "once" || tool.effect === "idempotent")) return "open";
  const used = reported.report?.usage;
  const declared = hasNoEffect ? 0 : granted.usd;
  return roundUp({
    usd: used?.costUsd ?? declared ?? 0,
    tokens: used === undefined ? 0 : used.inputTokens + used.outputTokens,
    calls: 1,
    timeMs: Math.min(elapsedMs, granted.timeMs ?? elapsedMs),
  });
}

/** The entry that says what a call cost; without an amount, all that it had reserved. */
export function toSettlement(key: string, actual: Amount | undefined, by: "call" | "crash" = "call"): NewEntry {
  const budget = { kind: "settle", by, ...(actual === undefined ? {} : { actual }) } as const;
  return { kind: "budget-settled", key, body: "", budget };
}

const unitNames = { usd: "US dollars", tokens: "tokens", calls: "calls", timeMs: "ms of work" } as const;

export function toBudgetSpent(shortage: Shortage): TuttiError {
  const { account, unit, limit, spent, reserved, asked } = shortage;
  const used = addAmounts({ [unit]: spent }, { [unit]: reserved });
  const left = subtractAmounts({ [unit]: limit }, used)[unit] ?? 0;
  return new TuttiError(
    "BUDGET_SPENT",
    `${account} has ${left} of ${limit} ${unitNames[unit]} left (${spent} spent, ${reserved} reserved), and a call may need ${asked}`,
    {
      hint: "Raise the budget, ask for less, or give the agent a cheaper tier with stepDown.",
      facts: { account, unit, limit, spent, reserved, left, asked },
    },
  );
}

/** Calls that a dead process had begun and whose cost nobody knows: all that they reserved is spent. Effects are left to their outcome. */
export function settleLost(driver: Driver): void {
  const { reserved, openIntents } = driver.history;
  if (reserved.size === 0) return;
  const lost = [...reserved].filter((key) => !openIntents.has(key));
  if (lost.length === 0) return;
  driver.delivery.whenLive(() => {
    for (const key of lost) void driver.append(toSettlement(key, undefined, "crash"));
  });
}
