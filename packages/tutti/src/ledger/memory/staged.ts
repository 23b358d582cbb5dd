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
  /** Committed ones, in the order in which their keys came. */
  values(): Iterable<Value>;
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
  const staged = new Map<Key, Value>();
  return {
    find: (key) => staged.get(key) ?? committed.get(key),
    findCommitted: (key) => committed.get(key),
    put(key, value) {
      staged.set(key, value);
    },
    commit() {
      for (const [key, value] of staged) committed.set(key, value);
      staged.clear();
    },
    rollback() {
      staged.clear();
    },
    values: () => committed.values(),
  };
}
