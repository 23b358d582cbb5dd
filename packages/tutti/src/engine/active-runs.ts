import { systemClock } from "../base/clock.ts";
import { TuttiError } from "../base/errors.ts";
import { bodyOf, type LedgerEntry } from "../contracts/entry.ts";
import type { EffectKey, RunId } from "../contracts/ids.ts";
import type { RunRecord } from "../contracts/run-record.ts";
import type { Flow } from "../contracts/run.ts";
import type { Driver, DriverHost, RunEnd } from "../flow/driver.ts";
import { openDriver } from "../flow/open-driver.ts";
import { runFlow } from "../flow/run-flow.ts";
import type { RunLog } from "../ledger/ledger.ts";
import { wrapLog } from "../ledger/run-log.ts";
import { toStanding } from "../limits/standing.ts";
import { catchUpDriven } from "./direct-run.ts";
import { toDriverHost } from "./driver-host.ts";
import type { ActiveRun, ActiveRuns, Engine, Rest } from "./engine-parts.ts";
import { openListeners, type Listeners } from "./listeners.ts";
import { isSelfContained, noBlobs } from "./read-blobs.ts";
import { openRestingRuns, type RestingRuns } from "./resting-runs.ts";
import { readEnd, toChildOutcome } from "./run-end.ts";
import { canGoOn, openTakeUp, type Loaded } from "./take-up.ts";

/** How long a run may rest in memory before it is let go. */
export const evictAfterMs = 100;

/** The runs in memory and everything that is armed for others. */
interface Book {
  readonly engine: Engine;
  readonly runs: ActiveRuns;
  readonly active: Map<RunId, ActiveRun>;
  readonly hosts: Map<Flow, DriverHost>;
  readonly loading: Map<RunId, Promise<ActiveRun | undefined>>;
  readonly takeUp: (run: RunId) => Promise<ActiveRun | undefined>;
  /** What is being done to runs that nobody drives. */
  readonly asides: Map<RunId, Promise<void>>;
  readonly rests: Listeners<RunId, Rest>;
  readonly effects: Listeners<EffectKey, void>;
  readonly wakers: Map<RunId, () => void>;
  readonly resting: RestingRuns;
  closed: boolean;
}

export function openActiveRuns(engine: Engine): ActiveRuns {
  const runs: ActiveRuns = {
    find: (run) => book.active.get(run),
    below: (run) =>
      [...book.active.values()].filter(({ driver }) => driver.ancestors.some((ancestor) => ancestor.run === run)),
    drive: (run) => drive(book, run),
    adopt(flow, claim) {
      // A copied past may hold large values, which have to be fetched first; a new run has nothing but its input.
      if (claim.entries.length > 1 || !isSelfContained(claim.entries)) driveInBackground(book, claim.record.id);
      else if (!book.closed && !book.active.has(claim.record.id) && hasSlot(book, claim.record, claim.entries))
        begin(book, { flow, claim, blobs: noBlobs });
    },
    aside: (run, work) => doAside(book, run, work),
    tellEnd(record, end) {
      book.rests.tell(record.id, { kind: "over", end });
      tellParent(book, record, end);
    },
    onRest: (run, listener) => book.rests.add(run, listener),
    wakeAt: (run, dueAt) => wakeAt(book, run, dueAt),
    watchEffect: (key, wake) => book.effects.add(key, wake),
    effectChanged: (key) => book.effects.tell(key, undefined),
    tell: (run, rest) => book.rests.tell(run, rest),
    close: (graceMs) => close(book, graceMs),
    release(run) {
      const parent = book.active.get(run)?.record.parent;
      release(book, run);
      if (parent !== undefined) evict(book, parent);
    },
  };
  const book: Book = {
    engine,
    runs,
    active: new Map(),
    hosts: new Map(),
    loading: new Map(),
    takeUp: openTakeUp({
      engine,
      isClosed: () => book.closed,
      begin: (loaded) => begin(book, loaded),
      onOver: (run) => tellEnd(book, run),
    }),
    asides: new Map(),
    rests: openListeners(),
    effects: openListeners(),
    wakers: new Map(),
    resting: openRestingRuns(engine.clock, engine.evictAfterMs, (run) => evict(book, run)),
    closed: false,
  };
  return runs;
}

function drive(book: Book, run: RunId): Promise<ActiveRun | undefined> {
  const present = book.active.get(run);
  if (present !== undefined) return Promise.resolve(present);
  const already = book.loading.get(run);
  if (already !== undefined) return already;
  const isFree = book.engine.protection?.slots === undefined && !book.asides.has(run);
  const loaded = isFree ? book.takeUp(run) : takeUpInTurn(book, run);
  book.loading.set(run, loaded);
  const forget = (): void => void book.loading.delete(run);
  loaded.then(forget, forget);
  return loaded;
}

/** For callers that nobody waits for. */
function driveInBackground(book: Book, run: RunId): void {
  drive(book, run).catch((error: unknown) => book.engine.onBackgroundError(error));
}

/** As soon as what is being done to the run is done, and if there is a slot for it: otherwise it keeps its place. */
async function takeUpInTurn(book: Book, run: RunId): Promise<ActiveRun | undefined> {
  await book.asides.get(run)?.catch(() => undefined); // whoever asked for that is told
  const { ledger, protection } = book.engine;
  let taken: ActiveRun | undefined;
  let waits = false;
  try {
    const found = protection?.slots === undefined || book.closed ? undefined : await ledger.findRun(run);
    waits = found !== undefined && canGoOn(book.engine, found) && !hasSlot(book, found, await ledger.read(run, 1, 2));
    if (!waits) taken = await book.takeUp(run);
  } finally {
    if (taken === undefined && !waits) protection?.slots?.leave(run); // what can't be driven after all holds no slot
  }
  return taken;
}

/** True when the run may be driven. Otherwise it is taken up as soon as it is its turn; the ledger says everything that it needs then. */
function hasSlot(book: Book, { id, flow, status }: RunRecord, [first, second]: readonly LedgerEntry[]): boolean {
  const { protection } = book.engine;
  if (protection?.slots === undefined || first === undefined) return true;
  const { tenant, priority } = bodyOf(first, "run-started");
  // One that waits for a signal from its first line on has no entry but its start.
  const hasBegun = second !== undefined || status !== "running";
  const who = { run: id, flow, tenant, priority, hasBegun };
  return protection.slots.enter(toStanding(protection.limits, who), () => void takeTurn(book, id));
}

/** The run holds its slots now. Whoever found it waiting a moment ago comes to an end first. */
async function takeTurn(book: Book, run: RunId): Promise<void> {
  await book.loading.get(run)?.catch(() => undefined); // whoever asked for that is told
  driveInBackground(book, run);
}

async function doAside(book: Book, run: RunId, work: () => Promise<void>): Promise<boolean> {
  for (let other = findOther(book, run); other !== undefined; other = findOther(book, run)) {
    await other.catch(() => undefined); // whoever asked for that is told
  }
  if (book.active.get(run)?.driver.stopped === false) return false;
  const done = work().finally(() => book.asides.delete(run));
  book.asides.set(run, done);
  await done;
  return true;
}

function findOther(book: Book, run: RunId): Promise<unknown> | undefined {
  return book.loading.get(run) ?? book.asides.get(run);
}

/** The run ended somewhere else, while somebody here still waits for it. */
async function tellEnd(book: Book, run: RunId): Promise<void> {
  if (!book.rests.has(run)) return;
  const { ledger } = book.engine;
  const end = await readEnd(ledger, await ledger.read(run));
  if (end !== undefined) book.rests.tell(run, { kind: "over", end });
}

function begin(book: Book, { flow, claim, blobs }: Loaded): ActiveRun {
  const { record, log } = claim;
  const run = record.id;
  book.wakers.get(run)?.();
  book.wakers.delete(run);
  const driver = openDriver({
    log: record.status === "running" ? log : toWakingLog(log, () => book.rests.tell(run, { kind: "awake" })),
    entries: claim.entries,
    blobs,
    host: hostOf(book, flow),
  });
  const present: ActiveRun = { driver, record };
  book.active.set(run, present);
  runFlow(driver, flow);
  if (book.engine.directiveVersions.size > 0) catchUpDriven(book.engine, driver).catch(book.engine.onBackgroundError);
  return present;
}

/** One for each flow: thousands of its runs begin in a second. */
function hostOf(book: Book, flow: Flow): DriverHost {
  const known = book.hosts.get(flow);
  if (known !== undefined) return known;
  const leave = (driver: Driver, rest: Rest): void => {
    if (book.active.get(driver.run)?.driver !== driver) return;
    release(book, driver.run);
    book.rests.tell(driver.run, rest);
  };
  const host = toDriverHost(book.engine, book.runs, {
    flow,
    callbacks: {
      onRest: ({ run }) => onRest(book, run),
      onParked(driver, error) {
        leave(driver, { kind: "parked", error });
        const { parent } = driver.history.started;
        if (parent !== undefined) evict(book, parent.run);
      },
      onAbandoned: (driver, error) => leave(driver, { kind: "lost", error }),
      onOver(driver, end) {
        leave(driver, { kind: "over", end });
        tellParent(book, { id: driver.run, parent: driver.history.started.parent?.run }, end);
      },
    },
  });
  book.hosts.set(flow, host);
  return host;
}

/** The log of a run that rested: it counts as running from its next entry on, not for being looked at. */
function toWakingLog(log: RunLog, onAwake: () => void): RunLog {
  let isAwake = false;
  return wrapLog(log, {
    write(entry, waiter, pace) {
      if (!isAwake) {
        isAwake = true;
        log.mark("running");
        onAwake();
      }
      log.write(entry, waiter, pace);
    },
  });
}

function tellParent(book: Book, record: Pick<RunRecord, "id" | "parent">, end: RunEnd): void {
  const { reviews, onBackgroundError } = book.engine;
  if (reviews.isSampling && record.parent === undefined && !book.closed) reviews.catchUp().catch(onBackgroundError);
  if (record.parent === undefined || book.closed) return;
  const parent = book.active.get(record.parent);
  if (parent === undefined) driveInBackground(book, record.parent);
  else parent.driver.children.get(record.id)?.(toChildOutcome(record.id, end));
}

function onRest(book: Book, run: RunId): void {
  if (book.closed) return;
  book.resting.add(run);
  book.rests.tell(run, { kind: "waiting" });
}

/** Lets a run go that still rests. The ledger says what it waits for; here only its wake-up stays. */
function evict(book: Book, run: RunId): void {
  const driver = book.active.get(run)?.driver;
  if (driver === undefined || driver.stopped || driver.busy > 0 || !driver.delivery.idle) return;
  const waits = [...driver.waits];
  // A child at work may end at any moment; its parent is let go after it.
  if (waits.length === 0 || waits.some((wait) => wait.kind === "child" && book.active.has(wait.run))) return;
  const dueAt = waits.flatMap((wait) => (wait.kind === "timer" ? [wait.dueAt] : []));
  const effects = waits.flatMap((wait) => (wait.kind === "effect" ? [wait.key] : []));
  const inDoubt = waits.some((wait) => wait.kind === "doubt");
  const isFrozen = waits.some((wait) => wait.kind === "freeze");
  const wake = dueAt.length === 0 ? undefined : Math.min(...dueAt);
  // A run that waits for another's effect or for a freeze stays "running", so that a new process takes it up: nobody would send it a signal.
  if (effects.length > 0 || isFrozen) driver.log.mark("running");
  else driver.log.mark(inDoubt ? "in-doubt" : "waiting", wake);
  const { parent } = book.active.get(run)?.record ?? {};
  release(book, run);
  if (parent !== undefined) evict(book, parent);
  if (wake !== undefined) wakeAt(book, run, wake);
  if (isFrozen) {
    const forget = book.engine.freezes.onLifted(() => {
      forget();
      driveInBackground(book, run);
    });
  }
  for (const key of effects) {
    const forget = book.effects.add(key, () => {
      forget();
      driveInBackground(book, run);
    });
  }
}

function release(book: Book, run: RunId): void {
  book.active.get(run)?.driver.stop();
  book.active.delete(run);
  book.engine.protection?.slots?.leave(run);
  book.resting.remove(run);
}

function wakeAt(book: Book, run: RunId, dueAt: number): void {
  const { clock } = book.engine;
  book.wakers.get(run)?.();
  const forget = clock.after(dueAt - clock.now(), () => {
    book.wakers.delete(run);
    driveInBackground(book, run);
  });
  book.wakers.set(run, forget);
}

async function close(book: Book, graceMs: number): Promise<void> {
  book.closed = true;
  for (const forget of book.wakers.values()) forget();
  book.resting.clear();
  await Promise.all([...book.loading.values()].map((loaded) => loaded.catch(() => undefined)));
  // What rests is let go as usual, so that the ledger says what it waits for.
  for (const run of Array.from(book.active.keys())) evict(book, run);
  for (const forget of book.wakers.values()) forget();
  await Promise.all([...book.active.values()].map(({ driver }) => haltWithin(driver, graceMs)));
  for (const { driver } of book.active.values()) driver.stop();
  book.active.clear();
  book.rests.tellAll({
    kind: "lost",
    error: new TuttiError("LEDGER_CLOSED", "the engine was closed; the run goes on when another is opened"),
  });
}

async function haltWithin(driver: Driver, graceMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    // The process is what ends here, so its own time counts, whatever clock the runs live by.
    const forget = systemClock.after(graceMs, resolve);
    driver.halt(() => {
      forget();
      resolve();
    });
  });
}
