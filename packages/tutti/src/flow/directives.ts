import { TuttiError } from "../base/errors.ts";
import type { DirectiveLook, HandedBack } from "../contracts/callable.ts";
import {
  describeDirective,
  toDirectiveDocument,
  type DirectiveState,
  type GivenDirective,
} from "../contracts/directive.ts";
import type { DocumentId, RunId } from "../contracts/ids.ts";
import type { Agent } from "../contracts/run.ts";
import { parseWith } from "../contracts/schema.ts";
import type { Driver } from "./driver.ts";
import type { DocumentReads } from "./read-sets.ts";
import { toCancellation } from "./recorded.ts";
import type { Directives } from "./run-directives.ts";
import { openPending, type Pending, type Scope } from "./scope.ts";

interface Turn {
  readonly seen: number;
  readonly versions: DocumentReads;
}

interface Awaiting {
  readonly agent: Agent;
  readonly pending: Pending;
}

const none: DirectiveState = {
  version: 0,
  goal: undefined,
  constraints: [],
  context: [],
  autonomyCap: undefined,
  given: [],
};

export function openDirectives(driver: Driver): Directives {
  return new RunDirectives(driver);
}

class RunDirectives implements Directives {
  state = none;
  stopped: GivenDirective | undefined;
  handedBack: { readonly output: unknown } | undefined;
  isStopping = false;
  private readonly noted: GivenDirective[] = [];
  private readonly driver: Driver;
  private readonly versions = new Map<RunId, number>();
  /** What was handed over, by whose directives they are. */
  private readonly handed = new Map<RunId, number>();
  private readonly turns = new WeakMap<Scope, Turn>();
  private readonly listeners = new Set<(given: GivenDirective) => void>();
  private readonly stops = new Set<() => void>();
  private awaiting: Awaiting[] = [];

  constructor(driver: Driver) {
    this.driver = driver;
    // Written down in an earlier life, so known from the beginning, though handed over in its turn.
    for (const given of driver.history.directives) this.note(given);
  }

  /** Of all that were written down: it counts from then on. */
  get autonomyCap(): number | undefined {
    return toCap(this.noted);
  }

  get written(): number {
    return this.noted.length;
  }

  get newest(): GivenDirective | undefined {
    return this.noted.at(-1);
  }

  versionOf(run: RunId): number {
    return this.versions.get(run) ?? 0;
  }

  private sourceOf({ from }: GivenDirective): RunId {
    return from ?? this.driver.run;
  }

  private note(given: GivenDirective): void {
    this.versions.set(this.sourceOf(given), given.version);
    this.noted.push(given);
  }

  announce(given: GivenDirective): number {
    this.note(given);
    if (given.kind === "stop") this.isStopping = true;
    const told = [...this.listeners];
    for (const listener of told) listener(given);
    return told.length;
  }

  receive(given: GivenDirective, output: unknown): void {
    const { driver } = this;
    this.handed.set(this.sourceOf(given), given.version);
    this.state = toNext(this.state, given);
    if (given.kind === "budget" && given.budget !== undefined)
      driver.admission.setLimit({ account: `run/${this.sourceOf(given)}`, limit: given.budget });
    if (given.kind === "hand-back") this.handBack(given, output);
    if (given.kind !== "stop") return;
    this.stopped ??= given;
    this.isStopping = false;
    driver.root.cancel(toCancellation(toStopReason(given)));
    for (const listener of Array.from(this.stops)) listener();
  }

  private handBack(given: GivenDirective, output: unknown): void {
    const { agent, by } = given;
    if (agent === undefined && output !== undefined) {
      this.handedBack ??= { output };
      this.driver.root.cancel(toCancellation(`${by} handed in the result of the run`));
      return;
    }
    const awaiting = this.awaiting;
    this.awaiting = [];
    let isGiven = output === undefined;
    for (const each of awaiting) {
      if (each.pending.over) continue;
      const isMeant = agent === undefined || agent === each.agent.name;
      if (isMeant && this.findTakeOver(each.agent.name) === undefined) {
        // The one that waits longest gets the result; the others go on themselves.
        each.pending.resolve(isGiven ? undefined : { output, by });
        isGiven = true;
      } else this.awaiting.push(each);
    }
  }

  look(scope: Scope, agent: string): DirectiveLook {
    const { state } = this;
    const seen = this.turns.get(scope)?.seen ?? 0;
    this.turns.set(scope, { seen: state.version, versions: this.toVersions() });
    return { state, news: state.given.slice(seen), takenOver: this.findTakeOver(agent) };
  }

  read(scope: Scope): DirectiveState {
    for (const [document, version] of this.toVersions())
      this.driver.documents.reads.read(scope.path, document, version);
    return this.state;
  }

  private toVersions(): ReadonlyMap<DocumentId, number> {
    const { run, ancestors } = this.driver;
    const runs = [run, ...ancestors.map((ancestor) => ancestor.run)];
    return new Map(runs.map((each) => [toDirectiveDocument(each), this.handed.get(each) ?? 0]));
  }

  private findTakeOver(agent: string): GivenDirective | undefined {
    return this.state.given.findLast((given, at) => {
      if (given.kind !== "take-over" || (given.agent !== undefined && given.agent !== agent)) return false;
      return !this.state.given.slice(at).some((later) => isHandBackOf(later, given));
    });
  }

  isBehind(scope: Scope): boolean {
    const turn = this.findTurn(scope);
    return turn !== undefined && turn.seen < this.written;
  }

  reliedAt(scope: Scope): DocumentReads | undefined {
    return this.findTurn(scope)?.versions;
  }

  private findTurn(scope: Scope): Turn | undefined {
    for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
      const turn = this.turns.get(at);
      if (turn !== undefined) return turn;
    }
    return undefined;
  }

  onWritten(listener: (given: GivenDirective) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  onStopped(listener: () => void): () => void {
    this.stops.add(listener);
    return () => void this.stops.delete(listener);
  }

  async awaitHandBack(scope: Scope, agent: Agent): Promise<HandedBack | undefined> {
    if (scope.cancelled !== undefined) throw scope.cancelled;
    const pending = openPending<HandedBack | undefined>(scope, scope.nextKey("hand-back"));
    const release = this.driver.wait({ kind: "hand-back", agent: agent.name });
    this.awaiting.push({ agent, pending });
    try {
      return await pending.promise;
    } finally {
      release();
    }
  }

  async checkHandBack(agent: string, output: unknown): Promise<void> {
    const awaiting = this.awaiting.find((each) => each.agent.name === agent && !each.pending.over);
    if (awaiting === undefined) {
      throw new TuttiError("INPUT_INVALID", `no call of ${agent} in run ${this.driver.run} waits for a result`, {
        hint: "Take it over first. Without a result, a hand-back lets it go on itself.",
      });
    }
    await parseWith(awaiting.agent.output, output, { code: "INPUT_INVALID", what: `the result for ${agent}` });
  }
}

function isHandBackOf(given: GivenDirective, { agent }: GivenDirective): boolean {
  return given.kind === "hand-back" && (given.agent === undefined || given.agent === agent);
}

function toNext(state: DirectiveState, given: GivenDirective): DirectiveState {
  const next = { ...state, version: state.version + 1, given: [...state.given, given] };
  const said = given.text ?? "";
  switch (given.kind) {
    case "goal":
      return { ...next, goal: said };
    case "constraint":
      return { ...next, constraints: [...state.constraints, said] };
    case "context":
      return { ...next, context: [...state.context, said] };
    case "autonomy":
      return { ...next, autonomyCap: toCap(next.given) };
    default:
      return next;
  }
}

/** The newest of each run counts, and of several runs above each other the lowest. */
function toCap(given: readonly GivenDirective[]): number | undefined {
  const levelByRun = new Map<RunId | undefined, number>();
  for (const { from, level } of given) if (level !== undefined) levelByRun.set(from, level);
  return levelByRun.size === 0 ? undefined : Math.min(...levelByRun.values());
}

export function toStopReason({ by, reason }: GivenDirective): string {
  return `stopped by ${by}${reason === undefined ? "" : `: ${reason}`}`;
}

/** Why something that was begun under an older directive was not done. */
export function toDirectiveChanged(what: string, given: GivenDirective | undefined): TuttiError {
  const told = given === undefined ? "the directive has changed" : describeDirective(given);
  return new TuttiError("DIRECTIVE_CHANGED", `${what}: ${told}`, {
    hint: "Look at run.directive() again, and decide anew.",
    ...(given === undefined ? {} : { facts: { version: given.version, by: given.by } }),
  });
}
