/** Who wants to be told about what, in this process. */
export interface Listeners<Key, Told> {
  /** Returns the function that takes the listener back. */
  add(key: Key, listener: (told: Told) => void): () => void;
  has(key: Key): boolean;
  tell(key: Key, told: Told): void;
  tellAll(told: Told): void;
}

export function openListeners<Key, Told>(): Listeners<Key, Told> {
  // Lists are never changed, only replaced: a listener may leave, or another come, while they are told. Most have one.
  const listenersByKey = new Map<Key, readonly ((told: Told) => void)[]>();
  const listeners: Listeners<Key, Told> = {
    add(key, listener) {
      const present = listenersByKey.get(key);
      listenersByKey.set(key, present === undefined ? [listener] : [...present, listener]);
      return () => {
        const now = listenersByKey.get(key);
        if (now?.length === 1 && now[0] === listener) listenersByKey.delete(key);
        else if (now !== undefined)
          listenersByKey.set(
            key,
            now.filter((each) => each !== listener),
          );
      };
    },
    has: (key) => listenersByKey.has(key),
    tell(key, told) {
      for (const listener of listenersByKey.get(key) ?? []) listener(told);
    },
    tellAll(told) {
      for (const key of Array.from(listenersByKey.keys())) listeners.tell(key, told);
    },
  };
  return listeners;
}
