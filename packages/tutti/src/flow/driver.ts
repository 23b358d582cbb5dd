import type { Chance } from "../base/chance.ts";
import type { Clock } from "../base/clock.ts";
import type { TuttiError } from "../base/errors.ts";
import type { Contract, ToldPiece, Tool } from "../contracts/callable.ts";
import type { Capability } from "../contracts/capability.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import type { RunPermissions } from "../contracts/grant.ts";
import type { ApprovalId, EffectKey, RunId, StepKey } from "../contracts/ids.ts";
import type { Model } from "../contracts/model.ts";
import type { Policy } from "../contracts/policy.ts";
import type { Like, Precedent } from "../contracts/precedent.ts";
import type { EffectRecord } from "../contracts/run-record.ts";
import type { TeamVerbs } from "../contracts/run.ts";
import type { Topic } from "../contracts/topic.ts";
import type { Appended, NewEntry, Pace, RunLog } from "../ledger/ledger.ts";
import type { Protection, RunAdmission } from "./budget-levels.ts";
import type { Delivery } from "./delivery.ts";
import type { DocumentHost } from "./document-host.ts";
import type { Freezes } from "./freezes.ts";
import type { ApprovalHost } from "./govern/approval-host.ts";
import type { Votable } from "./govern/asking.ts";
import type { Autonomy } from "./govern/autonomy-host.ts";
import type { History } from "./history.ts";
import type { Labels } from "./labels.ts";
import type { Provenance } from "./provenance.ts";
import type { Directives } from "./run-directives.ts";
import type { RunDocuments } from "./run-documents.ts";
import type { Scope } from "./scope.ts";
import type { Signals } from "./signals.ts";

/** What the engine does for the runs of one flow that it drives. */
export interface DriverHost {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly stallMs: number;
  /** The deadline of a tool that declares none. */
  readonly toolTimeoutMs: number;
  readonly protection: Protection | undefined;
  /** The rules that everything is decided by, if there are any. */
  readonly policy: Policy | undefined;
  readonly approvals: ApprovalHost;
  /** What runs may do, by whom they are for and what they run. */
  readonly grants: Readonly<Record<string, RunPermissions>>;
  readonly trustDomain: string;
  signCapability(capability: Capability): Promise<string>;
  readonly autonomy: Autonomy;
  /** What people decided otherwise before, in cases like this one. */
  precedents(like: Like): Promise<readonly Precedent[]>;
  /** Tools that no flow names any more but whose undo may be needed. */
  readonly tools: readonly Tool[];
  /** The verbs that are made of the others. */
  readonly teams: TeamVerbs;
  readonly documents: DocumentHost;
  readonly freezes: Freezes;
  model(tier: string): Model;
  /** Delivers a signal to another run, once per id. */
  emit(to: RunId, signal: OutgoingSignal): Promise<void>;
  /** Publishes an event, once per id. */
  publish(topic: Topic, event: OutgoingEvent): Promise<unknown>;
  /** Notes that a step waits for one event more, once per step: it is then sent as a signal of the name `toEventSignal` gives. */
  awaitEvent(wanted: AwaitedEvent): Promise<void>;
  /** A child that was written down: drive it, and call `childSettled` on its parent's driver when it is over. */
  driveChild(child: RunId): void;
  /** How a child ended, if it has. */
  childOutcome(of: { readonly child: RunId; readonly parent: RunId }): Promise<ChildOutcome | undefined>;
  /** Resolves when the wish is durable, or the run has ended by itself. */
  cancelRun(run: RunId, reason: string): Promise<void>;
  findEffect(key: EffectKey): Promise<EffectRecord | undefined>;
  /** Calls `wake` when the effect's state may have changed. Returns the function that forgets it. */
  watchEffect(key: EffectKey, wake: () => void): () => void;
  effectChanged(key: EffectKey): void;
  /** The output recorded by the entry that settled an effect. */
  settledOutput(effect: EffectRecord): Promise<{ readonly output: unknown; readonly labels: Labels | undefined }>;
  stepStarted: ((run: RunId, step: StepKey, attempt: number) => void) | undefined;
  /** A run's entries so far, committed ones only. */
  readEntries(run: RunId): Promise<readonly LedgerEntry[]>;
  /** The code does something that has no effect, and its author should know. */
  warn(error: TuttiError): void;
  progress(run: RunId, step: StepKey, text: string): void;
  /** Where pieces of what a model is saying go, if somebody watches. */
  readonly tell?: ((run: RunId, agent: string, piece: ToldPiece) => void) | undefined;
  /** What its runs are for, as their flow says it. */
  readonly objective?: string | undefined;
  /** Everybody and everything that the engine knows. */
  team?(): readonly Contract[];
  /** The recorded part is used up, and nothing new has begun. A host that stops the driver here has only looked. */
  readonly onCaughtUp?: (asked: readonly string[]) => void;
  /** The run can't go on by itself just now. Called each time that it comes to rest. */
  onRest(driver: Driver): void;
  /** The driver lost its right to write, or the ledger stopped. */
  onAbandoned(driver: Driver, error: TuttiError): void;
  onParked(driver: Driver, error: TuttiError): void;
  /** The run has ended, durably. */
  onOver(driver: Driver, end: RunEnd): void;
}

export interface OutgoingSignal {
  readonly name: string;
  readonly payload: unknown;
  readonly id: string;
  readonly from: { readonly run: RunId; readonly step: StepKey };
  readonly labels?: Labels | undefined;
}

export interface OutgoingEvent {
  readonly payload: unknown;
  readonly id: string;
  readonly from?: { readonly run: RunId; readonly step: StepKey };
  readonly labels?: Labels | undefined;
}

export interface AwaitedEvent {
  readonly topic: string;
  /** Any event of the topic without one. */
  readonly key: string | undefined;
  readonly run: RunId;
  readonly step: StepKey;
  /** Earlier events do not count; milliseconds since 1970. */
  readonly since: number;
}

/** How a run ended. */
export type RunEnd = { readonly labels?: Labels | undefined } & (
  | { readonly kind: "done"; readonly output: unknown }
  | { readonly kind: "failed"; readonly error: TuttiError }
  | { readonly kind: "cancelled"; readonly reason: string }
);

export type ChildOutcome =
  | { readonly kind: "done"; readonly output: unknown; readonly labels: Labels | undefined }
  | { readonly kind: "failed"; readonly error: TuttiError; readonly labels: Labels | undefined };

/** What a person says about an effect that is in doubt. */
export type PersonsVerdict =
  | { readonly kind: "done"; readonly output?: unknown; readonly by: string; readonly note?: string }
  | { readonly kind: "not-done"; readonly by: string; readonly note?: string };

/** What a run at rest waits for. */
export type Wait =
  | { readonly kind: "timer"; readonly dueAt: number }
  | { readonly kind: "signal"; readonly name: string }
  | { readonly kind: "child"; readonly run: RunId }
  | { readonly kind: "effect"; readonly key: EffectKey }
  | { readonly kind: "doubt"; readonly key: EffectKey }
  /** People. Of its deadline there is a timer besides. */
  | { readonly kind: "approval"; readonly id: ApprovalId }
  /** For a person to lift a freeze. */
  | { readonly kind: "freeze" }
  /** For a person to hand an agent back. */
  | { readonly kind: "hand-back"; readonly agent: string };

/** How a verb is called, for people: as it is, or with the name that it was given. Said only when something is wrong. */
export type Verb = string | ((name: string) => string);

/** One run being driven in this process: everything that its verbs share. */
export interface Driver extends Provenance {
  readonly run: RunId;
  /** The run that this one's effect keys count for: itself, or what it was forked from. */
  readonly lineage: RunId;
  /** The runs that this one was started for, the nearest first. */
  readonly ancestors: readonly { readonly run: RunId; readonly flow: string }[];
  readonly log: RunLog;
  readonly history: History;
  readonly blobs: ReadonlyMap<string, string>;
  readonly delivery: Delivery;
  readonly host: DriverHost;
  readonly root: Scope;
  readonly signals: Signals;
  /** Ids of the signals that were received: the same id twice is one signal. */
  readonly signalIds: Set<string>;
  readonly admission: RunAdmission;
  readonly documents: RunDocuments;
  /** Nothing as long as the run has used no document. */
  readonly documentsInUse: RunDocuments | undefined;
  readonly directive: Directives;
  /** Nothing as long as nobody has given or asked for a directive. */
  readonly directiveInUse: Directives | undefined;
  readonly tools: Map<string, Tool>;
  readonly waits: ReadonlySet<Wait>;
  /** What this driver answered when it was asked for a patch for the first time. */
  readonly patches: Map<string, boolean>;
  /** Effects that were dispatched and have no outcome yet, by step. */
  readonly inFlight: Map<StepKey, Promise<void>>;
  /** Effects of which some attempt ended without anybody knowing what it did. */
  readonly doubtful: Set<StepKey>;
  /** Steps whose open intent was taken up in this process, whatever came of it. */
  readonly taken: Set<StepKey>;
  /** Effects that wait for a person, and how to tell them. */
  readonly doubts: Map<EffectKey, (verdict: PersonsVerdict) => void>;
  /** What people are asked, for what they say besides yes and no. */
  readonly votables: Map<ApprovalId, Votable>;
  /** Children that are awaited, and how to tell that one ended. */
  readonly children: Map<RunId, (outcome: ChildOutcome) => void>;
  /** Children that were started and are not known to have ended, with what becomes of them when this run ends. */
  readonly openChildren: Map<RunId, "cancel" | "keep">;
  /** Some effect is in flight, or was left open by a crash. */
  readonly hasOpenEffects: boolean;
  readonly hasOpenChildren: boolean;
  /** Work going on outside the flow's code: while there is some, the run is not at rest. */
  readonly busy: number;
  readonly stopped: boolean;
  /** Nothing new is started, because the run is being paused or the engine closed. */
  readonly halted: boolean;

  /** The key of the next step of this name. Parks the run if the code awaited something that is not durable. */
  enter(scope: Scope, name: string, verb: Verb): StepKey | undefined;
  begin(): void;
  finish(): void;
  /** Says what the run waits for; the returned function takes it back. */
  wait(wait: Wait): () => void;
  /** Calls `wake` at the given time; the returned function forgets it. */
  at(dueAt: number, wake: () => void): () => void;
  /** Calls `leave` when the run is being paused and when its driver is let go; the returned function forgets it. */
  whenLeft(leave: () => void): () => void;
  /** Appends. Never rejects: a refused append abandons the driver, and the promise stays pending. */
  append(entry: NewEntry): Promise<Appended>;
  /** Appends an entry and hands it to the flow's code in its turn: once it is durable if that is awaited, and at once if not. */
  hand(entry: NewEntry, pace: Pace, apply: () => void): void;
  /** For the end of something whose inside is recorded: lazy, unless a part that was promptly handed over is not on disk yet. */
  readonly endPace: Pace;
  /** Like `hand`, for an entry that the ledger may turn down: in its turn, `apply` gets the ledger's answer. */
  propose(entry: NewEntry, apply: (appended: Appended) => void): void;
  /** Like `hand`, for an entry that somebody outside wants to have written: rejects when it is refused. */
  accept(entry: NewEntry, apply: (seq: number) => void): Promise<void>;
  park(error: TuttiError, step?: StepKey): void;
  /** Appends the run's last entry and takes no other after it. Tells the host once it is durable. */
  end(entry: NewEntry, over: RunEnd): void;
  /** Hands nothing over any more and starts nothing; calls back once what is going on has come to its recorded end. */
  halt(onHalted: () => void): void;
  /** The flow's code has ended; what is still recorded must have been asked for. */
  ended(): void;
  /** Stops driving without a trace; the ledger knows the rest. */
  stop(): void;
}

/** Parts of a driver that are made on first use. */
export type LazyPart =
  | "signals"
  | "signalIds"
  | "admission"
  | "documents"
  | "directive"
  | "tools"
  | "patches"
  | "inFlight"
  | "taken"
  | "doubtful"
  | "doubts"
  | "votables"
  | "children"
  | "openChildren";
