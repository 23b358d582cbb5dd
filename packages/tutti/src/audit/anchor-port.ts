import { TuttiError } from "../base/errors.ts";

/** A place outside, out of reach of whoever could change the ledger, that keeps what was signed. */
export interface Anchor {
  /** How it was named. */
  readonly name: string;
  /** Everything it keeps, oldest first. @throws TuttiError ANCHOR_FAILED */
  read(signal: AbortSignal): Promise<readonly string[]>;
  /** Adds one note. Adding it twice does no harm. @throws TuttiError ANCHOR_FAILED */
  publish(note: string, signal: AbortSignal): Promise<void>;
}

/** ANCHOR_FAILED */
export function toAnchorFailed(name: string, why: string, cause?: unknown): TuttiError {
  return new TuttiError("ANCHOR_FAILED", `the anchor ${name} can't be used: ${why}`, {
    hint: "What was signed is kept beside the ledger; the next `tutti audit checkpoint` hands on what the anchor lacks.",
    facts: { anchor: name },
    ...(cause === undefined ? {} : { cause }),
  });
}
