import { toShortId } from "../base/chance.ts";
import { toTuttiError } from "../base/errors.ts";
import type { Freeze } from "../contracts/freeze.ts";
import type { RunId } from "../contracts/ids.ts";
import type { RunRecord } from "../contracts/run-record.ts";
import type { SignalOf } from "../contracts/run.ts";
import { parseWith } from "../contracts/schema.ts";
import type { Driver, Wait } from "../flow/driver.ts";
import { findFreeze } from "../flow/hold.ts";
import { directRun } from "./direct-run.ts";
import type { ActiveRuns, Engine, Rest } from "./engine-parts.ts";
import { forkRun } from "./fork-run.ts";
import { readEnd, readParking, toEndError } from "./run-end.ts";
import { cancelRun, findRun, nextRest, pauseRun, resumeRun, signalRun } from "./steer-run.ts";
import type { RunHandle, RunState } from "./tutti.ts";
import { undoRun } from "./undo-run.ts";

export function openHandle(engine: Engine, runs: ActiveRuns, id: RunId): RunHandle {
  return new OpenHandle(engine, runs, id);
}

class OpenHandle implements RunHandle {
  readonly id: RunId;
  readonly #engine: Engine;
  readonly #runs: ActiveRuns;

  constructor(engine: Engine, runs: ActiveRuns, id: RunId) {
    this.id = id;
    this.#engine = engine;
    this.#runs = runs;
  }

  result(): Promise<unknown> {
    return result(this.#engine, this.#runs, this.id);
  }
  settled(): Promise<RunState> {
    return settled(this.#engine, this.#runs, this.id);
  }
  state(): Promise<RunState> {
    return readState(this.#engine, this.#runs, this.id);
  }
  entries(): ReturnType<RunHandle["entries"]> {
    return this.#engine.ledger.read(this.id);
  }
  async signal(signal: SignalOf<unknown>, payload?: unknown, options?: { readonly id?: string }): Promise<void> {
    const name = typeof signal === "string" ? signal : signal.name;
    const checked = toPayload(signal, payload);
    const given = checked instanceof Promise ? await checked : checked;
    return signalRun(this.#engine, this.#runs, {
      run: this.id,
      signal: { name, payload: given, id: options?.id ?? toShortId() },
    });
  }
  cancel(reason = "cancelled by a person", by = "a person"): Promise<void> {
    return cancelRun(this.#engine, this.#runs, { run: this.id, reason, by });
  }
  pause(by = "a person"): Promise<void> {
    return pauseRun(this.#engine, this.#runs, { run: this.id, by });
  }
  resume(by = "a person"): Promise<void> {
    return resumeRun(this.#engine, this.#runs, { run: this.id, by });
  }
  steer(...[directive, person]: Parameters<RunHandle["steer"]>): ReturnType<RunHandle["steer"]> {
    return directRun(this.#engine, this.#runs, { run: this.id, directive, ...person });
  }
  undo(person: Parameters<RunHandle["undo"]>[0]): ReturnType<RunHandle["undo"]> {
    return undoRun(this.#engine, this.#runs, { run: this.id, ...person });
  }
  async fork(...[step, edit, options]: Parameters<RunHandle["fork"]>): Promise<RunHandle> {
    const engine = this.#engine;
    const forked = await forkRun(engine, { run: this.id, step, edit, ...options });
    void this.#runs.drive(forked).catch(engine.onBackgroundError);
    return openHandle(engine, this.#runs, forked);
  }
}

function toPayload<Payload>(signal: SignalOf<Payload>, payload: Payload): Payload | Promise<Payload> {
  if (typeof signal === "string") return payload;
  return parseWith(signal.payload, payload, { code: "INPUT_INVALID", what: `the payload of signal ${signal.name}` });
}

/** Listens before it looks, so that an end in between is not missed. */
function result(engine: Engine, runs: ActiveRuns, id: RunId): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const finish = (end: RunState): void => {
      if (end.kind !== "done" && end.kind !== "failed" && end.kind !== "parked" && end.kind !== "cancelled") return;
      forget();
      if (end.kind === "done") resolve(end.output);
      else reject(end.kind === "cancelled" ? toEndError(id, end) : end.error);
    };
    const forget = runs.onRest(id, (rest) => {
      if (rest.kind === "over") finish(rest.end);
      else if (rest.kind === "parked") finish(rest);
      else if (rest.kind === "lost") finish({ kind: "failed", error: rest.error });
    });
    if (runs.find(id) === undefined)
      lookForEnd(engine, runs, id).then(finish, (error: unknown) => {
        forget();
        reject(toTuttiError(error, "BUG"));
      });
  });
}

/** Where nobody drives the run, nobody would tell. */
async function lookForEnd(engine: Engine, runs: ActiveRuns, id: RunId): Promise<RunState> {
  return (await runs.drive(id)) === undefined ? readState(engine, runs, id) : { kind: "running" };
}

async function settled(engine: Engine, runs: ActiveRuns, id: RunId): Promise<RunState> {
  const { promise, resolve, reject } = Promise.withResolvers<Rest>();
  const forget = runs.onRest(id, (rest) => {
    if (rest.kind === "lost") reject(rest.error);
    else if (rest.kind !== "awake") resolve(rest);
  });
  try {
    const state = await readState(engine, runs, id);
    if (state.kind !== "running") return state;
    // It may have been let go while it was looked at: taken up again, it comes to rest once more.
    if (runs.find(id) === undefined) await runs.drive(id);
    const rest = await promise;
    if (rest.kind === "over" && rest.end.kind === "done") return { kind: "done", output: rest.end.output };
    return await readState(engine, runs, id);
  } finally {
    promise.catch(() => {});
    forget();
  }
}

/** What a run is doing: from its driver where there is one, otherwise from the ledger. */
async function readState(engine: Engine, runs: ActiveRuns, id: RunId): Promise<RunState> {
  const driver = runs.find(id)?.driver;
  const record = await findRun(engine, id);
  const slot = engine.protection?.slots?.waitsFor(id);
  if (slot !== undefined) return { kind: "waiting", untilMs: undefined, signals: [], slot };
  if (driver !== undefined && !driver.stopped && record.status !== "paused") {
    const isIdle = driver.delivery.idle && driver.busy === 0;
    // Taken up again only to be looked at: what it says of itself counts once its past is replayed.
    if (record.status === "waiting" && !isIdle) return (await readWaiting(engine, runs, id)) ?? { kind: "running" };
    const waits = [...driver.waits];
    if (!isIdle || waits.length === 0) return { kind: "running" };
    const freeze = waits.some((wait) => wait.kind === "freeze") ? findSet(engine, driver) : undefined;
    if (freeze !== undefined) return { kind: "frozen", freeze };
    if (waits.some((wait) => wait.kind === "doubt"))
      return { kind: "in-doubt", effects: await engine.ledger.listEffects({ run: id, states: ["in-doubt"] }) };
    const due = waits.flatMap((wait) => (wait.kind === "timer" ? [wait.dueAt] : []));
    const untilMs = due.length === 0 ? undefined : Math.min(...due);
    if (waits.some((wait) => wait.kind === "approval")) return toAsking(engine, id, untilMs);
    return {
      kind: "waiting",
      untilMs,
      signals: waits.flatMap((wait) => (wait.kind === "signal" ? [wait.name] : [])),
      ...toTakenOver(waits),
    };
  }
  switch (record.status) {
    case "running":
      return (engine.freezes.any ? await readWaiting(engine, runs, id) : undefined) ?? { kind: "running" };
    case "waiting":
      return (await readWaiting(engine, runs, id)) ?? (await readResting(engine, record));
    case "paused":
      return { kind: "paused" };
    case "in-doubt":
      return { kind: "in-doubt", effects: await engine.ledger.listEffects({ run: id, states: ["in-doubt"] }) };
    default:
      return readEnded(engine, id);
  }
}

async function toAsking(engine: Engine, id: RunId, untilMs: number | undefined): Promise<RunState> {
  return { kind: "asking", untilMs, approvals: await engine.ledger.listApprovals({ run: id, states: ["open"] }) };
}

/** What the ledger alone knows of a run whose code is not here. */
async function readResting(engine: Engine, { id, wakeAt }: RunRecord): Promise<RunState> {
  const asking = await toAsking(engine, id, wakeAt);
  return asking.kind === "asking" && asking.approvals.length > 0
    ? asking
    : { kind: "waiting", untilMs: wakeAt, signals: [] };
}

/** What a run waits for is known to its code alone, so the run is brought back for a moment. Nothing if its flow is not here. */
async function readWaiting(engine: Engine, runs: ActiveRuns, id: RunId): Promise<RunState | undefined> {
  const driver = (await runs.drive(id))?.driver;
  if (driver === undefined) return undefined;
  if (!driver.delivery.idle || driver.busy > 0) {
    const rest = await nextRest(runs, id);
    if (rest.kind === "awake") return { kind: "running" };
  }
  return runs.find(id) === undefined ? undefined : readState(engine, runs, id);
}

/** The freeze that a resting run waits for: of all that reaches any part of it. */
function findSet(engine: Engine, driver: Driver): Freeze | undefined {
  return findFreeze(driver, driver.root) ?? engine.freezes.list().find(({ target }) => target.reach === "agent");
}

function toTakenOver(waits: readonly Wait[]): { readonly takenOver?: readonly string[] } {
  const agents = waits.flatMap((wait) => (wait.kind === "hand-back" ? [wait.agent] : []));
  return agents.length === 0 ? {} : { takenOver: agents };
}

async function readEnded(engine: Engine, id: RunId): Promise<RunState> {
  const entries = await engine.ledger.read(id);
  const parked = readParking(entries);
  const end = await readEnd(engine.ledger, entries);
  if (end !== undefined) return end;
  return parked === undefined ? { kind: "running" } : { kind: "parked", error: parked };
}
