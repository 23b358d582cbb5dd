import type { TuttiError } from "../base/errors.ts";
import { toStepKey, type StepKey } from "../contracts/ids.ts";

/** A named sub-tree of a run: where paths are counted, where cancelling stops, where signals are charged. */
export interface Scope {
  readonly path: string;
  readonly parent: Scope | undefined;
  /** Set once, when the scope or one above it was cancelled. */
  readonly cancelled: TuttiError | undefined;
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
  add(pending: Pending): void;
  remove(pending: Pending): void;
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

export function openScope(path: string, parent: Scope | undefined): Scope {
  const counts = new Map<string, number>();
  const children = new Set<Scope>();
  const pendings = new Set<Pending>();
  let controller: AbortController | undefined;
  let cancelled: TuttiError | undefined = parent?.cancelled;
  let closed = false;

  const scope: Scope = {
    path,
    parent,
    get cancelled() {
      return cancelled;
    },
    get closed() {
      return closed;
    },
    consumed: [],
    nextKey(name) {
      const segment = toSegment(name);
      const count = (counts.get(segment) ?? 0) + 1;
      counts.set(segment, count);
      return toStepKey(count === 1 ? `${path}/${segment}` : `${path}/${segment}#${count}`);
    },
    open(childPath) {
      const child = openScope(childPath, scope);
      children.add(child);
      return child;
    },
    signal() {
      controller ??= new AbortController();
      if (cancelled !== undefined && !controller.signal.aborted) controller.abort(cancelled);
      return controller.signal;
    },
    add: (pending) => void pendings.add(pending),
    remove: (pending) => void pendings.delete(pending),
    cancel(error) {
      if (cancelled !== undefined) return;
      cancelled = error;
      controller?.abort(error);
      for (const pending of Array.from(pendings)) {
        pending.reject(error);
        pending.onCancel?.();
      }
      for (const child of children) child.cancel(error);
    },
    abort(toReason) {
      controller?.abort(toReason());
      for (const child of children) child.abort(toReason);
    },
    isCancelled(key) {
      if (cancelled !== undefined) return true;
      for (const child of children) {
        if (isUnder(key, child.path)) return child.isCancelled(key);
      }
      return false;
    },
    isClosed() {
      return closed || parent?.isClosed() === true;
    },
    close() {
      closed = true;
    },
  };
  return scope;
}

/** A pending result and the promise that the flow's code gets for it. */
export function openPending<Value>(
  scope: Scope,
  key: StepKey,
): { readonly pending: Pending; readonly promise: Promise<Value> } {
  const { promise, resolve, reject } = Promise.withResolvers<Value>();
  let over = false;
  const pending: Pending = {
    key,
    scope,
    get over() {
      return over;
    },
    resolve(value) {
      if (over) return;
      over = true;
      scope.remove(pending);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller knows what its key returns
      resolve(value as Value);
    },
    reject(error) {
      if (over) return;
      over = true;
      scope.remove(pending);
      reject(error);
    },
    drop() {
      over = true;
      scope.remove(pending);
    },
    onCancel: undefined,
  };
  scope.add(pending);
  return { pending, promise };
}

// The characters that structure paths, and whatever can't be printed.
const structural = /[%/#\p{Cc}]/u;
const structuralAll = /[%/#\p{Cc}]/gu;

// No other name becomes this: a percent sign of its own is encoded.
const emptyName = "%";

/** A name as one segment of a path; two names never become one. The characters that structure paths are written as in a URL. */
export function toSegment(name: string): string {
  if (name === "") return emptyName;
  return structural.test(name) ? name.replaceAll(structuralAll, encodeURIComponent) : name;
}

/** True when `key` lies under `path`. */
export function isUnder(key: string, path: string): boolean {
  return path === "" || (key.startsWith(path) && (key.length === path.length || key.charAt(path.length) === "/"));
}
