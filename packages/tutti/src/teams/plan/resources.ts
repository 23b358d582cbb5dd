import type { Access } from "./roster.ts";

/** Why a task that could run does not yet: another one holds what it would change, or changes what it would look at. */
export interface Held {
  readonly id: string;
  readonly by: string;
  readonly resource: string;
  readonly why: "both write it" | "it writes what the other reads" | "it reads what the other writes";
}

/** Who holds what is read and written, and who waits for it. */
export interface Resources {
  /** Takes all of it at once; or nothing, and the task waits for the first thing that it can't have. */
  tryToTake(id: string, access: Access): Obstacle | undefined;
  /** Gives all of it back. Returns the names for which somebody may be waiting. */
  release(id: string, access: Access): readonly string[];
  /** Takes the task out of the queue that can have the resource next, the one that comes first in the plan. */
  nextFor(resource: string): string | undefined;
}

interface Obstacle {
  readonly held: Omit<Held, "id">;
  /** False when the task was already held back by the same one for the same. */
  readonly isNew: boolean;
}

interface Resource {
  writer: string | undefined;
  readonly readers: Set<string>;
  readonly waitingWriters: Queue;
  readonly waitingReaders: Queue;
}

/** Any number may read while nobody writes; one may write while nobody else does either. */
export function openResources(ids: readonly string[]): Resources {
  const placeOf = new Map(ids.map((id, place) => [id, place]));
  const byName = new Map<string, Resource>();
  const told = new Map<string, string>();
  const open = (name: string): Resource => {
    let resource = byName.get(name);
    if (resource === undefined) {
      resource = { writer: undefined, readers: new Set(), waitingWriters: openQueue(), waitingReaders: openQueue() };
      byName.set(name, resource);
    }
    return resource;
  };
  const place = (id: string | undefined): number => (id === undefined ? Infinity : (placeOf.get(id) ?? Infinity));
  const hold = (id: string, held: Omit<Held, "id">): Obstacle => {
    const isNew = told.get(id) !== `${held.by} ${held.resource}`;
    told.set(id, `${held.by} ${held.resource}`);
    return { held, isNew };
  };
  return {
    tryToTake(id, { reads, writes }) {
      for (const name of writes) {
        const { writer, readers, waitingWriters } = open(name);
        const by = writer ?? readers.values().next().value;
        if (by === undefined) continue;
        waitingWriters.push(id);
        return hold(id, {
          by,
          resource: name,
          why: writer === undefined ? "it writes what the other reads" : "both write it",
        });
      }
      for (const name of reads) {
        const { writer, waitingReaders } = open(name);
        if (writer === undefined) continue;
        waitingReaders.push(id);
        return hold(id, { by: writer, resource: name, why: "it reads what the other writes" });
      }
      for (const name of writes) open(name).writer = id;
      for (const name of reads) open(name).readers.add(id);
      return undefined;
    },
    release(id, { reads, writes }) {
      for (const name of writes) open(name).writer = undefined;
      for (const name of reads) open(name).readers.delete(id);
      return [...writes, ...reads];
    },
    nextFor(name) {
      const { writer, readers, waitingWriters, waitingReaders } = open(name);
      if (writer !== undefined) return undefined;
      if (readers.size > 0) return waitingReaders.shift();
      return place(waitingWriters.first()) < place(waitingReaders.first())
        ? waitingWriters.shift()
        : waitingReaders.shift();
    },
  };
}

interface Queue {
  push(id: string): void;
  first(): string | undefined;
  shift(): string | undefined;
}

// Taking from the front of an array costs its length.
function openQueue(): Queue {
  const ids: string[] = [];
  let next = 0;
  return {
    push: (id) => void ids.push(id),
    first: () => ids[next],
    shift: () => (next < ids.length ? ids[next++] : undefined),
  };
}
