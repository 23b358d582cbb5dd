import fc from "fast-check";

import { must } from "../../packages/tutti/src/base/assert.ts";
import { isTuttiError, toTuttiError } from "../../packages/tutti/src/base/errors.ts";
import { addAmounts, subtractAmounts, type Amount, type Budget } from "../../packages/tutti/src/contracts/budget.ts";
import { bodyOf, type LedgerEntry } from "../../packages/tutti/src/contracts/entry.ts";
import { toEffectKey, toRunId, toStepKey } from "../../packages/tutti/src/contracts/ids.ts";
import type { Appended, EffectChange, Ledger, NewEntry, RunLog } from "../../packages/tutti/src/ledger/ledger.ts";
import { toNewRun } from "../ledger/ledger-fixture.ts";

/** What drivers, calls and crashes do to budgets, in one order. Steps and runs are numbers, so that a case is short JSON. */
export type Act =
  /** A step reserves; once that is acknowledged it calls, and the world charges `cost` of what was reserved, in tenths. */
  | {
      readonly do: "call";
      readonly run: number;
      readonly step: number;
      readonly usd: number;
      readonly cost: number;
      readonly effect: boolean;
    }
  /** The call of a step ends, and its driver says what it cost, or that it does not know. */
  | { readonly do: "answer"; readonly run: number; readonly step: number; readonly known: boolean }
  | { readonly do: "crash"; readonly run: number }
  | { readonly do: "end"; readonly run: number }
  | { readonly do: "turn" }
  /** The whole process dies and another opens the ledger. */
  | { readonly do: "reopen" };

const run = fc.nat({ max: 2 });
const step = fc.nat({ max: 2 });

export function toActs(canReopen: boolean): fc.Arbitrary<Act[]> {
  const call = fc.record({
    do: fc.constant("call" as const),
    run,
    step,
    usd: fc.integer({ min: 1, max: 40 }).map((cents) => cents / 100),
    cost: fc.nat({ max: 10 }),
    effect: fc.boolean(),
  });
  const answer = fc.record({ do: fc.constant("answer" as const), run, step, known: fc.boolean() });
  return fc.array(
    fc.oneof(
      { weight: 6, arbitrary: call },
      { weight: 5, arbitrary: answer },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("crash" as const), run }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("end" as const), run }) },
      { weight: 4, arbitrary: fc.constant<Act>({ do: "turn" }) },
      { weight: canReopen ? 1 : 0, arbitrary: fc.constant<Act>({ do: "reopen" }) },
    ),
    { minLength: 4, maxLength: 30 },
  );
}

/** Every run pays into its own account, and all of them into one; run 2 has no limit of its own. */
const limits: readonly Readonly<Record<string, Budget>>[] = [
  { all: { usd: 1 }, "run/0": { usd: 0.5 } },
  { all: { usd: 1 }, "run/1": { usd: 0.3 } },
  { all: { usd: 1 } },
];

export interface Opened {
  readonly ledger: Ledger;
  /** The ledger after the death of its process. */
  readonly reopen: () => Promise<Ledger>;
}

/** One call that left the process. */
interface Call {
  readonly log: RunLog;
  readonly reserved: number;
  readonly cost: number;
  readonly effect: boolean;
}

interface World {
  ledger: Ledger;
  readonly logs: (RunLog | undefined)[];
  /** By run and step: calls that nobody has heard of yet. */
  readonly calls: Map<string, Call>;
  /** What the outside world has really charged. */
  charged: Amount;
  /** Of the ledger: what it refused, if it did. */
  readonly answers: Promise<unknown>[];
}

/** Plays the acts. Throws, with what was found, if a limit was exceeded at any entry, something was lost, or anything stayed reserved. */
export async function play({ ledger, reopen }: Opened, acts: readonly Act[]): Promise<void> {
  const world: World = { ledger, logs: [], calls: new Map(), charged: {}, answers: [] };
  for (const [index] of limits.entries()) {
    const started = await ledger.start(toNewRun(String(index)));
    world.logs[index] = started.kind === "started" ? started.claim.log : undefined;
  }
  for (const act of acts) {
    if (act.do === "reopen") {
      await Promise.all(world.answers);
      world.ledger = await reopen();
      for (const index of world.logs.keys()) if (world.logs[index] !== undefined) await claim(world, index);
    } else await perform(world, act);
  }
  for (const index of world.logs.keys()) end(world, index);
  for (const error of await Promise.all(world.answers)) {
    if (error !== undefined && !isLate(error)) throw toTuttiError(error, "BUG");
  }
  await check(world);
}

/** What a driver is told that lost its run, or whose process is dead. */
function isLate(error: unknown): boolean {
  return isTuttiError(error) && (error.code === "LEDGER_FENCED" || error.code === "LEDGER_CLOSED");
}

function ask(world: World, asked: Promise<unknown>): void {
  world.answers.push(
    asked.then(
      () => undefined,
      (error: unknown) => error,
    ),
  );
}

async function perform(world: World, act: Exclude<Act, { do: "reopen" }>): Promise<void> {
  switch (act.do) {
    case "turn":
      await new Promise((resolve) => setImmediate(resolve));
      return;
    case "call":
      makeCall(world, act);
      return;
    case "answer":
      endCall(world, act);
      return;
    case "crash":
      if (world.logs[act.run] !== undefined) await claim(world, act.run);
      return;
    case "end":
      end(world, act.run);
  }
}

async function claim(world: World, index: number): Promise<void> {
  world.logs[index] = (await world.ledger.claim(toRunId(String(index)))).log;
}

const toStep = (act: { readonly step: number }): string => `/step-${act.step}`;

function makeCall(world: World, act: Extract<Act, { do: "call" }>): void {
  const log = world.logs[act.run];
  const id = `${act.run}${toStep(act)}`;
  if (log === undefined || world.calls.get(id)?.log === log) return; // one call of a step at a time
  const levels = Object.entries(must(limits[act.run], "every run has limits")).map(([account, limit]) => ({
    account,
    limit,
  }));
  const budget = { kind: "reserve", levels, amount: { usd: act.usd } } as const;
  const entry: NewEntry = act.effect
    ? { ...toIntent(id, toStep(act)), budget }
    : { kind: "budget-reserved", key: toStep(act), body: "", budget };
  // The call leaves as soon as the ledger has acknowledged it, also if its driver lost the run meanwhile.
  const onAnswer = (appended: Appended): void => {
    if (appended.kind !== "recorded") return;
    const cost = Math.round(act.usd * act.cost * 10) / 100;
    world.charged = addAmounts(world.charged, { usd: cost });
    world.calls.set(id, { log, reserved: act.usd, cost, effect: act.effect });
  };
  ask(world, log.append(entry).then(onAnswer));
}

function toIntent(id: string, key: string): NewEntry {
  const effect = { key: toEffectKey(id), step: toStepKey(key), tool: "t", class: "once", digest: "d" } as const;
  return { kind: "effect-intended", key, body: "{}", effect: { kind: "intend", effect } };
}

function endCall(world: World, act: Extract<Act, { do: "answer" }>): void {
  const key = toStep(act);
  const id = `${act.run}${key}`;
  const made = world.calls.get(id);
  if (made === undefined || world.logs[act.run] === undefined) return;
  world.calls.delete(id);
  const { log } = made;
  const budget = { kind: "settle", by: "call", ...(act.known ? { actual: { usd: made.cost } } : {}) } as const;
  if (act.known || !made.effect) ask(world, log.append({ kind: "budget-settled", key, body: "", budget }));
  if (!made.effect) return;
  const effect: EffectChange = { kind: "change", key: toEffectKey(id), state: made.cost === 0 ? "failed" : "settled" };
  ask(world, log.append({ kind: "effect-settled", key, body: "{}", effect }));
}

function end(world: World, index: number): void {
  const log = world.logs[index];
  if (log === undefined) return;
  world.logs[index] = undefined;
  ask(world, log.append({ kind: "run-cancelled", key: "", body: '{"reason":"over"}', status: "cancelled" }));
}

/** The entries alone must say the same as the accounts, and no prefix of them may exceed a limit. */
async function check({ ledger, charged }: World): Promise<void> {
  const accounts = rebuild(await ledger.scan(0, 100_000));
  const stored = await ledger.listAccounts();
  const told = stored.map(({ account, spent, reserved }) => [account, spent.usd ?? 0, reserved.usd ?? 0]);
  const expected = [...accounts].map(([account, { spent, reserved }]) => [account, spent.usd ?? 0, reserved.usd ?? 0]);
  const inOrder = expected.toSorted(([left], [right]) => (String(left) < String(right) ? -1 : 1));
  if (JSON.stringify(told) !== JSON.stringify(inOrder))
    throw new Error(`accounts ${JSON.stringify(told)}, entries ${JSON.stringify(inOrder)}`);
  const leaked = told.filter(([, , reserved]) => reserved !== 0);
  if (leaked.length > 0) throw new Error(`still reserved: ${JSON.stringify(leaked)}`);
  const spent = accounts.get("all")?.spent ?? {};
  const left = subtractAmounts(spent, charged).usd ?? 0;
  if (left < 0) throw new Error(`the world charged ${charged.usd}, and the accounts know of ${spent.usd}`);
}

interface Sums {
  spent: Amount;
  reserved: Amount;
}

function rebuild(entries: readonly LedgerEntry[]): ReadonlyMap<string, Sums> {
  const accounts = new Map<string, Sums>();
  const open = new Map<string, { readonly amount: Amount; readonly accounts: readonly string[] }>();
  for (const entry of entries) {
    const id = `${entry.run}${entry.key}`;
    if (entry.kind === "budget-reserved") {
      const { amount, budgets } = bodyOf(entry, entry.kind);
      open.set(id, { amount, accounts: Object.keys(budgets) });
      for (const [account, limit] of Object.entries(budgets)) {
        const sums = accounts.get(account) ?? { spent: {}, reserved: {} };
        accounts.set(account, { ...sums, reserved: addAmounts(sums.reserved, amount) });
        refuseExceeded(account, limit, accounts.get(account) ?? sums);
      }
    } else if (entry.kind === "budget-settled") {
      const { charged } = bodyOf(entry, entry.kind);
      const settled = open.get(id);
      open.delete(id);
      for (const account of settled?.accounts ?? []) {
        const sums = must(accounts.get(account), "an account that was reserved in");
        const reserved = subtractAmounts(sums.reserved, settled?.amount ?? {});
        accounts.set(account, { spent: addAmounts(sums.spent, charged), reserved });
      }
    }
  }
  return accounts;
}

function refuseExceeded(account: string, limit: Budget, { spent, reserved }: Sums): void {
  const used = addAmounts(spent, reserved).usd ?? 0;
  if (used > (limit.usd ?? Number.POSITIVE_INFINITY)) throw new Error(`${account} has ${used} of ${limit.usd}`);
}
