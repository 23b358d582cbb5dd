import type { TuttiError } from "../base/errors.ts";
import type { Permissions } from "../contracts/grant.ts";
import { toStepKey, type StepKey } from "../contracts/ids.ts";

export interface AgentAtWork {
  readonly name: string;
  readonly version: string;
  readonly permissions?: Permissions | undefined;
}

/** A named sub-tree of a run: where paths are counted, where cancelling stops, where signals are charged. */
export interface Scope {
  readonly path: string;
  readonly parent: Scope | undefined;
  /** Set once, when the scope or one above it was cancelled. */
  readonly cancelled: TuttiError | undefined;
  /** Models asked inside are to give answers of their own; scopes below take it over when they are opened. */
  wantsFresh: boolean;
  /** Who is at work here: the nearest agent; scopes below take it over when they are opened. */
  actor: AgentAtWork | undefined;
  /** The agent whose work this is; nothing for a part of a flow. */
  agent: string | undefined;
  /** What was learned here, of an agent's scope and of the run's own (labels.ts); nothing as long as nothing labelled was. */
  labels: readonly string[] | undefined;
  /** True from the moment its own body returned or threw. */
  readonly closed: boolean;
  /** True when it, or a scope above it, is closed. */
  isClosed(): boolean;
  /** Sequence numbers of the signals that were consumed inside: they must not be handed out again when the scope replays as one record. */
  readonly consumed: number[];
  /** The path of the next durable unit of this name: `/a`, then `/a#2`. */
  nextKey(name: string): StepKey;
  open(name: string): Scope;
  /** Aborts when the scope is cancelled. Made on first use: most steps never ask. */
  signal(): AbortSignal;
  /** Tells of the same, once, at once if it has happened; the returned function forgets it. Cheaper than a listener on the signal. */
  follow(onAbort: AbortListener): () => void;
  add(pending: ListedPending): void;
  remove(pending: ListedPending): void;
  cancel(error: TuttiError): void;
  /** Tells work that is still going on that nobody waits for it, without rejecting anything. */
  abort(toReason: () => TuttiError): void;
  /** True when this scope, or the one below it that holds the key, was cancelled. */
  isCancelled(key: string): boolean;
  close(): void;
}

/** Something that the flow's code awaits. Settled at most once. */
export interface Pending {
  readonly key: StepKey;
  readonly scope: Scope;
  readonly over: boolean;
  resolve(value: unknown): void;
  reject(error: TuttiError): void;
  /** Nobody awaits it any more: it stays unsettled for good. */
  drop(): void;
  /** Called when the scope is cancelled, after the rejection. */
  onCancel: (() => void) | undefined;
}

type AbortListener = (reason: TuttiError) => void;

/** The pendings of a scope form a list themselves, so that a step costs no place in a set. */
interface ListedPending extends Pending {
  next: ListedPending | undefined;
  previous: ListedPending | undefined;
}

/** A run opens thousands of these, most of them empty: what a scope holds is made on first use. */
class OpenScope implements Scope {
  readonly path: string;
  readonly parent: Scope | undefined;
  readonly consumed: number[] = [];
  cancelled: TuttiError | undefined;
  wantsFresh: boolean;
  actor: AgentAtWork | undefined;
  agent: string | undefined;
  labels: readonly string[] | undefined;
  closed = false;
  private counts: Map<string, Used> | undefined;
  private children: Set<Scope> | undefined;
  private controller: AbortController | undefined;
  private followers: Set<AbortListener> | undefined;
  /** The first of a list that the pendings form themselves. */
  private pendings: ListedPending | undefined;

  constructor(path: string, parent: Scope | undefined) {
    this.path = path;
    this.parent = parent;
    this.cancelled = parent?.cancelled;
    this.wantsFresh = parent?.wantsFresh ?? false;
    this.actor = parent?.actor;
  }

  nextKey(name: string): StepKey {
    this.counts ??= new Map();
    const used = this.counts.get(name);
    if (used !== undefined) return toStepKey(`${used.path}#${++used.count}`);
    const path = `${this.path}/${toSegment(name)}`;
    this.counts.set(name, { path, count: 1 });
    return toStepKey(path);
  }

  open(childPath: string): Scope {
    const child = new OpenScope(childPath, this);
    this.children ??= new Set();
    this.children.add(child);
    return child;
  }

  signal(): AbortSignal {
    this.controller ??= new AbortController();
    if (this.cancelled !== undefined && !this.controller.signal.aborted) this.controller.abort(this.cancelled);
    return this.controller.signal;
  }

  follow(onAbort: AbortListener): () => void {
    if (this.cancelled !== undefined) {
      onAbort(this.cancelled);
      return () => {};
    }
    const followers = (this.followers ??= new Set()).add(onAbort);
    return () => void followers.delete(onAbort);
  }

  add(pending: ListedPending): void {
    pending.next = this.pendings;
    if (this.pendings !== undefined) this.pendings.previous = pending;
    this.pendings = pending;
  }

  remove(pending: ListedPending): void {
    const { next, previous } = pending;
    if (next !== undefined) next.previous = previous;
    if (previous !== undefined) previous.next = next;
    else if (this.pendings === pending) this.pendings = next;
    pending.next = undefined;
    pending.previous = undefined;
  }

  cancel(error: TuttiError): void {
    if (this.cancelled !== undefined) return;
    this.cancelled = error;
    this.tell(error);
    const pendings: ListedPending[] = [];
    for (let pending = this.pendings; pending !== undefined; pending = pending.next) pendings.push(pending);
    for (const pending of pendings.toReversed()) {
      pending.reject(error);
      pending.onCancel?.();
    }
    for (const child of this.children ?? []) child.cancel(error);
  }

  abort(toReason: () => TuttiError): void {
    if (this.controller !== undefined || (this.followers?.size ?? 0) > 0) this.tell(toReason());
    for (const child of this.children ?? []) child.abort(toReason);
  }

  private tell(reason: TuttiError): void {
    const { followers } = this;
    this.followers = undefined;
    this.controller?.abort(reason);
    followers?.forEach((onAbort) => onAbort(reason));
  }

  isCancelled(key: string): boolean {
    if (this.cancelled !== undefined) return true;
    for (const child of this.children ?? []) {
      if (isUnder(key, child.path)) return child.isCancelled(key);
    }
    return false;
  }

  isClosed(): boolean {
    return this.closed || this.parent?.isClosed() === true;
  }

  close(): void {
    this.closed = true;
  }
}

/** How often a name was used, and its path. */
interface Used {
  readonly path: string;
  count: number;
}

export function openScope(path: string, parent: Scope | undefined): Scope {
  return new OpenScope(path, parent);
}

class OpenPending<Value> implements ListedPending {
  readonly key: StepKey;
  readonly scope: Scope;
  readonly promise: Promise<Value>;
  over = false;
  onCancel: (() => void) | undefined = undefined;
  next: ListedPending | undefined = undefined;
  previous: ListedPending | undefined = undefined;
  private readonly fulfil: (value: Value) => void;
  private readonly refuse: (error: TuttiError) => void;

  constructor(scope: Scope, key: StepKey) {
    this.scope = scope;
    this.key = key;
    const { promise, resolve, reject } = Promise.withResolvers<Value>();
    this.promise = promise;
    this.fulfil = resolve;
    this.refuse = reject;
    scope.add(this);
  }

  resolve(value: unknown): void {
    if (this.over) return;
    this.drop();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller knows what its key returns
    this.fulfil(value as Value);
  }

  reject(error: TuttiError): void {
    if (this.over) return;
    this.drop();
    this.refuse(error);
  }

  drop(): void {
    this.over = true;
    this.scope.remove(this);
  }
}

/** A pending result; its promise is what the flow's code gets for it. */
export function openPending<Value>(scope: Scope, key: StepKey): Pending & { readonly promise: Promise<Value> } {
  return new OpenPending<Value>(scope, key);
}

// No other name becomes this: a percent sign of its own is encoded.
const emptyName = "%";

/** A name as one segment of a path; two names never become one. The characters that structure paths, and those that can't be printed, are written as in a URL. */
export function toSegment(name: string): string {
  if (name === "") return emptyName;
  if (/^[\w.-]+$/.test(name)) return name; // as most are: to make the pattern below takes a third of a millisecond
  return name.replaceAll(/[%/#\p{Cc}]/gu, encodeURIComponent);
}

/** True when `key` lies under `path`. */
export function isUnder(key: string, path: string): boolean {
  return path === "" || (key.startsWith(path) && (key.length === path.length || key.charAt(path.length) === "/"));
}
