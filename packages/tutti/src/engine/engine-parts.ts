import type { Chance } from "../base/chance.ts";
import type { Clock } from "../base/clock.ts";
import type { TuttiError } from "../base/errors.ts";
import type { ApprovalLadder, Person } from "../contracts/approval.ts";
import type { Contract, Tool } from "../contracts/callable.ts";
import type { RunPermissions } from "../contracts/grant.ts";
import type { ApprovalId, EffectKey, RunId } from "../contracts/ids.ts";
import type { Model } from "../contracts/model.ts";
import type { Policy } from "../contracts/policy.ts";
import type { RunRecord } from "../contracts/run-record.ts";
import type { Flow } from "../contracts/run.ts";
import type { Protection } from "../flow/budget-levels.ts";
import type { DocumentHost } from "../flow/document-host.ts";
import type { Driver, RunEnd } from "../flow/driver.ts";
import type { Claim, Ledger } from "../ledger/ledger.ts";
import type { EventPart } from "./events/events.ts";
import type { FreezeBook } from "./freezes.ts";
import type { OwnIdentity } from "./open-identity.ts";
import type { OversightBook } from "./oversight/oversight.ts";
import type { ReviewBook } from "./oversight/reviews.ts";
import type { PassingActivity } from "./tutti.ts";

/** What the parts of the engine share. */
export interface Engine {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly tools: readonly Tool[];
  readonly models: Readonly<Record<string, Model>>;
  readonly evictAfterMs: number;
  readonly stallMs: number;
  readonly toolTimeoutMs: number;
  readonly protection: Protection | undefined;
  readonly documents: DocumentHost;
  readonly policy: Policy | undefined;
  /** Who may decide what the policy or a flow asks. */
  readonly people: readonly Person[] | undefined;
  readonly ladders: Readonly<Record<string, ApprovalLadder>>;
  /** Calls `wake` when somebody has voted. Returns the function that forgets it. */
  readonly watchApproval: (id: ApprovalId, wake: () => void) => () => void;
  readonly approvalChanged: (id: ApprovalId) => void;
  readonly freezes: FreezeBook;
  /** What runs may do, by what they run and for whom. */
  readonly grants: Readonly<Record<string, RunPermissions>>;
  readonly identity: OwnIdentity;
  readonly oversight: OversightBook;
  readonly reviews: ReviewBook;
  /** The newest version of the directives of each run that has some. */
  readonly directiveVersions: Map<RunId, number>;
  /** Who sees what goes on and is not recorded. While there is nobody, nothing is made for them, and models are not asked to stream. */
  readonly watchers: Set<(activity: PassingActivity) => void>;
  findFlow(name: string, version: string): Flow | undefined;
  /** The contracts of everything that this engine was given. */
  team(): readonly Contract[];
  /** Topics and who reacts to them; loaded when they are first needed. */
  loadEvents(): Promise<EventPart>;
  /** Something failed that no caller waits for. */
  readonly onBackgroundError: (error: unknown) => void;
}

/** One run that this process is driving. */
export interface ActiveRun {
  readonly driver: Driver;
  readonly record: RunRecord;
}

/** What a run came to rest with, for those who wait for it. */
export type Rest =
  | { readonly kind: "over"; readonly end: RunEnd }
  | { readonly kind: "waiting" }
  /** It rested, was taken up again, and goes on. */
  | { readonly kind: "awake" }
  | { readonly kind: "parked"; readonly error: TuttiError }
  /** This process lost the run: its ledger stopped, or another driver took it over. */
  | { readonly kind: "lost"; readonly error: TuttiError };

/** The runs in memory: loads them from the ledger, lets them go when they rest, and wakes them when they are due. */
export interface ActiveRuns {
  find(run: RunId): ActiveRun | undefined;
  /** Those that are driven and were started for this one, however indirectly. */
  below(run: RunId): readonly ActiveRun[];
  /**
   * Drives the run if it can go on: it is open, neither paused nor parked, and its flow is registered. Where there is no slot for it, it is driven
   * as soon as there is one.
   */
  drive(run: RunId): Promise<ActiveRun | undefined>;
  /** Drives a run that this process has just started. */
  adopt(flow: Flow, claim: Claim): void;
  /** Calls back at the run's next rest; returns the function that forgets it. */
  onRest(run: RunId, listener: (rest: Rest) => void): () => void;
  /** Drives the run at that time. */
  wakeAt(run: RunId, dueAt: number): void;
  /** Does something to a run that nobody drives, and nobody does meanwhile. False: it is driven, and nothing was done. */
  aside(run: RunId, work: () => Promise<void>): Promise<boolean>;
  /** A run ended that nobody drove. */
  tellEnd(record: RunRecord, end: RunEnd): void;
  readonly watchEffect: (key: EffectKey, wake: () => void) => () => void;
  readonly effectChanged: (key: EffectKey) => void;
  tell(run: RunId, rest: Rest): void;
  /** Lets what is going on come to its recorded end, within the given time, and then drives nothing any more. */
  close(graceMs: number): Promise<void>;
  /** Lets a run go that was halted, or waits for a slot. */
  release(run: RunId): void;
}
