import { isTuttiError, TuttiError, toStoredError, toTuttiError, withoutSecrets } from "../base/errors.ts";
import { knowsSecrets } from "../base/known-secrets.ts";
import { findExposure } from "../base/refuse-secrets.ts";
import type { Tool } from "../contracts/callable.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import { toStepKey, type StepKey } from "../contracts/ids.ts";
import type { Appended, NewEntry, RunLog } from "../ledger/ledger.ts";
import { refuseExposing } from "../ledger/refuse-exposing.ts";
import { openAdmission } from "./budget-levels.ts";
import { callerLine, openDelivery, toCalledAfterEnd, toNonDurableAwait, type Delivery } from "./delivery.ts";
import { openDirectives } from "./directives.ts";
import { toUnaskedRecord } from "./divergence.ts";
import type { Driver, DriverHost, LazyPart, Verb, Wait } from "./driver.ts";
import { HandedEntry, type EntryHost } from "./handed-entry.ts";
import { readHistory, type History } from "./history.ts";
import { ProposedEntry } from "./proposed-entry.ts";
import { openProvenance } from "./provenance.ts";
import { handRecorded } from "./recorded.ts";
import { openRunDocuments } from "./run-documents.ts";
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
interface Course extends EntryHost {
  readonly log: RunLog;
  readonly host: DriverHost;
  readonly waits: Set<Wait>;
  /** What is armed outside, and how to disarm it. */
  readonly timers: Set<() => void>;
  leavers: Set<() => void> | undefined;
  busy: number;
  stopped: boolean;
  ended: boolean;
  onHalted: (() => void) | undefined;
  forgetStall: (() => void) | undefined;
}

const never = new Promise<never>(() => {});

/** Makes the driver of one run from its entries. Nothing happens before `runFlow`. */
export function openDriver(start: DriverStart): Driver {
  return new OpenDriver(start);
}

/** Most runs need few of the parts that a driver has, so those are made on first use. */
class OpenDriver implements Driver {
  readonly run: Driver["run"];
  readonly log: RunLog;
  readonly history: Driver["history"];
  readonly blobs: Driver["blobs"];
  readonly host: DriverHost;
  readonly root = openScope("", undefined);
  readonly delivery: Delivery;
  readonly waits: ReadonlySet<Wait>;
  readonly append: Driver["append"];
  private readonly course: Course;
  private readonly parts: { -readonly [Name in LazyPart]?: Driver[Name] } = {};

  constructor({ log, entries, blobs, host }: DriverStart) {
    this.run = log.run;
    this.log = log;
    this.history = readHistory(entries);
    this.blobs = blobs;
    this.host = host;
    this.root.labels = this.history.started.labels;
    const course: Course = {
      log,
      host,
      waits: new Set(),
      timers: new Set(),
      delivery: () => this.delivery,
      abandon: (error) => void abandon(course, error),
      busy: 0,
      stopped: false,
      ended: false,
      onHalted: undefined,
      forgetStall: undefined,
      leavers: undefined,
    };
    this.course = course;
    this.waits = course.waits;
    this.append = (entry) =>
      course.stopped ? never : log.append(entry).catch((error: unknown) => abandon(course, error));
    this.delivery = openDelivery(this.history.order, {
      apply: (item, asked) => handRecorded(this, item, asked),
      isAbandoned: (key) => this.root.isCancelled(key),
      isBlocked: () => course.ended || course.waits.size > 0,
      onDiverged: (item, asked) => park(course, toUnaskedRecord(item, { ...course, asked }), toStepKey(item.key)),
      onQuiet: () => onQuiet(course),
      onCaughtUp: host.onCaughtUp,
      hasPast: entries.length > 1 || host.onCaughtUp !== undefined,
    });
  }

  get lineage(): Driver["lineage"] {
    return this.history.started.forkedFrom?.lineage ?? this.run;
  }
  get ancestors(): Driver["ancestors"] {
    return this.history.started.ancestors ?? [];
  }
  get signals(): Driver["signals"] {
    return (this.parts.signals ??= openSignals());
  }
  get signalIds(): Driver["signalIds"] {
    return (this.parts.signalIds ??= new Set(this.history.signalIds));
  }
  get provenance(): Driver["provenance"] {
    return (this.parts.provenance ??= openProvenance());
  }
  get admission(): Driver["admission"] {
    const { host, run, history } = this;
    return (this.parts.admission ??= openAdmission(host.protection, { run, ...history.started }));
  }
  get documents(): Driver["documents"] {
    return (this.parts.documents ??= openRunDocuments());
  }
  get documentsInUse(): Driver["documentsInUse"] {
    return this.parts.documents;
  }
  get directive(): Driver["directive"] {
    return (this.parts.directive ??= openDirectives(this));
  }
  get directiveInUse(): Driver["directiveInUse"] {
    return this.parts.directive;
  }
  get tools(): Driver["tools"] {
    return (this.parts.tools ??= new Map(this.host.tools.map((tool: Tool) => [tool.name, tool])));
  }
  get patches(): Driver["patches"] {
    return (this.parts.patches ??= new Map());
  }
  get inFlight(): Driver["inFlight"] {
    return (this.parts.inFlight ??= new Map());
  }
  get taken(): Driver["taken"] {
    return (this.parts.taken ??= new Set());
  }
  get doubtful(): Driver["doubtful"] {
    return (this.parts.doubtful ??= findDoubtful(this.history));
  }
  get doubts(): Driver["doubts"] {
    return (this.parts.doubts ??= new Map());
  }
  get votables(): Driver["votables"] {
    return (this.parts.votables ??= new Map());
  }
  get children(): Driver["children"] {
    return (this.parts.children ??= new Map());
  }
  get openChildren(): Driver["openChildren"] {
    return (this.parts.openChildren ??= new Map(this.history.openChildren));
  }
  get busy(): number {
    return this.course.busy;
  }
  get stopped(): boolean {
    return this.course.stopped;
  }
  get halted(): boolean {
    return this.course.onHalted !== undefined;
  }

  enter(scope: Scope, name: string, verb: Verb): StepKey | undefined {
    const { course } = this;
    if (this.delivery.windowOpen && !course.ended && !scope.isClosed()) {
      const key = scope.nextKey(name);
      const exposure = knowsSecrets() ? findExposure(key, toText(verb, name)) : undefined;
      if (exposure === undefined) return key;
      park(course, exposure); // without its place, whose name may be what exposes it
      return undefined;
    }
    refuseEntry(course, { scope, name, verb });
    return undefined;
  }
  begin(): void {
    this.course.busy++;
  }
  finish(): void {
    finish(this.course);
  }
  wait(wait: Wait): () => void {
    return addWait(this.course, wait);
  }
  at(dueAt: number, wake: () => void): () => void {
    return setTimer(this.course, dueAt, wake);
  }
  whenLeft(leave: () => void): () => void {
    return addLeaver(this.course, leave);
  }
  hand(entry: NewEntry, ahead: boolean, apply: () => void): void {
    if (this.course.stopped) return;
    const handed = new HandedEntry(this.course, apply);
    this.delivery.enqueue(handed);
    this.log.write(entry, handed, ahead);
    if (ahead) this.delivery.ready(handed);
  }
  propose(entry: NewEntry, apply: (appended: Appended) => void): void {
    if (this.course.stopped) return;
    const handed = new ProposedEntry(this.course, apply);
    this.delivery.enqueue(handed);
    this.log.write(entry, handed, false);
  }
  accept(entry: NewEntry, apply: (seq: number) => void): Promise<void> {
    return accept(this.course, entry, apply);
  }
  park(error: TuttiError, step?: StepKey): void {
    park(this.course, error, step);
  }
  end(entry: NewEntry): ReturnType<Driver["end"]> {
    return endRun(this.course, entry);
  }
  halt(onHalted: () => void): void {
    halt(this.course, onHalted);
  }
  ended(): void {
    this.course.ended = true;
  }
  stop(): void {
    stop(this.course);
  }
}

function findDoubtful({ openIntents }: History): Set<StepKey> {
  const doubtful = [...openIntents.values()].filter((intent) => intent.doubtful);
  return new Set(doubtful.map((intent) => toStepKey(intent.key)));
}

function addLeaver(course: Course, leave: () => void): () => void {
  const leavers = (course.leavers ??= new Set()).add(leave);
  return () => void leavers.delete(leave);
}

interface Entering {
  readonly scope: Scope;
  readonly name: string;
  readonly verb: Verb;
}

function toText(verb: Verb, name: string): string {
  return typeof verb === "string" ? verb : verb(name);
}

function refuseEntry(course: Course, { scope, name, verb }: Entering): void {
  const called = toText(verb, name);
  const line = callerLine(new Error(called).stack);
  if (course.ended || scope.isClosed()) {
    // A branch that lost a race goes on until its next verb, and stops there. Anything else is a call from outside.
    if (!course.delivery().windowOpen) course.host.warn(toCalledAfterEnd(called, line));
    return;
  }
  park(course, toNonDurableAwait(called, line), toStepKey(scope.path));
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

async function accept(course: Course, entry: NewEntry, apply: (seq: number) => void): Promise<void> {
  refuseExposing(entry); // the run has no part in what somebody outside sends it
  let seq = 0;
  const handed = new HandedEntry(course, () => apply(seq));
  course.delivery().enqueue(handed);
  try {
    const appended = await course.log.append(entry);
    if (appended.kind === "recorded") seq = appended.seq;
    handed.onAppended();
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
  const earlier = course.onHalted;
  course.onHalted = earlier === undefined ? onHalted : () => [earlier, onHalted].forEach((tell) => tell());
  course.delivery().halt();
  for (const forget of course.timers) forget();
  for (const leave of course.leavers ?? []) leave();
  // In an open window the code may still begin something, unless its run is over.
  if (course.stopped || (course.busy === 0 && !course.delivery().windowOpen)) onHalted();
}

function stop(course: Course): void {
  course.stopped = true;
  course.forgetStall?.();
  for (const forget of course.timers) forget();
  for (const leave of course.leavers ?? []) leave();
  course.delivery().stop();
}

function onQuiet(course: Course): void {
  if (course.busy > 0 || course.stopped) return;
  if (course.onHalted !== undefined) course.onHalted();
  else if (course.waits.size > 0) course.host.onRest();
  else if (!course.ended) watchStall(course);
}

// Not a heuristic about order: the code is quiet, nothing is outstanding, so only the outside world could still move it.
function watchStall(course: Course): void {
  const { host } = course;
  course.forgetStall ??= host.clock.after(host.stallMs, () => {
    course.forgetStall = undefined;
    if (course.stopped || course.ended || course.busy > 0 || course.waits.size > 0 || !course.delivery().idle) return;
    park(
      course,
      new TuttiError("FLOW_STALLED", "the flow neither ends nor waits for anything that Tutti knows", {
        hint: "It awaits something that is not durable (fetch, a timer, a promise that never settles). Put it into run.step(…).",
      }),
    );
  });
}
