import type { Tool } from "./callable.ts";
import type { Model } from "./model.ts";
import type { ToolServer } from "./tool-server.ts";

/**
 * What a project's `tutti.config.ts` exports as `config`: what its flows are run with, said once. Every part is optional.
 * A program passes it on: `openTutti({ flows, ...config })`.
 */
export interface TuttiConfig {
  /** Models by tier: `fast`, `balanced`, `deep`, or names of your own. */
  readonly models?: Readonly<Record<string, Model>>;
  /** What agents and people can do: `tutti tool` lists, shows and calls them, and a run finds them when something has to be taken back. */
  readonly tools?: readonly Tool[];
  /** Servers of more tools: reached when one of theirs is needed, closed with the engine. */
  readonly servers?: readonly ToolServer[];
}
