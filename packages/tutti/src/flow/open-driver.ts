import { isTuttiError, TuttiError, toStoredError, toTuttiError, withoutSecrets } from "../base/errors.ts";
import { findExposure } from "../base/refuse-secrets.ts";
import type { Tool } from "../contracts/callable.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import { toStepKey, type StepKey } from "../contracts/ids.ts";
import type { NewEntry, RunLog } from "../ledger/ledger.ts";
import { refuseExposing } from "../ledger/refuse-exposing.ts";
import { callerLine, openDelivery, toCalledAfterEnd, toNonDurableAwait, type Delivery } from "./delivery.ts";
import type { Driver, DriverHost, Wait } from "./driver.ts";
import { readHistory, type Delivered } from "./history.ts";
import { openProvenance } from "./provenance.ts";
import { handRecorded } from "./recorded.ts";
import { openScope, type Scope } from "./scope.ts";
import { openSignals } from "./signals.ts";
import { toBody } from "./stored-value.ts";

export interface DriverStart {
  readonly log: RunLog;
  readonly entries: readonly LedgerEntry[];
  readonly blobs: ReadonlyMap<string, string>;
  readonly host: DriverHost;
}

/** What changes while a run is driven. */
interface Course {
  readonly log: RunLog;
  readonly host: DriverHost;
  readonly waits: Set<Wait>;
  readonly timers: Set<() => void>;
  readonly delivery: () => Delivery;
  busy: number;
  stopped: boolean;
  ended: boolean;
  onHalted: (() => void) | undefined;
  forgetStall: (() => void) | undefined;
}

const never = new Promise<never>(() => {});

/** Makes the driver of one run from its entries. Nothing happens before `runFlow`. */
export function openDriver({ log, entries, blobs, host }: DriverStart): Driver {
  const history = readHistory(entries);
  const root = openScope("", undefined);
  const course: Course = {
    log,
    host,
    waits: new Set(),
    timers: new Set(),
    delivery: () => delivery,
    busy: 0,
    stopped: false,
    ended: false,
    onHalted: undefined,
    forgetStall: undefined,
  };
  const delivery = openDelivery(history.order, {
    apply: (item, asked) => handRecorded(driver, item, asked),
    isAbandoned: (key) => root.isCancelled(key),
    isBlocked: () => course.ended || course.waits.size > 0,
    onDiverged: (item, asked) => park(course, toDivergence(course, item, asked), toStepKey(item.key)),
    onQuiet: () => onQuiet(course),
  });
  const driver: Driver = {
    run: log.run,
    lineage: history.started.forkedFrom?.lineage ?? log.run,
    log,
    history,
    blobs,
    host,
    root,
    delivery,
    signals: openSignals(),
    signalIds: new Set(history.signalIds),
    provenance: openProvenance(),
    tools: new Map(host.tools.map((tool: Tool) => [tool.name, tool])),
    waits: course.waits,
    inFlight: new Map(),
    taken: new Set(),
    doubts: new Map(),
    children: new Map(),
    doubtful: new Set(
      [...history.openIntents.values()].filter((intent) => intent.doubtful).map((intent) => toStepKey(intent.key)),
    ),
    openChildren: new Map(history.openChildren),
    get busy() {
      return course.busy;
    },
    get stopped() {
      return course.stopped;
    },
    get halted() {
      return course.onHalted !== undefined;
    },
    enter: (scope, name, verb) => enter(course, { scope, name, verb }),
    begin: () => void course.busy++,
    finish: () => finish(course),
    wait: (wait) => addWait(course, wait),
    at: (dueAt, wake) => setTimer(course, dueAt, wake),
    append: (entry) => (course.stopped ? never : log.append(entry).catch((error: unknown) => abandon(course, error))),
    hand: (entry, ahead, apply) => hand(course, { entry, ahead, apply }),
    accept: (entry, apply) => accept(course, entry, apply),
    park: (error, step) => park(course, error, step),
    end: (entry) => endRun(course, entry),
    halt: (onHalted) => halt(course, onHalted),
    ended: () => void (course.ended = true),
    stop: () => stop(course),
  };
  return driver;
}

interface Entering {
  readonly scope: Scope;
  readonly name: string;
  readonly verb: string;
}

function enter(course: Course, { scope, name, verb }: Entering): StepKey | undefined {
  const { windowOpen } = course.delivery();
  if (course.ended || scope.isClosed()) {
    // A branch that lost a race goes on until its next verb, and stops there. Anything else is a call from outside.
    if (!windowOpen) course.host.warn(toCalledAfterEnd(verb, callerLine(new Error(verb).stack)));
    return undefined;
  }
  if (windowOpen) {
    const key = scope.nextKey(name);
    const exposure = findExposure(key, verb);
    if (exposure === undefined) return key;
    park(course, exposure); // without its place, whose name may be what exposes it
    return undefined;
  }
  park(course, toNonDurableAwait(verb, callerLine(new Error(verb).stack)), toStepKey(scope.path));
  return undefined;
}

function finish(course: Course): void {
  course.busy--;
  if (course.busy > 0) return;
  if (course.onHalted !== undefined) course.onHalted();
  else if (course.delivery().idle) onQuiet(course);
}

function addWait(course: Course, wait: Wait): () => void {
  course.waits.add(wait);
  return () => void course.waits.delete(wait);
}

function setTimer(course: Course, dueAt: number, wake: () => void): () => void {
  const { clock } = course.host;
  const release = addWait(course, { kind: "timer", dueAt });
  const forget = (): void => {
    release();
    forgetTimer();
    course.timers.delete(forget);
  };
  const forgetTimer = clock.after(dueAt - clock.now(), () => {
    forget();
    if (!course.stopped) wake();
  });
  course.timers.add(forget);
  return forget;
}

interface Handing {
  readonly entry: NewEntry;
  readonly ahead: boolean;
  readonly apply: () => void;
}

function hand(course: Course, { entry, ahead, apply }: Handing): ReturnType<Driver["hand"]> {
  if (course.stopped) return never;
  const ready = course.delivery().enqueue(apply);
  const appended = course.log.append(entry);
  if (ahead) ready();
  else void appended.then(ready, () => {});
  return appended.catch((error: unknown) => abandon(course, error));
}

async function accept(course: Course, entry: NewEntry, apply: (seq: number) => void): Promise<void> {
  refuseExposing(entry); // the run has no part in what somebody outside sends it
  let seq = 0;
  const ready = course.delivery().enqueue(() => apply(seq));
  try {
    const appended = await course.log.append(entry);
    if (appended.kind === "recorded") seq = appended.seq;
    ready();
  } catch (error) {
    void abandon(course, error);
    throw error;
  }
}

/** The log refused an entry: this driver has no say in the run any more, or the run may not go on as it would. */
function abandon(course: Course, error: unknown): Promise<never> {
  if (isTuttiError(error) && error.code === "SECRET_EXPOSED") {
    park(course, error);
  } else if (!course.stopped) {
    stop(course);
    course.host.onAbandoned(toTuttiError(error, "BUG"));
  }
  return never;
}

function park(course: Course, error: TuttiError, step?: StepKey): void {
  if (course.stopped) return;
  const { host, log } = course;
  const body = toBody({ error: toStoredError(error), ...(step === undefined || step === "" ? {} : { step }) });
  const parked = log.append({ kind: "run-parked", key: "", body, status: "parked" });
  stop(course);
  parked.then(
    () => host.onParked(withoutSecrets(error)),
    (failure: unknown) => host.onAbandoned(toTuttiError(failure, "BUG")),
  );
}

function endRun(course: Course, entry: NewEntry): ReturnType<Driver["end"]> {
  if (course.stopped) return never;
  const appended = course.log.append(entry);
  stop(course);
  return appended.catch((error: unknown) => {
    course.host.onAbandoned(toTuttiError(error, "BUG"));
    return never;
  });
}

function halt(course: Course, onHalted: () => void): void {
  course.onHalted = onHalted;
  course.delivery().halt();
  for (const forget of course.timers) forget();
  if (course.busy === 0) onHalted();
}

function stop(course: Course): void {
  course.stopped = true;
  course.forgetStall?.();
  for (const forget of course.timers) forget();
  course.delivery().stop();
}

function onQuiet(course: Course): void {
  if (course.busy > 0 || course.stopped) return;
  if (course.waits.size > 0) course.host.onRest();
  else if (!course.ended) watchStall(course);
}

// Not a heuristic about order: the code is quiet, nothing is outstanding, so only the outside world could still move it.
function watchStall(course: Course): void {
  const { host } = course;
  course.forgetStall ??= host.clock.after(host.stallMs, () => {
    course.forgetStall = undefined;
    if (course.stopped || course.ended || course.busy > 0 || course.waits.size > 0 || course.delivery().windowOpen)
      return;
    park(
      course,
      new TuttiError("FLOW_STALLED", "the flow neither ends nor waits for anything that Tutti knows", {
        hint: "It awaits something that is not durable (fetch, a timer, a promise that never settles). Put it into run.step(…).",
      }),
    );
  });
}

function toDivergence(course: Course, item: Delivered, asked: readonly string[]): TuttiError {
  const waits = [...course.waits].map((wait) => `a ${wait.kind}`).join(", ");
  const wanted = asked.length > 0 ? asked.join(", ") : course.ended ? "nothing more: it has ended" : waits;
  return new TuttiError(
    "FLOW_DIVERGED",
    `the ledger's next record is ${item.kind} ${item.key} (entry ${item.seq}); the code asks for ${wanted === "" ? "a new step" : wanted}`,
    {
      hint: "The flow's code changed while this run was open. Register the old version beside the new one, or fork the run.",
      facts: { seq: item.seq, recorded: item.key, asked: [...asked] },
    },
  );
}
