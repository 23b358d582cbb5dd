import type { Budget, BudgetLevel } from "../contracts/budget.ts";
import type { RunId } from "../contracts/ids.ts";
import type { Priority } from "../contracts/run-record.ts";
import type { Gates } from "../limits/gates.ts";
import type { LimitTable } from "../limits/limit.ts";
import type { RunSlots } from "../limits/run-slots.ts";
import { toStanding, type Standing } from "../limits/standing.ts";
import type { Scope } from "./scope.ts";

/** What the engine's owner declared to protect the world from its runs, and the runs from each other. */
export interface Protection {
  readonly gates: Gates | undefined;
  readonly slots: RunSlots | undefined;
  /** As they were declared; empty where there are none. */
  readonly limits: LimitTable;
  /** Limits by account: `tenant/acme`, `flow/brief`; `tenant/*`, `flow/*` and `run/*` for each one that is not named. */
  readonly budgets: Readonly<Record<string, Budget>>;
}

/** What a run was started with that its budgets depend on. */
export interface Payer {
  readonly run: RunId;
  readonly flow: string;
  readonly tenant?: string | undefined;
  readonly priority?: Priority | undefined;
  readonly budgets?: Readonly<Record<string, Budget>> | undefined;
}

/** Who pays for what a run does, and which gates stand in its way. */
export interface RunAdmission {
  readonly run: RunId;
  readonly tenant: string | undefined;
  readonly flow: string;
  readonly priority: Priority | undefined;
  readonly gates: Gates | undefined;
  /** What decides whose turn it is where calls of this run wait beside others. */
  readonly standing: Standing;
  /** Accounts that everything in the run pays into. */
  readonly levels: readonly BudgetLevel[];
  /** Nothing is limited anywhere, so that a call has nothing to ask. */
  readonly isFree: boolean;
  /** A person changed what an account may spend. */
  setLimit(level: BudgetLevel): void;
  /** Everything inside the scope pays into these too. */
  limitScope(scope: Scope, levels: readonly BudgetLevel[]): void;
  /** The accounts that a call in this scope pays into. */
  levelsAt(scope: Scope): readonly BudgetLevel[];
  /** Everything inside the scope is done by that agent. */
  nameAgent(scope: Scope, agent: string): void;
  /** The innermost agent that a call in this scope is made by. */
  agentAt(scope: Scope): string | undefined;
}

export function openAdmission(protection: Protection | undefined, payer: Payer): RunAdmission {
  let levels = toRunLevels(protection?.budgets ?? {}, payer);
  const gates = protection?.gates;
  let levelsByScope: WeakMap<Scope, readonly BudgetLevel[]> | undefined;
  let agentByScope: WeakMap<Scope, string> | undefined;
  let standing: Standing | undefined;
  return {
    run: payer.run,
    tenant: payer.tenant,
    flow: payer.flow,
    priority: payer.priority,
    get standing() {
      return (standing ??= toStanding(protection?.limits ?? {}, { ...payer, hasBegun: true }));
    },
    gates,
    get levels() {
      return levels;
    },
    get isFree() {
      return gates === undefined && levels.length === 0 && levelsByScope === undefined;
    },
    setLimit(level) {
      levels = [...levels.filter(({ account }) => account !== level.account), level];
    },
    limitScope(scope, own) {
      levelsByScope ??= new WeakMap();
      levelsByScope.set(scope, own);
    },
    levelsAt(scope) {
      if (levelsByScope === undefined) return levels;
      const found = [...levels];
      for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
        found.push(...(levelsByScope.get(at) ?? []));
      }
      return found;
    },
    nameAgent(scope, agent) {
      if (gates !== undefined) (agentByScope ??= new WeakMap()).set(scope, agent);
    },
    agentAt(scope) {
      if (agentByScope === undefined) return undefined;
      for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
        const agent = agentByScope.get(at);
        if (agent !== undefined) return agent;
      }
      return undefined;
    },
  };
}

/** What the engine declares today counts for its own accounts, whatever it declared when the run was started. */
function toRunLevels(budgets: Protection["budgets"], payer: Payer): readonly BudgetLevel[] {
  const limitByAccount = new Map(Object.entries(payer.budgets ?? {}));
  const own = [
    ...(payer.tenant === undefined ? [] : [`tenant/${payer.tenant}`]),
    `flow/${payer.flow}`,
    `run/${payer.run}`,
  ];
  for (const account of [...limitByAccount.keys(), ...own]) {
    const isGiven = limitByAccount.has(account) && account.startsWith("run/");
    const declared = isGiven ? undefined : findBudget(budgets, account);
    if (declared !== undefined) limitByAccount.set(account, declared);
  }
  return [...limitByAccount].map(([account, limit]) => ({ account, limit }));
}

function findBudget(budgets: Protection["budgets"], account: string): Budget | undefined {
  if (Object.hasOwn(budgets, account)) return budgets[account];
  const any = `${account.slice(0, account.indexOf("/"))}/*`;
  return Object.hasOwn(budgets, any) ? budgets[any] : undefined;
}

/** What a child takes over: its tenant and priority, and the accounts that its parent's call of it pays into. */
export function toInheritance(
  admission: RunAdmission,
  scope: Scope,
  own: readonly BudgetLevel[],
): Pick<Payer, "tenant" | "priority" | "budgets"> {
  const levels = [...admission.levelsAt(scope), ...own];
  return {
    ...(admission.tenant === undefined ? {} : { tenant: admission.tenant }),
    ...(admission.priority === undefined ? {} : { priority: admission.priority }),
    ...(levels.length === 0
      ? {}
      : { budgets: Object.fromEntries(levels.map(({ account, limit }) => [account, limit])) }),
  };
}

/** The account of one call, for a limit that was given with it. */
export function toCallLevels(run: RunId, key: string, budget: Budget | undefined): readonly BudgetLevel[] {
  return budget === undefined ? [] : [{ account: `call/${run}${key}`, limit: budget }];
}
