/** Who wants to be told about what, in this process. */
export interface Listeners<Key, Told> {
  /** Returns the function that takes the listener back. */
  add(key: Key, listener: (told: Told) => void): () => void;
  tell(key: Key, told: Told): void;
}

export function openListeners<Key, Told>(): Listeners<Key, Told> {
  const listenersByKey = new Map<Key, Set<(told: Told) => void>>();
  return {
    add(key, listener) {
      const listeners = listenersByKey.get(key) ?? new Set();
      listenersByKey.set(key, listeners.add(listener));
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0 && listenersByKey.get(key) === listeners) listenersByKey.delete(key);
      };
    },
    tell(key, told) {
      // A copy: a listener may leave, or another come, while they are told.
      const listeners = Array.from(listenersByKey.get(key) ?? []);
      for (const listener of listeners) listener(told);
    },
  };
}
