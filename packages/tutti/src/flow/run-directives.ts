import type { DirectiveLook, HandedBack } from "../contracts/callable.ts";
import type { DirectiveState, GivenDirective } from "../contracts/directive.ts";
import type { RunId } from "../contracts/ids.ts";
import type { Agent } from "../contracts/run.ts";
import type { DocumentReads } from "./read-sets.ts";
import type { Scope } from "./scope.ts";

/**
 * What people want of one run. Directives stand in its chain and are handed over in ledger order, like signals, so that code that looks at
 * them sees the same on replay. Each is a version of the run's directive document: what was begun under an older one is refused by the
 * ledger, as with any other document.
 */
export interface Directives {
  readonly state: DirectiveState;
  readonly autonomyCap: number | undefined;
  /** The person who stopped the run. */
  readonly stopped: GivenDirective | undefined;
  /** A person's result for the whole run. */
  readonly handedBack: { readonly output: unknown } | undefined;
  /** A stop is written down and not handed over yet: nothing is begun any more. */
  readonly isStopping: boolean;
  /** How many directives were written down, handed over or not. */
  readonly written: number;
  /** The last of those. */
  readonly newest: GivenDirective | undefined;
  /** The version of a run's directives, its own or of one above it, that was written down here. */
  versionOf(run: RunId): number;
  /** One was written down, and is about to be handed over. Questions to models that are under way are stopped: how many. */
  announce(given: GivenDirective): number;
  /** One is handed over. */
  receive(given: GivenDirective, output: unknown): void;
  /** What an agent's next turn is made under. */
  look(scope: Scope, agent: string): DirectiveLook;
  /** `run.directive()`: from now on this part relies on it, as on a document. */
  read(scope: Scope): DirectiveState;
  /** Whether an agent's turn in this place was made under an older directive. */
  isBehind(scope: Scope): boolean;
  /** What an effect in this place relies on because of the turn that it belongs to. */
  reliedAt(scope: Scope): DocumentReads | undefined;
  /** Called for each one that is written down; returns the function that forgets it. */
  onWritten(listener: (given: GivenDirective) => void): () => void;
  /** Called once when a stop was handed over. */
  onStopped(listener: () => void): () => void;
  /** Resolves when a person hands the agent back: with what it shall return, or nothing when it goes on itself. */
  awaitHandBack(scope: Scope, agent: Agent): Promise<HandedBack | undefined>;
  /** Refuses what no call of the agent waits for, or its schema does not take. @throws TuttiError INPUT_INVALID */
  checkHandBack(agent: string, output: unknown): Promise<void>;
}
