import type { ErrorCode } from "../base/error-codes.ts";
import type { RunId, StepKey } from "./ids.ts";

/** What a condition answers: whether it holds, or, in words, why it does not. */
export type Verdict = boolean | string;

/** What a precondition may know beside the input. */
export interface NeedHost {
  readonly runId: RunId;
  readonly step: StepKey;
  readonly signal: AbortSignal;
}

/** Something that must hold before a callable is called. Asked once per call, before anything is done; must change nothing. */
export interface Precondition<Input = unknown> {
  /** A short phrase that says what must hold: `the page is a draft`. Models and people read it. */
  readonly name: string;
  /** `true`, or the reason why the call may not be made (or just `false`). Throwing means that it can't be told, and so: no. */
  check(input: Input, host: NeedHost): Verdict | Promise<Verdict>;
}

/** Something that holds of every output. Asked on every call, after the schema; must change nothing. */
export interface Guarantee<Input = unknown, Output = unknown> {
  /** A short phrase that says what is promised: `every quote is in its source`. */
  readonly name: string;
  /** `true`, or what is wrong with the output (or just `false`). Throwing means that it can't be told, and so: no. */
  check(output: Output, input: Input): Verdict | Promise<Verdict>;
}

/** What a callable says about itself beside its types: data, for people, models and the analysis of who may work beside whom. */
export interface Terms {
  /** What callers may count on. */
  readonly guarantees?: Figures | undefined;
  /** What can go wrong, by the code that says so, in words. */
  readonly failureModes?: Readonly<Partial<Record<ErrorCode, string>>> | undefined;
  /**
   * Classes of the data that goes in and comes out: `personal`, `secret`, `public`, or words of your own; `personal:anna` says whose. Whoever
   * reads what comes out carries them as labels; what may go in is `dataIn`, and `untrusted` may stand there too.
   */
  readonly dataIn?: readonly string[] | undefined;
  readonly dataOut?: readonly string[] | undefined;
  /** `untrusted`: what comes out was written by others, who may want something. */
  readonly trust?: "untrusted" | undefined;
  /** Labels that its output does not carry although what it was made from does: its author answers for that. */
  readonly clears?: readonly string[] | undefined;
  /** Documents and outside things that it looks at and changes, by name. */
  readonly reads?: readonly string[] | undefined;
  readonly writes?: readonly string[] | undefined;
  /** Words to find it by. */
  readonly tags?: readonly string[] | undefined;
}

/** Declared figures. They are not measured or enforced. */
export interface Figures {
  /** A usual call is over in this time. */
  readonly latencyMs?: number;
  /** A call costs at most this. */
  readonly costUsd?: number;
  /** How long the other side knows a key again; after that, the same key may act twice. */
  readonly idempotencyMs?: number;
}
