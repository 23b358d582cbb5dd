import type {
  Agreement,
  FieldRule,
  Judgement,
  JudgedQuestion,
  OtherAnswer,
  Reviewed,
  ReviewVerdict,
  Split,
} from "./agreement.ts";
import type { ApproveOptions, AskOptions, Decided } from "./approval.ts";
import type { Budget } from "./budget.ts";
import type { Acted, ActHost, Retry, Tool } from "./callable.ts";
import type { DirectiveState } from "./directive.ts";
import type { DocumentHandle, DocumentType, Refreshed } from "./document.ts";
import type { BodyOf, LedgerEntry, RecordKind } from "./entry.ts";
import type { Permissions } from "./grant.ts";
import type { RunId, StepKey } from "./ids.ts";
import type { Outcome, Result } from "./outcome.ts";
import type { Schema } from "./schema.ts";
import type { Guarantee, Precondition, Terms } from "./terms.ts";
import type { Topic } from "./topic.ts";

/** What a flow writes against. Every verb is durable: after a crash it answers from the ledger. */
export interface Run {
  readonly id: RunId;
  /** Where in the run this handle stands; the root is "". */
  readonly path: string;
  /** Aborts when this run or branch is cancelled. */
  readonly signal: AbortSignal;

  /** Calls a tool, an agent or another flow and returns its output, checked against its schema. */
  call<Input, Output>(callable: Callable<Input, Output>, input: NoInfer<Input>, options?: CallOptions): Promise<Output>;
  /** Like `call`, with confidence, evidence, usage and the step's id. */
  result<Input, Output>(
    callable: Callable<Input, Output>,
    input: NoInfer<Input>,
    options?: CallOptions,
  ): Promise<Result<Output>>;
  /** A named closure whose result is recorded. It may run again if the process dies before that; it is never run again after. */
  step<Output>(
    name: string,
    work: (host: StepHost) => Output | Promise<Output>,
    options?: StepOptions,
  ): Promise<Output>;
  /** A named part of the flow. Once closed it replays as one record. */
  scope<Output>(name: string, body: (run: Run) => Promise<Output>): Promise<Output>;

  /** Runs named branches in parallel. By default all must succeed; the first failure cancels the others. */
  all<Branches extends BranchMap>(
    branches: Branches,
    options?: { readonly name?: string; readonly need?: "all"; readonly siblings?: Siblings },
  ): Promise<OutputsOf<Branches>>;
  /** With another `need`, each branch's outcome by name. Throws BRANCHES_FAILED when the need is not met. */
  all<Branches extends BranchMap>(branches: Branches, options: FanOut): Promise<OutcomesOf<Branches>>;
  /** Runs `body` for every item, at most `concurrency` at a time. Returns the outputs that succeeded, in the items' order, with every outcome beside them. */
  map<Item, Output>(
    items: readonly Item[],
    body: (run: Run, item: Item, index: number) => Promise<Output>,
    options?: FanOut & { readonly concurrency?: number },
  ): Promise<Joined<Output>>;
  /** The first branch that settles wins; the others are cancelled. */
  race<Branches extends BranchMap>(
    branches: Branches,
    options?: { readonly name?: string },
  ): Promise<WinnerOf<Branches>>;

  /** Waits for a duration in milliseconds, or until a moment. Of any length: a waiting run costs no memory. */
  sleep(until: number | Date): Promise<void>;
  /** Waits for a signal. Signals that came earlier are kept until somebody waits. */
  wait<Payload>(signal: SignalOf<Payload>): Promise<Payload>;
  /** Like `wait`; `undefined` when the time is over. */
  wait<Payload>(signal: SignalOf<Payload>, options: { readonly timeoutMs: number }): Promise<Payload | undefined>;
  /** Sends a signal to another run, exactly once. */
  emit<Payload>(to: RunId, signal: SignalOf<Payload>, payload: NoInfer<Payload>): Promise<void>;
  /** Waits for the next event of a topic, with this key if one is given. Those since the run's start count, each once. */
  wait<Payload>(topic: Topic<Payload>, options?: { readonly key?: string }): Promise<Payload>;
  /** The same; `undefined` when the time is over. */
  wait<Payload>(
    topic: Topic<Payload>,
    options: { readonly key?: string; readonly timeoutMs: number },
  ): Promise<Payload | undefined>;
  /** Publishes an event, exactly once. Resolves when it is durable. */
  publish<Payload>(topic: Topic<Payload>, payload: NoInfer<Payload>): Promise<void>;
  /** Starts another flow and goes on; await `result()` when it is needed. `run.call(flow, input)` starts and waits. */
  child<Input, Output>(
    flow: Flow<Input, Output>,
    input: NoInfer<Input>,
    options?: ChildOptions,
  ): Promise<ChildRun<Output>>;

  /**
   * Several answer one question, and a declared rule makes one answer of theirs. Who dissents is kept, in the result and in the ledger.
   * @throws TuttiError AGREEMENT_SPLIT when the rule can't decide, BRANCHES_FAILED when too few answer.
   */
  agree<Input, Output>(
    voters: Voters<Input, Output>,
    input: NoInfer<Input>,
    options: AgreeOptions<NoInfer<Input>, NoInfer<Output>>,
  ): Promise<Agreement<Output>>;
  /**
   * A reviewer looks at a work, and it is revised by what the reviewer says, a limited number of times.
   * @throws TuttiError REVIEW_REJECTED when it is not accepted in the end, unless `onRejected` is `return`.
   */
  review<Work, Point = string>(work: Work, options: ReviewOptions<Work, Point>): Promise<Reviewed<Work, Point>>;
  /**
   * Asks a person and waits for a typed answer, of any length of time.
   * @throws TuttiError APPROVAL_EXPIRED when nobody answers in time and there is no `otherwise`, APPROVAL_REJECTED, APPROVERS_MISSING
   */
  ask<Answer>(question: string, options: AskOptions<Answer>): Promise<Answer>;
  /** Asks people for a yes or no. Nobody's answer in time is a no. @throws TuttiError APPROVERS_MISSING */
  approve(what: string, options?: ApproveOptions): Promise<Decided>;
  /** A document that is shared with other agents and runs. Inside a transaction it is part of it. */
  document<Value>(type: DocumentType<Value>, key: string): DocumentHandle<Value>;
  /**
   * A part of the flow whose documents change together or not at all, on the newest versions of all that it read. It may be called
   * several times; what it returned when it was committed is recorded. Transactions do not nest.
   * @throws DOCUMENT_CONFLICT when it gives up
   */
  transact<Output>(
    body: (transaction: Transaction) => Promise<Output>,
    options?: { readonly name?: string },
  ): Promise<Output>;

  /**
   * What people want of this run, as it stands. From now on this part relies on it: what it does under an older one fails with
   * DIRECTIVE_CHANGED until it looks again.
   */
  directive(): DirectiveState;

  /** Writes something down for people. Changes nothing. */
  note(text: string, data?: unknown): void;
  /** Writes down what was decided or told, for `why` and audits; returns the entry's path. Changes nothing. */
  record<Kind extends RecordKind>(kind: Kind, body: BodyOf<Kind>): StepKey;
  /** Milliseconds since 1970; the same on every replay. */
  now(): number;
  /** A number in [0, 1); the same on every replay. */
  random(): number;
  /** A version 4 UUID; the same on every replay. */
  uuid(): string;
  /**
   * Whether this run may take a changed path: false for a run that may have got past this place before the change, true for every other. Decided when it is
   * first asked for `id`, recorded, and the same in the whole run from then on.
   */
  patched(id: string): boolean;
}

/** Who is asked: several, or one of them several times (`times`). */
export type Voters<Input, Output> =
  | Callable<Input, Output>
  | readonly (Callable<Input, Output> | Voter<Input, Output>)[];

/** A voter with more than its name. */
export interface Voter<Input, Output> {
  readonly callable: Callable<Input, Output>;
  readonly name?: string;
  /** What its vote counts for beside others; 1 by default. */
  readonly weight?: number;
  /** Voters of one family count for less together: see `Vote`. */
  readonly family?: string;
}

/**
 * How several answers become one.
 * - `vote`: the answer with more than `moreThan` (a half by default) of the weight. Weights differ if voters declare some.
 * - `judge`: an agent chooses among the different answers, and says why. Not asked if there is one only.
 * - `merge`: objects become one, field by field; a field without a rule of its own goes by vote.
 * - `debate`: everybody is shown the others' answers and answers again, at most `roundsMax` times (3 by default) in all; then a vote.
 * - `escalate`: they agree, or it is for somebody else to decide.
 */
export type AgreementRule<Input, Output> =
  | { readonly kind: "vote"; readonly moreThan?: number }
  | { readonly kind: "judge"; readonly judge: Callable<JudgedQuestion<Input, Output>, Judgement> }
  | { readonly kind: "merge"; readonly fields?: { readonly [Name in keyof Output]?: FieldRule } }
  | {
      readonly kind: "debate";
      readonly roundsMax?: number;
      readonly moreThan?: number;
      /** The input of the next round: the question with the others' answers. */
      readonly show: (input: Input, others: readonly OtherAnswer<Output>[]) => Input;
    }
  | { readonly kind: "escalate" };

export interface AgreeOptions<Input, Output> {
  readonly by: AgreementRule<Input, Output>;
  /** How often each voter is asked; 1 by default. */
  readonly times?: number;
  /** How many must answer; more than half by default. */
  readonly need?: Extract<Need, "all" | { readonly atLeast: number }>;
  /** When two answers are the same; by default when their JSON is, whatever the order of names. Must be pure. */
  readonly same?: (left: Output, right: Output) => boolean;
  /** The reason in an answer; by default its field `reason`. Must be pure. */
  readonly reasonOf?: (answer: Output) => string | undefined;
  /** Decides where the rule can't: asks a person, another agent. Without it a split throws AGREEMENT_SPLIT. */
  readonly onSplit?: (run: Run, split: Split<Output>) => Promise<Output>;
  /** Its name in the steps' paths. */
  readonly name?: string;
}

export interface ReviewOptions<Work, Point> {
  /** Who looks at it: a callable that is given the work, or a function that asks one. */
  readonly by: Callable<Work, ReviewVerdict<Point>> | ((run: Run, work: Work) => Promise<ReviewVerdict<Point>>);
  /** Makes a better work of it. */
  readonly revise: (run: Run, work: Work, points: readonly Point[]) => Promise<Work>;
  /** How often it may be revised; 2 by default. What was revised is looked at again. */
  readonly roundsMax?: number;
  /** What becomes of a work that is not accepted in the end: `throw` (default), or `return` it, marked as such. */
  readonly onRejected?: "throw" | "return";
  readonly name?: string;
}

/** The verbs of `run` that coordinate several callables. The engine brings them: they are written in the verbs below them. */
export interface TeamVerbs {
  agree(run: Run, ...request: Parameters<Run["agree"]>): Promise<Agreement>;
  review(run: Run, ...request: Parameters<Run["review"]>): Promise<Reviewed<unknown, unknown>>;
}

/** A part of a flow whose documents change together or not at all. */
export interface Transaction extends Run {
  /** 1 for the first. */
  readonly attempt: number;
  /** Why it is called again, with `again: "refresh"`. */
  readonly refreshed: Refreshed | undefined;
}

export interface StepHost {
  readonly signal: AbortSignal;
  readonly step: StepKey;
  /** 1 for the first try. */
  readonly attempt: number;
  /** What the ledger has of this run so far: all that led here. */
  entries(): Promise<readonly LedgerEntry[]>;
}

export interface StepOptions {
  /** `local` unless said otherwise. A `read` may run ahead of the disk. What changes the outside world belongs in a tool. */
  readonly effect?: "read" | "local";
  readonly retry?: Retry;
  readonly timeoutMs?: number;
}

export interface CallOptions {
  /** Its name in the step's path; the callable's own by default. */
  readonly name?: string;
  readonly retry?: Retry;
  readonly timeoutMs?: number;
  /** An answer of its own is wanted: no model that an agent asks inside may give one that it gave before. */
  readonly fresh?: boolean;
  /** What this call may spend, with everything that it starts. */
  readonly budget?: Budget;
}

export interface ChildOptions {
  readonly name?: string;
  /** What happens to the child when this run ends first. */
  readonly onParentEnd?: "cancel" | "keep";
}

export interface ChildRun<Output> {
  readonly id: RunId;
  result(): Promise<Output>;
}

/** How many branches must succeed, and what happens to the rest. */
export interface FanOut {
  readonly name?: string;
  readonly need?: Need;
  readonly siblings?: Siblings;
}

export type Need = "all" | "any" | "bestEffort" | { readonly atLeast: number };

/**
 * What happens to branches once the group's fate is known (the need can't be met any more, or, for `any`, is met):
 * `cancel` (default) stops those still running, `keep` lets them finish, `undo` stops them and, when the need is not met, takes back the effects of all.
 */
export type Siblings = "cancel" | "keep" | "undo";

// Method syntax would lose the output's type; `never` as input keeps the map open for every branch.
export type BranchMap = Readonly<Record<string, (run: Run) => Promise<unknown>>>;
export type OutputsOf<Branches extends BranchMap> = {
  readonly [Name in keyof Branches]: Awaited<ReturnType<Branches[Name]>>;
};
export type OutcomesOf<Branches extends BranchMap> = {
  readonly [Name in keyof Branches]: Outcome<Awaited<ReturnType<Branches[Name]>>>;
};
export type WinnerOf<Branches extends BranchMap> = {
  [Name in keyof Branches]: { readonly name: Name; readonly value: Awaited<ReturnType<Branches[Name]>> };
}[keyof Branches];

/** The outputs that succeeded, in order; `outcomes` has every branch's, in order. */
export type Joined<Output> = readonly Output[] & { readonly outcomes: readonly Outcome<Output>[] };

/** A typed signal, or just its name. */
export type SignalOf<Payload> = string | SignalType<Payload>;

export interface SignalType<Payload> {
  readonly kind: "signal";
  readonly name: string;
  readonly payload: Schema<Payload>;
}

/** A role that reaches a typed result by itself, in steps of the run that calls it. */
export interface Agent<Input = unknown, Output = unknown> extends Terms {
  readonly kind: "agent";
  readonly name: string;
  /** Changes when its prompt, model tier, tools, their contracts or their code change: the first 12 digits of a hash over them. */
  readonly version: string;
  readonly does: string;
  readonly input: Schema<Input>;
  readonly output: Schema<Output>;
  /** Known to the run as soon as the agent is called, so that an undo finds them. */
  readonly tools: readonly Tool[];
  /** What must hold before it is called. A call that may not be made fails with PRECONDITION_FAILED. */
  readonly needs?: readonly Precondition<Input>[] | undefined;
  /** What holds of every output that it hands over. An output that breaks a guarantee is not handed over. */
  readonly ensures?: readonly Guarantee<Input, Output>[] | undefined;
  /** What all its calls in one run may spend together. */
  readonly budget?: Budget | undefined;
  /** The most that it may do, with everything that it starts, whoever calls it. */
  readonly permissions?: Permissions | undefined;
  act(run: Run, input: Input, host: ActHost): Promise<Acted<Output>>;
}

/** An ordinary async function that coordinates tools, agents and other flows. */
export interface Flow<Input = unknown, Output = unknown> extends Terms {
  readonly kind: "flow";
  readonly name: string;
  readonly version: string;
  /** One sentence: what it is for. The agents of its runs are told. */
  readonly does?: string | undefined;
  readonly input: Schema<Input>;
  readonly output: Schema<Output>;
  /** `undo`: effects that declare an undo are taken back, newest first. `keep` (the default): they stay. */
  readonly onFailure: "keep" | "undo";
  run(run: Run, input: Input): Promise<Output>;
}

/** One shape, one verb (`run.call`). */
export type Callable<Input = unknown, Output = unknown> =
  | Tool<Input, Output>
  | Agent<Input, Output>
  | Flow<Input, Output>;
