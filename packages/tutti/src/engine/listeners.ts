/** Who wants to be told about what, in this process. */
export interface Listeners<Key, Told> {
  /** Returns the function that takes the listener back. */
  add(key: Key, listener: (told: Told) => void): () => void;
  has(key: Key): boolean;
  tell(key: Key, told: Told): void;
  tellAll(told: Told): void;
}

export function openListeners<Key, Told>(): Listeners<Key, Told> {
  const listenersByKey = new Map<Key, Set<(told: Told) => void>>();
  const listeners: Listeners<Key, Told> = {
    add(key, listener) {
      const present = listenersByKey.get(key) ?? new Set();
      listenersByKey.set(key, present.add(listener));
      return () => {
        present.delete(listener);
        if (present.size === 0 && listenersByKey.get(key) === present) listenersByKey.delete(key);
      };
    },
    has: (key) => listenersByKey.has(key),
    tell(key, told) {
      // A copy: a listener may leave, or another come, while they are told.
      const present = Array.from(listenersByKey.get(key) ?? []);
      for (const listener of present) listener(told);
    },
    tellAll(told) {
      for (const key of Array.from(listenersByKey.keys())) listeners.tell(key, told);
    },
  };
  return listeners;
}
