import type { Chance } from "../base/chance.ts";
import type { Clock } from "../base/clock.ts";
import type { TuttiError } from "../base/errors.ts";
import type { ApprovalLadder, ApprovalRecord, Person } from "../contracts/approval.ts";
import type { AccountRecord, Budget } from "../contracts/budget.ts";
import type { Tool } from "../contracts/callable.ts";
import type { Directed, Directive } from "../contracts/directive.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import type { Freeze, FreezeTarget } from "../contracts/freeze.ts";
import type { RunPermissions } from "../contracts/grant.ts";
import type { EffectKey, RunId, StepKey } from "../contracts/ids.ts";
import type { Model } from "../contracts/model.ts";
import type { Policy } from "../contracts/policy.ts";
import type { EffectRecord, Priority, RunRecord } from "../contracts/run-record.ts";
import type { Agent, Flow, SignalOf } from "../contracts/run.ts";
import type { ToolServer } from "../contracts/tool-server.ts";
import type { Published, Topic } from "../contracts/topic.ts";
import type { AccountFilter, Durability, Ledger, RunFilter } from "../ledger/ledger.ts";
import type { LimitTable } from "../limits/limit.ts";
import type { SlotUse } from "../limits/slot-use.ts";
import type { Events } from "./events/events.ts";
import type { Subscription } from "./events/subscription.ts";
import type { Person as Speaker } from "./freezes.ts";
import type { Approvals } from "./inbox.ts";
import type { SharedDocuments } from "./open-documents.ts";
import type { Identity } from "./open-identity.ts";
import type { AutonomyDesk, Overrides } from "./oversight/oversight.ts";
import type { Reviews } from "./oversight/reviews.ts";
import type { Schedule } from "./schedules/schedule.ts";
import type { Schedules } from "./schedules/schedules.ts";
import type { TelemetryOptions } from "./telemetry/open-telemetry.ts";

export interface TuttiOptions {
  /** Every flow that this process can drive, old versions included. */
  readonly flows: readonly Flow[];
  /** What `tutti tool` lists, shows and calls, what agents should know of, and tools whose undo may be needed although no flow names them any more. */
  readonly tools?: readonly Tool[];
  /** Servers of more tools, closed with the engine. They are reached by whoever opens them: a flow's file, or `tutti tool`. */
  readonly servers?: readonly ToolServer[];
  /** Agents that others should know of: each agent is told who else can do what. */
  readonly agents?: readonly Agent[];
  /** Models by tier: `fast`, `balanced`, `deep`, or names of your own. */
  readonly models?: Readonly<Record<string, Model>>;
  /** A SQLite file (made if missing; ".tutti/ledger.db" by default), or an opened ledger, which is then closed with the engine. */
  readonly ledger?: string | Ledger;
  /** `power` (default): what was acknowledged survives a power cut. `process`: the death of the process. */
  readonly durability?: Durability;
  /** Flows that react to topics. Their flows need not be named again. */
  readonly on?: readonly Subscription[];
  /** Flows that are started by the clock. */
  readonly schedules?: readonly Schedule[];
  /** What may be spent, by account: `tenant/acme`, `flow/brief`; `tenant/*`, `flow/*`, `run/*` for each one that is not named. */
  readonly budgets?: Readonly<Record<string, Budget>>;
  /** How many calls at once, how fast, and when to leave alone what fails, by `tool/<name>`, `model/<provider>`, `tenant/<name>`, `flow/<name>` and `agent/<name>`. */
  readonly limits?: LimitTable;
  /** Rules that everything is decided by before it happens. Without one everything is allowed. */
  readonly policy?: Policy;
  /** Who may decide what the policy or a flow asks. Without it anybody may, but nobody has a role. */
  readonly people?: readonly Person[];
  /** Who is asked, how long they have, and what happens then: by `tool/<name>`, `rule/<id>`, `role/<role>`, or `*`. */
  readonly approvals?: Readonly<Record<string, ApprovalLadder>>;
  /** What runs may do at most, by `flow/<name>`, `person/<name>` (who starts it), `tenant/<name>`, and `*` for all; each that fits counts. */
  readonly grants?: Readonly<Record<string, RunPermissions>>;
  /**
   * In whose name agents act, and where the keys are that sign what tools may show: by default `tutti.local`, and a file beside the ledger. A
   * ledger that was opened elsewhere has none: then keys last as long as the engine.
   */
  readonly identity?: { readonly trustDomain?: string; readonly keyFile?: string };
  /** How long an attempt of a tool may take that declares no `timeoutMs`; 15 minutes by default. */
  readonly toolTimeoutMs?: number;
  /** Continue open runs at once (default). Without it they go on when they are asked for. */
  readonly recover?: boolean;
  /** Lets `tutti signal`, `cancel` and so on reach this engine from other processes of the same user, over the loopback address. True by default; only for a ledger given as a file. */
  readonly control?: boolean;
  /** Where traces go, in the background, and who is told when something is wrong. */
  readonly telemetry?: TelemetryOptions;
  readonly clock?: Clock;
  readonly chance?: Chance;
  /** Called for everything that happens, recorded or not. Must not throw. Models are then asked to tell what they say while they say it. */
  readonly onActivity?: (activity: Activity) => void;
}

/**
 * What a project's `tutti.config.ts` exports as `config`: what its flows are run with, said once. Every part is optional.
 * A program passes it on: `openTutti({ flows, ...config })`.
 */
export type TuttiConfig = Pick<
  TuttiOptions,
  | "models"
  | "tools"
  | "servers"
  | "limits"
  | "budgets"
  | "policy"
  | "people"
  | "approvals"
  | "grants"
  | "identity"
  | "telemetry"
>;

/** What a watcher sees. Entries are in the ledger; the rest is for the eyes only. */
export type Activity = { readonly kind: "entry"; readonly entry: LedgerEntry } | PassingActivity;

/** What goes on now and is never stored. */
export type PassingActivity =
  | {
      readonly kind: "step-started";
      readonly run: RunId;
      readonly step: StepKey;
      readonly at: number;
      readonly attempt: number;
    }
  | {
      readonly kind: "progress";
      readonly run: RunId;
      readonly step: StepKey;
      readonly at: number;
      readonly text: string;
    }
  | {
      /** A piece of what an agent's model is saying, while it says it. A new attempt says everything anew. */
      readonly kind: "delta";
      readonly run: RunId;
      readonly step: StepKey;
      readonly at: number;
      readonly agent: string;
      readonly attempt: number;
      readonly text: string;
      /** Set when the text is a piece of the input of a call to this tool. */
      readonly tool?: string;
    };

export interface StartOptions {
  /** The run's id; a random one by default. Starting the same id again finds the first run. */
  readonly id?: string;
  /** Starts with one key are one run. */
  readonly key?: string;
  /** How long the key counts, from the first start; for ever by default. */
  readonly windowMs?: number;
  /** For whom: limits and budgets count by it, and children and forks keep it. */
  readonly tenant?: string;
  /** What the run may spend, with its children. */
  readonly budget?: Budget;
  /** Whom the run is about: its data, and that of its children and forks, is stored sealed with a key that `erase` destroys. */
  readonly subject?: string;
  /** Trust and data classes of the input, as tools declare theirs: `untrusted`, `personal`, words of your own. */
  readonly labels?: readonly string[];
  /** The person who starts it: a rule may ask for somebody else's yes. */
  readonly by?: string;
  /** Who goes first where runs or their calls wait: `high` before `normal` (the default) before `low`. Children and forks keep it. */
  readonly priority?: Priority;
}

/** An engine over one ledger: starts runs, drives them, brings them back after a crash. */
export interface Tutti {
  /** Starts a run and waits for its output. @throws what the flow threw, or RUN_CANCELLED; RUN_WAITS is not thrown, it waits. */
  run<Input, Output>(flow: Flow<Input, Output>, input: NoInfer<Input>, options?: StartOptions): Promise<Output>;
  /** Starts a run; resolves when the start is durable. */
  start<Input, Output>(
    flow: Flow<Input, Output>,
    input: NoInfer<Input>,
    options?: StartOptions,
  ): Promise<RunHandle<Output>>;
  /** A handle on a run that exists, whoever started it. @throws RUN_UNKNOWN */
  open(run: string): Promise<RunHandle>;
  /**
   * Publishes an event. The same `id` twice is one event. Resolves when it is durable.
   * @throws INPUT_INVALID, EVENT_UNUSABLE, VALUE_NOT_STORABLE, SECRET_EXPOSED
   */
  publish<Payload>(
    topic: Topic<Payload>,
    payload: NoInfer<Payload>,
    options?: { readonly id?: string | undefined },
  ): Promise<Published>;
  readonly events: Events;
  readonly schedules: Schedules;
  runs(filter?: RunFilter): Promise<readonly RunRecord[]>;
  /**
   * Destroys the key of a subject, and with it the data of every run about it; the entries, their chain and their proofs stay. Resolves when
   * the key is gone. @throws INPUT_INVALID if nothing is kept about it
   */
  erase(subject: string, by: string): Promise<void>;
  /** What accounts may spend, have spent and have reserved; those that something was reserved in. */
  accounts(filter?: AccountFilter): Promise<readonly AccountRecord[]>;
  /**
   * Nothing in its reach is begun any more: no question to a model, no step, no call of a tool. What is going on comes to its recorded end.
   * In force when it resolves, and after a restart. @throws INPUT_INVALID
   */
  freeze(target: FreezeTarget, person: Speaker): Promise<void>;
  /** What was frozen goes on by itself. @throws INPUT_INVALID when it is not frozen */
  unfreeze(target: FreezeTarget, person: Speaker): Promise<void>;
  /** What is frozen, by whom and why; the oldest first. */
  freezes(): readonly Freeze[];
  /**
   * Tells what goes on and is not recorded, from now on: steps that begin, progress, the words of models. What is called must not throw.
   * Returns the function that ends it.
   */
  watch(watcher: (activity: PassingActivity) => void): () => void;
  /** What of the limits is in use in this process now, and how many wait, by priority and tenant. */
  slots(): readonly SlotUse[];
  /** The limits that a run waits for now: for a slot of its own, or with its calls. */
  waitsFor(run: string): readonly string[];
  /** Effects whose outcome nobody knows, for a person to settle. */
  inDoubt(): Promise<readonly EffectRecord[]>;
  /** A person says whether an effect happened. `done` may bring the output that the tool would have returned. @throws EFFECT_UNKNOWN */
  settle(effect: EffectKey, verdict: Verdict): Promise<void>;
  readonly identity: Identity;
  readonly documents: SharedDocuments;
  readonly approvals: Approvals;
  readonly autonomy: AutonomyDesk;
  readonly overrides: Overrides;
  readonly reviews: Reviews;
  readonly ledger: Ledger;
  /** Stops driving (open runs stay open in the ledger) and closes the ledger. */
  close(): Promise<void>;
}

export type Verdict =
  | { readonly kind: "done"; readonly output?: unknown; readonly by: string; readonly note?: string }
  | { readonly kind: "not-done"; readonly by: string; readonly note?: string };

export interface RunHandle<Output = unknown> {
  readonly id: RunId;
  /** Resolves with the output when the run is done, however often it waits or crashes before. @throws what made it fail */
  result(): Promise<Output>;
  /** Resolves as soon as the run comes to rest: over, paused, in doubt, parked, or waiting, be it only for a time. */
  settled(): Promise<RunState<Output>>;
  state(): Promise<RunState<Output>>;
  entries(): Promise<readonly LedgerEntry[]>;
  /** Delivers a signal. The same `id` twice is one signal. Resolves when it is durable. @throws RUN_OVER */
  signal<Payload>(
    signal: SignalOf<Payload>,
    payload: NoInfer<Payload>,
    options?: { readonly id?: string },
  ): Promise<void>;
  cancel(reason?: string, by?: string): Promise<void>;
  pause(by?: string): Promise<void>;
  /** Goes on after a pause, and tries again what is parked. */
  resume(by?: string): Promise<void>;
  /**
   * Gives the run, and everything that it started, a person's directive. Resolves when it is durable; from then on no agent acts under an
   * older one. @throws INPUT_INVALID, RUN_OVER
   */
  steer(directive: Directive, person: Speaker): Promise<Directed>;
  /** Takes back what a run did that failed or was cancelled or stopped, as far as its tools can. Resolves when that is recorded. @throws INPUT_INVALID, FLOW_UNKNOWN */
  undo(person: Speaker): Promise<void>;
  /** A new run that shares this one's past before `step`, and may see another output there, or be given another input. `by`: who wants it. */
  fork(
    step: StepKey,
    edit?: ForkEdit,
    options?: { readonly id?: string; readonly by?: string },
  ): Promise<RunHandle<Output>>;
}

export type ForkEdit = { readonly output: unknown } | { readonly input: unknown };

/** A run stands in exactly one of these. */
export type RunState<Output = unknown> =
  | { readonly kind: "running" }
  | {
      readonly kind: "waiting";
      readonly untilMs: number | undefined;
      readonly signals: readonly string[];
      /** Agents that a person has taken over, and whose result is waited for. */
      readonly takenOver?: readonly string[];
      /** The limit whose slot it waits for, such as `tenant/acme`: it begins, or goes on, by itself. */
      readonly slot?: string;
    }
  /** For people; with a time, if one of its waits has one. */
  | { readonly kind: "asking"; readonly untilMs: number | undefined; readonly approvals: readonly ApprovalRecord[] }
  | { readonly kind: "paused" }
  /** It rests because of a freeze, and goes on by itself when that is lifted. */
  | { readonly kind: "frozen"; readonly freeze: Freeze }
  | { readonly kind: "in-doubt"; readonly effects: readonly EffectRecord[] }
  | { readonly kind: "parked"; readonly error: TuttiError }
  | { readonly kind: "done"; readonly output: Output }
  | { readonly kind: "failed"; readonly error: TuttiError }
  | { readonly kind: "cancelled"; readonly reason: string };
