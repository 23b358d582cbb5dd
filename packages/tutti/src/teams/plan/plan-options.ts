import type { Run } from "../../contracts/run.ts";
import type { PlanTerms } from "./check-plan.ts";
import type { Trouble } from "./outcome.ts";

/** How a plan is run. */
export interface PlanOptions extends PlanTerms {
  /** What `input` means in the plan's references. */
  readonly input?: unknown;
  /** Tasks at work at a time; 64 by default. */
  readonly concurrency?: number;
  /** What happens to effects of a plan that failed: they stay (the default), or are taken back, newest first. */
  readonly onFailure?: "keep" | "undo";
  /**
   * Asked for another plan when a task failed that says so, when no task can run, and when there is news. Its steps are steps of `run`;
   * `undefined` means that there is none. Without it such a failure ends the plan.
   */
  readonly replan?: (run: Run, trouble: Trouble) => Promise<unknown>;
  /** Versions that `replan` may bring it to, the first included; 3 by default. What people edit is not counted, but planLimits.versionsMax is the end. */
  readonly versionsMax?: number;
  /** Why there is this plan; shown with its first version. */
  readonly reason?: string;
}
