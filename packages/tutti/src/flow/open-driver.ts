import { isTuttiError, TuttiError, toStoredError, toTuttiError, withoutSecrets } from "../base/errors.ts";
import { knowsSecrets } from "../base/known-secrets.ts";
import { findExposure } from "../base/refuse-secrets.ts";
import type { Tool } from "../contracts/callable.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import { toStepKey, type StepKey } from "../contracts/ids.ts";
import type { Appended, AppendWaiter, NewEntry, Pace, RunLog } from "../ledger/ledger.ts";
import { refuseExposing } from "../ledger/refuse-exposing.ts";
import { openAdmission } from "./budget-levels.ts";
import {
  callerLine,
  openDelivery,
  toCalledAfterEnd,
  toNonDurableAwait,
  type Delivery,
  type DeliveryHost,
} from "./delivery.ts";
import { openDirectives } from "./directives.ts";
import { toUnaskedRecord } from "./divergence.ts";
import type { Driver, DriverHost, LazyPart, RunEnd, Verb, Wait } from "./driver.ts";
import { HandedEntry, type EntryHost } from "./handed-entry.ts";
import { readHistory, type Delivered, type History } from "./history.ts";
import { ProposedEntry } from "./proposed-entry.ts";
import { isRecognisable, noSteps, openProvenance, type Provenance } from "./provenance.ts";
import { handRecorded } from "./recorded.ts";
import { openRunDocuments } from "./run-documents.ts";
import { openScope, type Pending, type Scope } from "./scope.ts";
import { openSignals } from "./signals.ts";
import { toBody } from "./stored-value.ts";

export interface DriverStart {
  readonly log: RunLog;
  readonly entries: readonly LedgerEntry[];
  readonly blobs: ReadonlyMap<string, string>;
  readonly host: DriverHost;
}

const never = new Promise<never>(() => {});
const noWaits: ReadonlySet<Wait> = new Set();

/** Makes the driver of one run from its entries. Nothing happens before `runFlow`. */
export function openDriver(start: DriverStart): Driver {
  return new OpenDriver(start);
}

/** One object for each run that is driven. Most runs need few of the parts that a driver has, so those are made on first use. */
class OpenDriver implements Driver, EntryHost, DeliveryHost {
  readonly run: Driver["run"];
  readonly log: RunLog;
  readonly history: Driver["history"];
  readonly blobs: Driver["blobs"];
  readonly host: DriverHost;
  readonly root = openScope("", undefined);
  readonly delivery: Delivery;
  readonly hasPast: boolean;
  busy = 0;
  stopped = false;
  private isEnded = false;
  private waiting: Set<Wait> | undefined;
  private promptOnTheWay = 0;
  /** What is armed outside, and how to disarm it. */
  private timers: Set<() => void> | undefined;
  private leavers: Set<() => void> | undefined;
  private onHalted: (() => void) | undefined;
  private forgetStall: (() => void) | undefined;
  private provenance: Provenance | undefined;
  private parts: { -readonly [Name in LazyPart]?: Driver[Name] } = {};

  constructor({ log, entries, blobs, host }: DriverStart) {
    this.run = log.run;
    this.log = log;
    this.history = readHistory(entries);
    this.blobs = blobs;
    this.host = host;
    this.root.labels = this.history.started.labels;
    this.hasPast = entries.length > 1 || host.onCaughtUp !== undefined;
    this.delivery = openDelivery(this.history.order, this);
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
  get hasOpenEffects(): boolean {
    return this.history.openIntents.size > 0 || (this.parts.inFlight?.size ?? 0) > 0;
  }
  get hasOpenChildren(): boolean {
    return (this.parts.openChildren ?? this.history.openChildren).size > 0;
  }
  get waits(): ReadonlySet<Wait> {
    return this.waiting ?? noWaits;
  }
  get endPace(): Pace {
    return this.promptOnTheWay > 0 ? "awaited" : "lazy";
  }
  get halted(): boolean {
    return this.onHalted !== undefined;
  }

  produced(step: StepKey, output: unknown): void {
    if (isRecognisable(output)) (this.provenance ??= openProvenance()).produced(step, output);
  }
  usedBy(value: unknown): readonly StepKey[] {
    return this.provenance?.usedBy(value) ?? noSteps;
  }

  enter(scope: Scope, name: string, verb: Verb): StepKey | undefined {
    if (this.delivery.windowOpen && !this.isEnded && !scope.isClosed()) {
      const key = scope.nextKey(name);
      const exposure = knowsSecrets() ? findExposure(key, toText(verb, name)) : undefined;
      if (exposure === undefined) return key;
      this.park(exposure); // without its place, whose name may be what exposes it
      return undefined;
    }
    this.refuseEntry(scope, toText(verb, name));
    return undefined;
  }
  begin(): void {
    this.busy++;
  }
  finish(): void {
    this.busy--;
    if (this.busy > 0) return;
    if (this.onHalted !== undefined) this.onHalted();
    else if (this.delivery.idle) this.onQuiet();
  }
  wait(wait: Wait): () => void {
    const waiting = (this.waiting ??= new Set()).add(wait);
    return () => void waiting.delete(wait);
  }
  at(dueAt: number, wake: () => void): () => void {
    const { clock } = this.host;
    const release = this.wait({ kind: "timer", dueAt });
    const timers = (this.timers ??= new Set());
    const forget = (): void => {
      release();
      forgetTimer();
      timers.delete(forget);
    };
    const forgetTimer = clock.after(dueAt - clock.now(), () => {
      forget();
      if (!this.stopped) wake();
    });
    timers.add(forget);
    return forget;
  }
  whenLeft(leave: () => void): () => void {
    const leavers = (this.leavers ??= new Set()).add(leave);
    return () => void leavers.delete(leave);
  }
  append(entry: NewEntry): Promise<Appended> {
    if (this.stopped) return never;
    return this.log.append(entry).catch((error: unknown) => {
      this.abandon(error);
      return never;
    });
  }
  hand(entry: NewEntry, pace: Pace, apply: () => void): void {
    if (this.stopped) return;
    const handed = new HandedEntry(this, pace, apply);
    if (pace === "prompt") this.promptOnTheWay++;
    this.delivery.enqueue(handed);
    this.log.write(entry, handed, pace);
    if (pace !== "awaited") this.delivery.ready(handed);
  }
  propose(entry: NewEntry, apply: (appended: Appended) => void): void {
    if (this.stopped) return;
    const handed = new ProposedEntry(this, apply);
    this.delivery.enqueue(handed);
    this.log.write(entry, handed, "awaited");
  }
  accept(entry: NewEntry, apply: (seq: number) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      refuseExposing(entry); // the run has no part in what somebody outside sends it
      let seq = 0;
      const handed = new HandedEntry(this, "awaited", () => apply(seq));
      this.delivery.enqueue(handed);
      const onAppended = (appended: Appended): void => {
        if (appended.kind === "recorded") seq = appended.seq;
        handed.onAppended();
        resolve();
      };
      const onRefused = (error: TuttiError): void => {
        this.abandon(error);
        reject(error);
      };
      this.log.write(entry, { onAppended, onRefused }, "awaited");
    });
  }
  park(error: TuttiError, step?: StepKey): void {
    if (this.stopped) return;
    const { host } = this;
    const body = toBody({ error: toStoredError(error), ...(step === undefined || step === "" ? {} : { step }) });
    const waiter: AppendWaiter = {
      onAppended: () => host.onParked(this, withoutSecrets(error)),
      onRefused: (failure) => host.onAbandoned(this, failure),
    };
    this.log.write({ kind: "run-parked", key: "", body, status: "parked" }, waiter, "awaited");
    this.stop();
  }
  end(entry: NewEntry, over: RunEnd): void {
    if (this.stopped) return;
    const { host } = this;
    const waiter: AppendWaiter = {
      onAppended: () => host.onOver(this, over),
      onRefused: (error) => host.onAbandoned(this, error),
    };
    this.log.write(entry, waiter, "awaited");
    this.stop();
  }
  halt(onHalted: () => void): void {
    const earlier = this.onHalted;
    this.onHalted = earlier === undefined ? onHalted : () => [earlier, onHalted].forEach((tell) => tell());
    this.delivery.halt();
    this.disarm();
    // In an open window the code may still begin something, unless its run is over.
    if (this.stopped || (this.busy === 0 && !this.delivery.windowOpen)) onHalted();
  }
  ended(): void {
    this.isEnded = true;
  }
  stop(): void {
    this.stopped = true;
    this.forgetStall?.();
    this.disarm();
    this.delivery.stop();
  }

  // What the delivery asks of whoever owns it.

  apply(item: Delivered, asked: Pending | undefined): void {
    handRecorded(this, item, asked);
  }
  isAbandoned(key: string): boolean {
    return this.root.isCancelled(key);
  }
  isBlocked(): boolean {
    return this.isEnded || this.waits.size > 0;
  }
  onDiverged(item: Delivered, asked: readonly string[]): void {
    this.park(toUnaskedRecord(item, { ended: this.isEnded, waits: this.waits, asked }), toStepKey(item.key));
  }
  onCaughtUp(asked: readonly string[]): void {
    this.host.onCaughtUp?.(asked);
  }
  onQuiet(): void {
    if (this.busy > 0 || this.stopped) return;
    if (this.onHalted !== undefined) this.onHalted();
    else if (this.waits.size > 0) this.host.onRest(this);
    else if (!this.isEnded) this.watchStall();
  }

  onCaughtUpWith({ pace }: HandedEntry): void {
    if (pace === "prompt") this.promptOnTheWay--;
  }

  /** The log refused an entry: this driver has no say in the run any more, or the run may not go on as it would. */
  abandon(error: unknown): void {
    if (isTuttiError(error) && error.code === "SECRET_EXPOSED") {
      this.park(error);
    } else if (!this.stopped) {
      this.stop();
      this.host.onAbandoned(this, toTuttiError(error, "BUG"));
    }
  }

  private disarm(): void {
    this.timers?.forEach((forget) => forget());
    this.leavers?.forEach((leave) => leave());
  }

  private refuseEntry(scope: Scope, called: string): void {
    const line = callerLine(new Error(called).stack);
    if (this.isEnded || scope.isClosed()) {
      // A branch that lost a race goes on until its next verb, and stops there. Anything else is a call from outside.
      if (!this.delivery.windowOpen) this.host.warn(toCalledAfterEnd(called, line));
      return;
    }
    this.park(toNonDurableAwait(called, line), toStepKey(scope.path));
  }

  // Not a heuristic about order: the code is quiet, nothing is outstanding, so only the outside world could still move it.
  private watchStall(): void {
    const { host } = this;
    this.forgetStall ??= host.clock.after(host.stallMs, () => {
      this.forgetStall = undefined;
      if (this.stopped || this.isEnded || this.busy > 0 || this.waits.size > 0 || !this.delivery.idle) return;
      this.park(
        new TuttiError("FLOW_STALLED", "the flow neither ends nor waits for anything that Tutti knows", {
          hint: "It awaits something that is not durable (fetch, a timer, a promise that never settles). Put it into run.step(…).",
        }),
      );
    });
  }
}

function findDoubtful({ openIntents }: History): Set<StepKey> {
  const doubtful = [...openIntents.values()].filter((intent) => intent.doubtful);
  return new Set(doubtful.map((intent) => toStepKey(intent.key)));
}

function toText(verb: Verb, name: string): string {
  return typeof verb === "string" ? verb : verb(name);
}
