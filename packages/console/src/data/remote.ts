import { useEffect, useSyncExternalStore } from "react";
import { ClientError, type AnswerOf, type Operation, type Sending } from "tutti/client";

import { client } from "./api.ts";
import { onRing, type Ring } from "./live.ts";

/** What a screen asked the server for: the newest answer, and what went wrong with the newest question. */
export interface Remote<Value> {
  readonly value: Value | undefined;
  readonly error: ClientError | undefined;
  readonly isLoading: boolean;
  readonly refresh: () => void;
}

interface Slot {
  remote: Remote<unknown>;
  readonly watchers: Set<() => void>;
  isAgain: boolean;
  timer: ReturnType<typeof setTimeout> | undefined;
  /** Something came while the timer ran. */
  isRung: boolean;
}

const slots = new Map<string, Slot>();
/** Answers that nobody looks at any more are forgotten, the oldest first. */
const slotsMax = 100;

export interface RemoteOptions {
  /**
   * Asks anew when one of these entries came, at most so often, and so long after the last of them. That a run has come to wait leaves no entry; its
   * head says so 100 ms later.
   */
  readonly live?: { readonly fits: (entries: Parameters<Ring>[0]) => boolean; readonly everyMs: number } | undefined;
}

/** Asks the server, keeps the answer while somebody shows it, and asks again when it may have changed. Without `sending` it asks nothing. */
export function useRemote<Name extends Operation>(
  operation: Name,
  sending: Sending<Name> | undefined,
  { live }: RemoteOptions = {},
): Remote<AnswerOf<Name>> {
  const key = sending === undefined ? undefined : JSON.stringify([operation, sending.params, sending.query]);
  const load = (): Promise<unknown> => client.call(operation, sending);
  const slot = key === undefined ? undefined : reach(key, load);
  const remote = useSyncExternalStore(
    (watch) => {
      slot?.watchers.add(watch);
      return () => slot?.watchers.delete(watch);
    },
    () => slot?.remote ?? nothing,
  );
  useEffect(() => {
    // What was kept is shown at once, and asked anew by the first who shows it again.
    if (slot !== undefined && (slot.remote.value === undefined || slot.watchers.size <= 1)) ask(slot, load);
  }, [key]);
  useEffect(() => {
    if (slot === undefined || live === undefined) return undefined;
    const arm = (): void => {
      slot.isRung = false;
      slot.timer = setTimeout(() => {
        slot.timer = undefined;
        ask(slot, load);
        if (slot.isRung) arm();
      }, live.everyMs);
    };
    return onRing((entries) => {
      if (entries.length > 0 && !live.fits(entries)) return;
      if (slot.timer === undefined) arm();
      else slot.isRung = true;
    });
  }, [key]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the key holds the operation, and the client checked its answer
  return remote as Remote<AnswerOf<Name>>;
}

const nothing: Remote<unknown> = { value: undefined, error: undefined, isLoading: false, refresh() {} };

function reach(key: string, load: () => Promise<unknown>): Slot {
  const known = slots.get(key);
  if (known !== undefined) return known;
  for (const [old, { watchers }] of slots) {
    if (slots.size < slotsMax) break;
    if (watchers.size === 0) slots.delete(old);
  }
  const slot: Slot = {
    remote: { value: undefined, error: undefined, isLoading: true, refresh: () => ask(slot, load) },
    watchers: new Set(),
    isAgain: false,
    timer: undefined,
    isRung: false,
  };
  slots.set(key, slot);
  return slot;
}

const asking = new WeakSet<Slot>();

/** One question at a time; who asks meanwhile is answered by the next. */
function ask(slot: Slot, load: () => Promise<unknown>): void {
  if (asking.has(slot)) {
    slot.isAgain = true;
    return;
  }
  asking.add(slot);
  tell(slot, { isLoading: true });
  void load()
    .then(
      (value) => tell(slot, { value, error: undefined, isLoading: false }),
      (thrown: unknown) => tell(slot, { error: toError(thrown), isLoading: false }),
    )
    .finally(() => {
      asking.delete(slot);
      if (!slot.isAgain) return;
      slot.isAgain = false;
      ask(slot, load);
    });
}

function tell(slot: Slot, change: Partial<Remote<unknown>>): void {
  slot.remote = { ...slot.remote, ...change };
  for (const watch of slot.watchers) watch();
}

export function toError(thrown: unknown): ClientError {
  if (thrown instanceof ClientError) return thrown;
  return new ClientError({ status: 0, code: "UNEXPECTED", message: String(thrown), cause: thrown });
}

/** Forgets every answer: somebody else is signed in, or nobody. */
export function forgetAnswers(): void {
  slots.clear();
}
