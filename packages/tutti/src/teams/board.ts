import { systemClock, type Clock } from "../base/clock.ts";
import { TuttiError } from "../base/errors.ts";
import { toRunId, type RunId } from "../contracts/ids.ts";
import { isOver } from "../contracts/run-record.ts";
import { parseWith, type Schema } from "../contracts/schema.ts";
import { toBlobs } from "../flow/step.ts";
import { toBody, toStoredOutput, toStoredValue } from "../flow/stored-value.ts";
import type { Ledger, RunLog } from "../ledger/ledger.ts";
import { openBidders, type Bidder, type Bidders } from "./bidders.ts";
import { loadBoard, toBoardFlow, type Holding, type OpenTask } from "./board-state.ts";
import type { RankedCandidate } from "./rank-candidates.ts";

export interface BoardDefinition<Task, Output> {
  readonly ledger: Ledger;
  /** Letters, digits and `_ . -`, at most 64. A ledger has one board of a name open at a time. */
  readonly name: string;
  readonly task: Schema<Task>;
  readonly output: Schema<Output>;
  /** How long a claim holds without being renewed; a minute by default. */
  readonly leaseMs?: number;
  readonly clock?: Clock;
}

/** Open work in the ledger: announced, bid for, leased to one, done once. */
export interface Board<Task, Output> {
  /** Announces a task; the same id again is the same task. Resolves when it is durable. */
  announce(id: string, work: { readonly does: string; readonly task: Task }): Promise<void>;
  /** Takes part in the bidding from now on, or under other terms. */
  join(bidder: Bidder): void;
  /** Bids no more; what it holds stays its own until the lease ends. */
  leave(name: string): void;
  /** Gives open tasks, oldest first, to the best bids of those who are free. A lease that is over makes its task open again. */
  assign(): Promise<readonly Lease<Task, Output>[]>;
  /** How many tasks are not done. */
  readonly left: number;
  /** When the next lease ends, if one is held. */
  readonly dueAt: number | undefined;
  close(): void;
}

/** One bidder's right to one task, for a time. */
export interface Lease<Task, Output> {
  readonly id: string;
  readonly task: Task;
  readonly by: string;
  /** Milliseconds since 1970. */
  readonly until: number;
  /** Grows with every claim of the task: hand it to whatever must refuse a holder that is too late. */
  readonly fence: number;
  /** The task is done, for good. @throws TuttiError LEDGER_FENCED when somebody else has claimed it since, RUN_OVER when this lease was used */
  complete(output: Output): Promise<void>;
  /** Holds it for another `leaseMs` from now; returns until when. @throws TuttiError LEDGER_FENCED, RUN_OVER */
  renew(): Promise<number>;
  /** Gives it back. @throws TuttiError LEDGER_FENCED, RUN_OVER */
  release(why: string): Promise<void>;
}

const leaseDefaultMs = 60_000;
const idPattern = /^[\w.-]{1,64}$/u;
const openBoards = new WeakMap<Ledger, Set<string>>();

/**
 * Opens a board. Each task is a run of its own in the ledger, so its claims are fenced as drivers of runs are: only the last one who claimed
 * it can complete it, once. What a process that died had leased is open again when the leases are over.
 * @throws TuttiError INPUT_INVALID
 */
export async function openBoard<Task, Output>(definition: BoardDefinition<Task, Output>): Promise<Board<Task, Output>> {
  const { ledger, name, leaseMs = leaseDefaultMs, clock = systemClock } = definition;
  checkName(name, "a board");
  if (!(leaseMs > 0))
    throw new TuttiError("INPUT_INVALID", `leaseMs is ${leaseMs}`, { hint: "Give milliseconds above 0." });
  const names = openBoards.get(ledger) ?? new Set();
  if (names.has(name))
    throw new TuttiError("INPUT_INVALID", `the board ${name} of this ledger is open already`, {
      hint: "Use that one.",
    });
  openBoards.set(ledger, names.add(name));
  const { tasks, outcomes } = await loadBoard(ledger, name).catch((error: unknown) => {
    names.delete(name);
    throw error;
  });
  const bidders = openBidders(outcomes);
  for (const { holding } of tasks.values()) if (holding !== undefined) bidders.begin(holding.by);
  const state: BoardState<Task, Output> = { ...definition, leaseMs, clock, tasks, bidders };
  return {
    announce: (id, work) => announce(state, id, work),
    join: (bidder) => bidders.join(bidder),
    leave: (bidder) => bidders.leave(bidder),
    assign: () => assign(state),
    get left() {
      return tasks.size;
    },
    get dueAt() {
      const ends = [...tasks.values()].flatMap(({ holding }) => (holding === undefined ? [] : [holding.until]));
      return ends.length === 0 ? undefined : Math.min(...ends);
    },
    close: () => void names.delete(name),
  };
}

interface BoardState<Task, Output> extends BoardDefinition<Task, Output> {
  readonly leaseMs: number;
  readonly clock: Clock;
  /** Tasks that are not done, oldest first. */
  readonly tasks: Map<RunId, OpenTask>;
  readonly bidders: Bidders;
}

function checkName(name: string, what: string): void {
  if (idPattern.test(name)) return;
  throw new TuttiError("INPUT_INVALID", `${JSON.stringify(name)} can't name ${what}`, {
    hint: "Use letters, digits and _ . -, at most 64.",
  });
}

async function announce<Task, Output>(
  { ledger, name, task: schema, tasks }: BoardState<Task, Output>,
  id: string,
  { does, task }: { readonly does: string; readonly task: Task },
): Promise<void> {
  checkName(id, "a task");
  const parsed = await parseWith(schema, task, { code: "INPUT_INVALID", what: `the task ${id}` });
  const stored = toStoredValue("input", { does, task: parsed }, `the task ${id}`);
  const flow = toBoardFlow(name);
  const run = toRunId(`${flow}:${id}`);
  const body = toBody({ flow, version: "1" }, stored);
  const outcome = await ledger.start({ id: run, flow, version: "1", body, ...toBlobs(stored) });
  if (outcome.kind === "exists") return;
  // Nobody drives it: it waits for a claim.
  outcome.claim.log.mark("waiting");
  tasks.set(run, { run, id, does, task: parsed, holding: undefined, isClaiming: false });
}

async function assign<Task, Output>(state: BoardState<Task, Output>): Promise<readonly Lease<Task, Output>[]> {
  const now = state.clock.now();
  endLeases(state, now);
  const claims: Promise<Lease<Task, Output> | undefined>[] = [];
  for (const task of state.tasks.values()) {
    if (task.holding !== undefined || task.isClaiming) continue;
    if (!state.bidders.hasFree()) break;
    const ranked = state.bidders.rank(task.does);
    const [best] = ranked;
    if (best === undefined || best.score === 0) continue;
    task.isClaiming = true;
    state.bidders.begin(best.name);
    claims.push(grant(state, task, { ranked, until: now + state.leaseMs }));
  }
  const granted = await Promise.all(claims);
  return granted.filter((lease) => lease !== undefined);
}

/** All of them first: who held a later task is free for an earlier one. */
function endLeases({ tasks, bidders }: Pick<BoardState<unknown, unknown>, "tasks" | "bidders">, now: number): void {
  for (const task of tasks.values()) {
    if (task.holding === undefined || task.holding.until > now) continue;
    bidders.end(task.holding.by, false);
    task.holding = undefined;
  }
}

interface Grant {
  readonly ranked: readonly RankedCandidate[];
  readonly until: number;
}

const othersToldMax = 10;

async function grant<Task, Output>(
  state: BoardState<Task, Output>,
  task: OpenTask,
  { ranked: [best, ...others], until }: Grant,
): Promise<Lease<Task, Output> | undefined> {
  const by = best?.name ?? "";
  try {
    const { record, log } = await state.ledger.claim(task.run);
    if (isOver(record.status)) {
      state.tasks.delete(task.run);
      state.bidders.drop(by);
      return undefined;
    }
    const told = others.slice(0, othersToldMax).map(({ name, why }) => ({ name, why }));
    const body = JSON.stringify({ by, until, why: best?.why ?? "", others: told });
    await log.append({ kind: "task-claimed", key: "", body, status: "waiting", wakeAt: until });
    const holding: Holding = { by, until };
    task.holding = holding;
    return toLease(state, task, { holding, log });
  } catch (error) {
    state.bidders.drop(by);
    throw error;
  } finally {
    task.isClaiming = false;
  }
}

interface Held {
  readonly holding: Holding;
  readonly log: RunLog;
}

function toLease<Task, Output>(
  state: BoardState<Task, Output>,
  task: OpenTask,
  { holding, log }: Held,
): Lease<Task, Output> {
  let isUsed = false;
  const use = (): void => {
    if (isUsed)
      throw new TuttiError("RUN_OVER", `this lease of the task ${task.id} was used already`, { hint: "Claim again." });
  };
  /** What the holder still counts for, unless its lease ended meanwhile and was counted then. */
  const letGo = (isDone: boolean): void => {
    if (task.holding !== holding) return;
    task.holding = undefined;
    state.bidders.end(holding.by, isDone);
  };
  return {
    id: task.id,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parsed by this board's schema when it was announced
    task: task.task as Task,
    by: holding.by,
    until: holding.until,
    fence: log.epoch,
    async complete(given) {
      use();
      const what = { code: "OUTPUT_INVALID", what: `the output of the task ${task.id}` } as const;
      const output = toStoredOutput(await parseWith(state.output, given, what), task.run);
      use();
      isUsed = true;
      await log.append({ kind: "run-done", key: "", body: toBody({}, output), ...toBlobs(output), status: "done" });
      letGo(true);
      state.tasks.delete(task.run);
    },
    async renew() {
      use();
      const until = state.clock.now() + state.leaseMs;
      const body = JSON.stringify({ by: holding.by, until, why: "it holds it already", others: [] });
      await log.append({ kind: "task-claimed", key: "", body, status: "waiting", wakeAt: until });
      if (task.holding === holding) holding.until = until;
      return until;
    },
    async release(why) {
      use();
      isUsed = true;
      const body = JSON.stringify({ by: holding.by, why: why.slice(0, 1_000) });
      await log.append({ kind: "task-released", key: "", body, status: "waiting" });
      letGo(false);
    },
  };
}
