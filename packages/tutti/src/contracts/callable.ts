import type { ErrorCode } from "../base/error-codes.ts";
import type { DirectiveState, GivenDirective } from "./directive.ts";
import type { DocumentType } from "./document.ts";
import type { RunId, EffectKey, StepKey } from "./ids.ts";
import type { Model } from "./model.ts";
import type { Confidence, Evidence, Usage } from "./outcome.ts";
import type { Precedent } from "./precedent.ts";
import type { Schema } from "./schema.ts";
import type { Guarantee, Precondition, Terms } from "./terms.ts";

/**
 * What a tool does to the world, and so what may happen after a crash.
 * - `read`: changes nothing. Runs again freely; its result may run ahead of the disk.
 * - `local`: changes nothing outside the ledger. One entry; runs again if the crash came before that entry. In an agent, its model is asked on meanwhile.
 * - `idempotent`: changes something, and doing it twice under one key is doing it once. Runs again under its key.
 * - `once`: must not be done twice. After a crash it is asked (`check`), never repeated blindly.
 */
export type EffectClass = "read" | "local" | "idempotent" | "once";

/** How often and how long a step is tried. */
export interface Retry {
  /** All attempts together, the first included. */
  readonly attemptsMax: number;
  /** Pause after the first failure; each next one is `factor` times as long, at most `delayMaxMs`, and shortened by up to half at random. */
  readonly delayMs?: number;
  readonly factor?: number;
  readonly delayMaxMs?: number;
}

/** What a tool's function is given beside its input. */
export interface ToolHost {
  /** Send it with the request: the same action has the same key, also after a crash and from another run. */
  readonly idempotencyKey: EffectKey;
  readonly signal: AbortSignal;
  readonly runId: RunId;
  readonly step: StepKey;
  /** 1 for the first try. */
  readonly attempt: number;
  /** Says how the result came about. What was reported is merged, and stored with the entry that ends the attempt. Throws what has another shape. */
  readonly report: (report: ToolReport) => void;
  /**
   * The right to do just this once, signed, to be shown to whoever the tool asks; it lives a minute at most. The same in one attempt.
   * @throws TuttiError CAPABILITY_REVOKED when it is frozen, GRANT_EXCEEDED when its time is over
   */
  readonly capability: () => Promise<string>;
}

/** What an undo is given beside the output that it takes back. */
export interface UndoHost<Input> extends ToolHost {
  readonly input: Input;
  /** Who did it, as the tool reported it; `undefined` if it never said, or a person settled the effect. */
  readonly doneBy: string | undefined;
}

/** What a tool tells of its work beside its output: for people, audit and cost, never for the flow. */
export interface ToolReport {
  /** Who did it in the end. The last one said counts. */
  readonly provider?: string;
  /** Who was asked before and did not do it, and why. At most 32 are kept, the first ones. */
  readonly tried?: readonly { readonly provider: string; readonly code: ErrorCode }[];
  /** What this call spent; several reports add up. */
  readonly usage?: Usage;
  /** A sentence for people; the last one counts, cut at 1,000 characters. */
  readonly note?: string;
}

/** A text, or what it is now and what it would become. */
export type Preview = string | { readonly before: string; readonly after: string };

export interface PreviewHost {
  readonly signal: AbortSignal;
}

export interface DocumentAccess {
  readonly type: DocumentType;
  readonly verb: "read" | "write";
}

/** A function with a contract. */
export interface Tool<Input = unknown, Output = unknown> extends Terms {
  readonly kind: "tool";
  readonly name: string;
  readonly does: string;
  readonly input: Schema<Input>;
  readonly output: Schema<Output>;
  readonly effect: EffectClass;
  /** Whom the effect key counts for: everyone, one run, or one step (then nothing is shared). */
  readonly scope: "everyone" | "run" | "step";
  readonly retry: Retry | undefined;
  readonly timeoutMs: number | undefined;
  /** What must hold before it is called. A call that may not be made fails with PRECONDITION_FAILED, and nothing has happened. */
  readonly needs?: readonly Precondition<Input>[] | undefined;
  /** What holds of every output. One that breaks a guarantee fails with OUTPUT_INVALID; an effect is done all the same. */
  readonly ensures?: readonly Guarantee<Input, Output>[] | undefined;
  /** A ready-made tool that reads or writes documents, in the read set or transaction of whoever calls it. */
  readonly document?: DocumentAccess | undefined;
  /** What makes two actions the same one. Without it: the whole input. */
  key?(input: Input): string;
  /** What a call would do, for people who are asked for their yes. Must change nothing. */
  preview?(input: Input, host: PreviewHost): Promise<Preview> | Preview;
  /** Asked when a crash left the outcome in doubt: the output if it happened, `undefined` if it certainly did not. Throw if you can't tell. */
  check?(input: Input, host: ToolHost): Promise<Output | undefined> | Output | undefined;
  /** Takes the effect back. Is tried again until it succeeds, so it must bear being called twice. */
  undo?(output: Output, host: UndoHost<Input>): Promise<void> | void;
  run(input: Input, host: ToolHost): Promise<Output> | Output;
}

/** The step that asks a model. */
export interface ModelAsker {
  /** What the step that asks was given, itself: that attempt is stopped when a person gives another directive. */
  readonly host: Pick<ToolHost, "step" | "attempt">;
  /** How long an answer may take. */
  readonly timeoutMs: number;
}

/** What a composite callable (an agent, a team) gets from the engine. */
export interface ActHost {
  /** The model configured under a tier, as the asking step may use it: within its limits and budgets. Throws MODEL_UNKNOWN. */
  model(tier: string, asker: ModelAsker): Model;
  /** Tells whoever watches, and nobody else: never stored, never replayed. */
  progress(text: string): void;
  /** Where a piece of what a model is saying goes; `undefined` when nobody watches. Never stored, never replayed. */
  readonly tell: ((piece: ToldPiece) => void) | undefined;
  /** An answer of its own is wanted, as for a vote: never one that a model gave before. */
  readonly fresh: boolean;
  /** What the run is for, in one sentence, if its flow says so. */
  readonly objective: string | undefined;
  /** Everybody and everything that this engine knows, live: not recorded, so only a model may act on it. */
  team(): readonly Contract[];
  /**
   * Parses an output with the agent's schema and asks what it `ensures`, in a durable step. What was accepted may be returned from `act`
   * as it is: it is not looked at again.
   */
  accept(output: unknown): Promise<Acceptance>;
  /** What people want of the run. From now on whatever is done here is done under that, and refused once there is a newer directive. */
  look(): DirectiveLook;
  /** What people decided otherwise than this agent proposed, in cases like this one. Not recorded, so only a model may act on it. */
  precedents(text: string): Promise<readonly Precedent[]>;
  /** Resolves when a person hands the agent back: with what it shall return, or nothing when it goes on itself. */
  awaitHandBack(): Promise<HandedBack | undefined>;
}

export interface DirectiveLook {
  readonly state: DirectiveState;
  /** Those that came since the last look in this call; all of them in the first. */
  readonly news: readonly GivenDirective[];
  /** The agent makes no turns: a person does its work. */
  readonly takenOver: GivenDirective | undefined;
}

export interface HandedBack {
  readonly output: unknown;
  readonly by: string;
}

/** A piece of what a model is saying: words, or the input of a call to `tool`. */
export interface ToldPiece {
  readonly step: StepKey;
  readonly attempt: number;
  readonly text: string;
  readonly tool?: string;
}

/** Whether an output is one that its receiver can use. */
export type Acceptance =
  | {
      readonly kind: "fits";
      readonly output: unknown;
      /** How many guarantees were asked for, and held. */
      readonly guarantees: number;
    }
  | { readonly kind: "unfit"; readonly problem: string };

/** What a callable is and promises, as plain data: for registries, protocols and the command line. */
export interface Contract extends Terms {
  readonly kind: "tool" | "agent" | "flow";
  readonly name: string;
  readonly version?: string;
  readonly does: string;
  /** JSON Schema (draft 2020-12), where the schema's library can say it. */
  readonly input?: Readonly<Record<string, unknown>>;
  readonly output?: Readonly<Record<string, unknown>>;
  /** What must hold before a call, and what holds after it, by name. */
  readonly needs: readonly string[];
  readonly ensures: readonly string[];
  /** What a tool does to the world. */
  readonly effect?: EffectClass;
  /** Whether its outcome can be asked for after a crash, and whether it can be taken back. */
  readonly canBeAsked?: boolean;
  readonly canBeUndone?: boolean;
  readonly timeoutMs?: number;
  readonly attemptsMax?: number;
}

/** What a composite callable returns: its output with what is known about it. */
export interface Acted<Output> {
  readonly output: Output;
  readonly confidence?: Confidence;
  readonly evidence?: readonly Evidence[];
  readonly usage?: Usage;
  /** Which model's answer it is (provider and id), where one model gave it. */
  readonly model?: string;
}
