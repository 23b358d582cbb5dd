import type { DocumentType } from "./document.ts";
import type { RunId, EffectKey, StepKey } from "./ids.ts";
import type { Model } from "./model.ts";
import type { Confidence, Evidence, Usage } from "./outcome.ts";
import type { Schema } from "./schema.ts";

/**
 * What a tool does to the world, and so what may happen after a crash.
 * - `read`: changes nothing. Runs again freely; its result may run ahead of the disk.
 * - `local`: changes nothing outside the ledger. One entry; runs again if the crash came before that entry.
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
}

export interface DocumentAccess {
  readonly type: DocumentType;
  readonly verb: "read" | "write";
}

/** A function with a contract. */
export interface Tool<Input = unknown, Output = unknown> {
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
  /** A ready-made tool that reads or writes documents, in the read set or transaction of whoever calls it. */
  readonly document?: DocumentAccess | undefined;
  /** What makes two actions the same one. Without it: the whole input. */
  key?(input: Input): string;
  /** Asked when a crash left the outcome in doubt: the output if it happened, `undefined` if it certainly did not. Throw if you can't tell. */
  check?(input: Input, host: ToolHost): Promise<Output | undefined> | Output | undefined;
  /** Takes the effect back. Is tried again until it succeeds, so it must bear being called twice. */
  undo?(output: Output, host: ToolHost & { readonly input: Input }): Promise<void> | void;
  run(input: Input, host: ToolHost): Promise<Output> | Output;
}

/** What a composite callable (an agent, a team) gets from the engine. */
export interface ActHost {
  /** The model configured under a tier. Throws MODEL_UNKNOWN. */
  model(tier: string): Model;
  /** Tells whoever watches, and nobody else: never stored, never replayed. */
  progress(text: string): void;
}

/** What a composite callable returns: its output with what is known about it. */
export interface Acted<Output> {
  readonly output: Output;
  readonly confidence?: Confidence;
  readonly evidence?: readonly Evidence[];
  readonly usage?: Usage;
}
