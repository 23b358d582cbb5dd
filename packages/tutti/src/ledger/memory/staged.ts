/** What a transaction changes is kept apart until its commit, so that readers never see what may be taken back. */
interface Staged {
  commit(): void;
  rollback(): void;
}

export interface StagedList<Item> extends Staged {
  readonly committed: readonly Item[];
  readonly staged: Item[];
}

export interface StagedMap<Key, Value> extends Staged {
  /** What the transaction sees: its own changes first. */
  find(key: Key): Value | undefined;
  findCommitted(key: Key): Value | undefined;
  put(key: Key, value: Value): void;
  remove(key: Key): void;
  /** Committed ones, in the order in which their keys came. */
  values(): Iterable<Value>;
  entries(): Iterable<readonly [Key, Value]>;
}

export function createStagedList<Item>(): StagedList<Item> {
  const committed: Item[] = [];
  const staged: Item[] = [];
  return {
    committed,
    staged,
    commit() {
      for (const item of staged) committed.push(item);
      staged.length = 0;
    },
    rollback() {
      staged.length = 0;
    },
  };
}

export function createStagedMap<Key, Value>(): StagedMap<Key, Value> {
  const committed = new Map<Key, Value>();
  /** `undefined` is what will be removed. */
  const staged = new Map<Key, Value | undefined>();
  return {
    find: (key) => (staged.has(key) ? staged.get(key) : committed.get(key)),
    findCommitted: (key) => committed.get(key),
    put(key, value) {
      staged.set(key, value);
    },
    remove(key) {
      staged.set(key, undefined);
    },
    commit() {
      for (const [key, value] of staged) {
        if (value === undefined) committed.delete(key);
        else committed.set(key, value);
      }
      staged.clear();
    },
    rollback() {
      staged.clear();
    },
    values: () => committed.values(),
    entries: () => committed.entries(),
  };
}
