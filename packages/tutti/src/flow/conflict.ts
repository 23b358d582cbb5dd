import { TuttiError } from "../base/errors.ts";
import { directivePrefix } from "../contracts/directive.ts";
import type { ConflictPolicy, StaleRead } from "../contracts/document.ts";

/** A stale document as its transaction has used it. */
export interface Conflicting extends StaleRead {
  /** Nothing if only the code around the transaction has read it. */
  readonly policy: ConflictPolicy<unknown> | undefined;
  readonly written: boolean;
  /** The version was read by the code around the transaction, which trying again does not change. */
  readonly isOuter: boolean;
}

export type ConflictStep =
  | { readonly kind: "merge" }
  | { readonly kind: "again"; readonly refresh: boolean; readonly leaseMs: number | undefined }
  | { readonly kind: "give-up"; readonly escalate: "throw" | "park" };

const triesMaxDefault = 10;
const leaseAfterDefault = 3;
const leaseMsDefault = 30_000;
/** A merge that others outrun so often in one try counts as a conflict. */
const mergesMax = 20;

/** A transaction that is being tried. */
export interface Tried {
  readonly attempt: number;
  readonly merges: number;
  /** Its function has returned, so that there is something to merge and to go on from. */
  readonly hasResult: boolean;
}

/** What follows when documents that a transaction has read have newer versions. The strictest of their policies counts. */
export function decideConflict(
  conflicting: readonly Conflicting[],
  { attempt, merges, hasResult }: Tried,
): ConflictStep {
  const mayMerge = ({ policy, written }: Conflicting): boolean => written && policy?.merge !== undefined;
  if (hasResult && merges < mergesMax && conflicting.every(mayMerge)) return { kind: "merge" };
  if (conflicting.some((each) => each.isOuter || each.policy === undefined))
    return { kind: "give-up", escalate: "throw" };
  const policies = conflicting.flatMap(({ policy }) => policy ?? []);
  const triesMax = Math.min(...policies.map((policy) => policy.triesMax ?? triesMaxDefault));
  if (attempt >= triesMax || policies.some((policy) => policy.again === "never")) {
    return { kind: "give-up", escalate: policies.some((policy) => policy.escalate === "park") ? "park" : "throw" };
  }
  const leaseAfter = Math.min(...policies.map((policy) => policy.leaseAfter ?? leaseAfterDefault));
  const leaseMs = Math.min(...policies.map((policy) => policy.leaseMs ?? leaseMsDefault));
  return {
    kind: "again",
    refresh: hasResult && policies.every((policy) => policy.again === "refresh"),
    leaseMs: attempt >= leaseAfter ? leaseMs : undefined,
  };
}

/** Whether work is stopped as soon as such a document has a newer version; otherwise that is looked at when it wants to commit. */
export function stopsAtOnce({ merge, again }: ConflictPolicy<unknown>, onlyRead: boolean): boolean {
  return (merge === undefined || onlyRead) && again !== "refresh";
}

const toldMax = 5;

export function toConflictError(what: string, stale: readonly StaleRead[]): TuttiError {
  const directive = stale.find(({ document }) => document.startsWith(directivePrefix));
  if (directive !== undefined) {
    return new TuttiError("DIRECTIVE_CHANGED", `${what}: a person has given the run another directive`, {
      hint: "Look at run.directive() again, and decide anew.",
      facts: { seen: directive.seen, newest: directive.newest },
    });
  }
  const told = stale
    .slice(0, toldMax)
    .map(({ document, seen, newest }) => `${document} was read in version ${seen} and is now in version ${newest}`);
  const more = stale.length > toldMax ? `, and ${stale.length - toldMax} more` : "";
  return new TuttiError("DOCUMENT_CONFLICT", `${what}: ${told.join(", ")}${more}`, {
    hint: "Read what has changed again, and decide anew.",
    facts: { documents: stale.map(({ document }) => document) },
  });
}
