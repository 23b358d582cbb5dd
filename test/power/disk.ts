import { assert } from "../../packages/tutti/src/base/assert.ts";
import type { Chance } from "../../packages/tutti/src/base/chance.ts";
import type { Operation } from "./trace.ts";

/** How a power cut treats what was not synced: it is gone, it is all there, or chance decides for every sector. */
export type Cut = "nothing-kept" | "all-kept" | "by-chance";

/** A disk as POSIX describes it: what was not synced may be there or not, contents and names alike. */
export interface Disk {
  apply(operation: Operation): void;
  /** The files after a power cut at this moment. */
  cutPower(cut: Cut, chance: Chance): ReadonlyMap<string, Buffer>;
}

/** The contents of a file, apart from its names. */
interface Content {
  synced: Buffer;
  /** How many changes are in `synced`. */
  syncedCount: number;
  /** Changes since, oldest first. */
  unsynced: readonly Change[];
}

type Change =
  | { readonly kind: "write"; readonly offset: number; readonly data: Buffer }
  | { readonly kind: "truncate"; readonly length: number };

interface OpenFile {
  readonly content: Content | "folder";
  position: number;
}

interface State {
  /** Files whose path begins like this are on the disk; what the system and Node read is not. */
  readonly prefix: string;
  readonly folder: string;
  readonly names: Map<string, Content>;
  syncedNames: ReadonlyMap<string, Content>;
  readonly open: Map<number, OpenFile>;
  readonly syncs: Map<
    string,
    { readonly upTo: number; readonly content: Content } | { readonly names: ReadonlyMap<string, Content> }
  >;
}

const sectorBytes = 512;

export function createDisk(folder: string, prefix: string): Disk {
  const state: State = { prefix, folder, names: new Map(), syncedNames: new Map(), open: new Map(), syncs: new Map() };
  return {
    apply: (operation) => apply(state, operation),
    cutPower(cut, chance) {
      const files = new Map<string, Buffer>();
      for (const path of new Set([...state.names.keys(), ...state.syncedNames.keys()])) {
        const isNewest = cut === "all-kept" || (cut === "by-chance" && chance() < 0.5);
        const content = (isNewest ? state.names : state.syncedNames).get(path);
        // SQLite rebuilds the shared memory file; nothing is ever written to the lock file.
        if (content !== undefined && !path.endsWith("-shm") && !path.endsWith("-lock"))
          files.set(path, toContent(content, cut, chance));
      }
      return files;
    },
  };
}

function apply(state: State, operation: Operation): void {
  switch (operation.kind) {
    case "session":
      state.open.clear();
      return;
    case "open":
      openFile(state, operation);
      return;
    case "close":
      state.open.delete(operation.descriptor);
      return;
    case "write": {
      const file = state.open.get(operation.descriptor);
      if (file === undefined || file.content === "folder") return;
      const offset = operation.offset ?? file.position;
      assert(Number.isInteger(offset), "every way of writing to a file is understood");
      if (operation.offset === undefined) file.position += operation.data.length;
      change(file.content, { kind: "write", offset, data: operation.data });
      return;
    }
    case "truncate": {
      const file = state.open.get(operation.descriptor);
      if (file !== undefined && file.content !== "folder")
        change(file.content, { kind: "truncate", length: operation.length });
      return;
    }
    case "sync-started":
    case "sync-ended":
      applySync(state, operation);
      return;
    case "rename":
    case "unlink":
      applyName(state, operation);
      return;
    case "acknowledged":
      return;
  }
}

function openFile(state: State, { descriptor, path, creates, empties }: Extract<Operation, { kind: "open" }>): void {
  state.open.delete(descriptor);
  if (path === state.folder) state.open.set(descriptor, { content: "folder", position: 0 });
  if (!path.startsWith(state.prefix)) return;
  let content = state.names.get(path);
  if (content === undefined) {
    assert(creates, `${path} was opened, so it exists`);
    content = { synced: Buffer.alloc(0), syncedCount: 0, unsynced: [] };
    state.names.set(path, content);
  }
  if (empties) change(content, { kind: "truncate", length: 0 });
  state.open.set(descriptor, { content, position: 0 });
}

function applySync(
  state: State,
  { kind, descriptor, thread }: Extract<Operation, { kind: "sync-started" | "sync-ended" }>,
): void {
  if (kind === "sync-started") {
    const file = state.open.get(descriptor);
    if (file === undefined) return;
    const { content } = file;
    state.syncs.set(
      thread,
      content === "folder"
        ? { names: new Map(state.names) }
        : { content, upTo: content.syncedCount + content.unsynced.length },
    );
    return;
  }
  const sync = state.syncs.get(thread);
  state.syncs.delete(thread);
  if (sync === undefined) return;
  if ("names" in sync) {
    state.syncedNames = sync.names;
    return;
  }
  applySynced(sync.content, sync.upTo);
}

/** Another sync of the same file may have ended meanwhile, and have covered more. */
function applySynced(content: Content, upTo: number): void {
  const count = Math.max(0, upTo - content.syncedCount);
  for (const each of content.unsynced.slice(0, count)) content.synced = applyChange(content.synced, each);
  content.unsynced = content.unsynced.slice(count);
  content.syncedCount += count;
}

function applyName(state: State, operation: Extract<Operation, { kind: "rename" | "unlink" }>): void {
  if (operation.kind === "unlink") {
    state.names.delete(operation.path);
    return;
  }
  const content = state.names.get(operation.from);
  if (content === undefined) return;
  state.names.delete(operation.from);
  state.names.set(operation.to, content);
}

function change(content: Content, next: Change): void {
  content.unsynced = [...content.unsynced, next];
}

/** Changes the bytes in place where they are long enough. */
function applyChange(before: Buffer, next: Change): Buffer {
  const length = next.kind === "truncate" ? next.length : Math.max(before.length, next.offset + next.data.length);
  const after = length <= before.length ? before.subarray(0, length) : Buffer.concat([before], length); // longer by zeros
  if (next.kind === "write") next.data.copy(after, next.offset);
  return after;
}

function toContent({ synced, unsynced }: Content, cut: Cut, chance: Chance): Buffer {
  if (cut === "nothing-kept") return synced;
  let bytes: Buffer = Buffer.from(synced);
  for (const each of unsynced) {
    const fate = cut === "all-kept" ? 1 : chance();
    if (fate < 0.4) continue; // never reached the disk
    if (fate >= 0.7 || each.kind === "truncate") bytes = applyChange(bytes, each);
    else for (const sector of toSectors(each.offset, each.data)) if (chance() < 0.5) bytes = applyChange(bytes, sector);
  }
  return bytes;
}

function toSectors(offset: number, data: Buffer): readonly Extract<Change, { kind: "write" }>[] {
  const sectors: Extract<Change, { kind: "write" }>[] = [];
  let start = 0;
  while (start < data.length) {
    const end = Math.min(data.length, start + sectorBytes - ((offset + start) % sectorBytes));
    sectors.push({ kind: "write", offset: offset + start, data: data.subarray(start, end) });
    start = end;
  }
  return sectors;
}
