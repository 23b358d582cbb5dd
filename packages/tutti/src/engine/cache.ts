/** Things that are opened once, when they are first asked for. */
export interface Cache<Key, Value> {
  /** What could not be opened is tried again by the next who asks. */
  get(key: Key): Promise<Value>;
  /** All that are open, or being opened. */
  all(): Promise<readonly Value[]>;
}

export function openCache<Key, Value>(open: (key: Key) => Promise<Value>): Cache<Key, Value> {
  const opened = new Map<Key, Promise<Value>>();
  return {
    get(key) {
      const present = opened.get(key);
      if (present !== undefined) return present;
      const opening = open(key);
      opened.set(key, opening);
      opening.catch(() => opened.delete(key));
      return opening;
    },
    async all() {
      const settled = await Promise.allSettled(opened.values());
      return settled.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    },
  };
}
