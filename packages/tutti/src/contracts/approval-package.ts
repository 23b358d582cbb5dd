import type { ApprovalKind } from "./approval.ts";
import type { Precedent } from "./precedent.ts";

/** Words, and whose they are. An agent's or a flow's are shown as its own: nobody has checked them. */
export interface Said {
  readonly text: string;
  readonly by: "engine" | "agent" | "flow";
}

/**
 * What people are shown before they decide: made by the engine from the action itself, kept by its hash, and named by every vote. Characters
 * that can't be seen, or change the order of others, are written out.
 */
export interface ApprovalPackage {
  readonly kind: ApprovalKind;
  /** One sentence: who wants to do what. */
  readonly summary: string;
  readonly run: string;
  readonly step: string;
  readonly askedBy: string;
  readonly action?: {
    readonly tool: string;
    readonly does: string;
    /** As JSON. */
    readonly input: string;
    /** What it would look like, by the tool's own `preview`. */
    readonly preview?: string | { readonly before: string; readonly after: string };
    readonly previewProblem?: string;
    readonly changes: string;
    readonly canBeUndone: boolean;
  };
  /** What a decision or a question is about, beside its sentence. */
  readonly details?: string;
  /** What may be answered. */
  readonly options?: readonly string[];
  /** Which rules ask, and why. */
  readonly rules: readonly string[];
  readonly why?: string;
  readonly recommendation: Said;
  readonly reasons: readonly Said[];
  /** At least two, one of them to do nothing. */
  readonly alternatives: readonly Said[];
  readonly confidence?: number;
  /** Where what it is given came from. */
  readonly evidence: readonly { readonly step: string; readonly what: string; readonly hash: string }[];
  /** What people decided before, in cases like this one. */
  readonly precedents?: readonly Precedent[];
  readonly costUsd?: number;
  readonly risk: { readonly level: "low" | "medium" | "high"; readonly why: string };
  readonly dueAt: number;
  /** What happens if nobody decides. */
  readonly otherwise: string;
  /** Who decides, in words, stage by stage. */
  readonly deciders: readonly string[];
  /** What a yes is bound to. */
  readonly versions: Readonly<Record<string, string>>;
}
