import type { Freeze, FreezeName } from "../contracts/freeze.ts";

/** What people have frozen, as everything that is about to begin is asked by. Kept in memory, so that asking costs nothing. */
export interface Freezes {
  /** Whether anything is frozen at all. */
  readonly any: boolean;
  find(names: readonly FreezeName[]): Freeze | undefined;
  /** Calls back each time that something is lifted; returns the function that forgets it. */
  onLifted(listener: () => void): () => void;
}
