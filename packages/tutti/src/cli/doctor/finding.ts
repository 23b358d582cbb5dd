/**
 * - `error`: something can be done twice, get lost, leak or never be found again.
 * - `warning`: it fails, hangs or gets dear under load or after a fault.
 * - `advice`: it works, and could be clearer or safer.
 */
export type Severity = "error" | "warning" | "advice";

export const severities: readonly Severity[] = ["error", "warning", "advice"];

/** Something that is missing before production. */
export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  /** From the working directory, so that a terminal opens it. */
  readonly path: string;
  /** From 1; undefined where it is the project's. */
  readonly line: number | undefined;
  readonly what: string;
  /** Why it matters, in one sentence. */
  readonly why: string;
  /** Code to paste. */
  readonly fix: string;
}
