import type { Tool } from "./callable.ts";
import type { Model } from "./model.ts";

/**
 * What a project's `tutti.config.ts` exports as `config`: what its flows are run with, said once. Every part is optional.
 * A program passes it on: `openTutti({ flows, ...config })`.
 */
export interface TuttiConfig {
  /** Models by tier: `fast`, `balanced`, `deep`, or names of your own. */
  readonly models?: Readonly<Record<string, Model>>;
  /** Tools whose undo may be needed although no flow names them any more. */
  readonly tools?: readonly Tool[];
}
