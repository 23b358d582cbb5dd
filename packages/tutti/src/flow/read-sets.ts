import type { DocumentId } from "../contracts/ids.ts";
import { isUnder } from "./scope.ts";

export type DocumentReads = ReadonlyMap<DocumentId, number>;

/**
 * Which versions of which documents each part of a run relies on, by the part's path. What was read inside a part still counts for the part
 * around it when the inner one has ended, because its result carries it on; parts side by side do not know of each other.
 */
export interface ReadSets {
  /** This part has just read that version: what it or its inner parts knew before is replaced. */
  read(path: string, document: DocumentId, version: number): void;
  /** The version that this part relies on. */
  find(path: string, document: DocumentId): number | undefined;
  /** Everything that what happens here relies on. */
  at(path: string): DocumentReads;
  /** What was read inside this part, itself included. */
  inside(path: string): DocumentReads;
  /** What was read inside a part that replays as one record. */
  adopt(path: string, reads: Readonly<Record<string, number>>): void;
}

export function openReadSets(): ReadSets {
  const readsByPath = new Map<string, Map<DocumentId, number>>();
  const addInside = (path: string, into: Map<DocumentId, number>, skip: string | undefined): void => {
    const found = new Map<DocumentId, number>();
    for (const [inner, reads] of readsByPath) {
      if (inner === skip || !isUnder(inner, path)) continue;
      // Of several readings inside the oldest counts: whoever made it passed it on.
      for (const [document, version] of reads)
        found.set(document, Math.min(version, found.get(document) ?? Number.POSITIVE_INFINITY));
    }
    for (const [document, version] of found) into.set(document, version);
  };
  const sets: ReadSets = {
    read(path, document, version) {
      for (const [inner, reads] of readsByPath) if (isUnder(inner, path)) reads.delete(document);
      const own = readsByPath.get(path);
      if (own === undefined) readsByPath.set(path, new Map([[document, version]]));
      else own.set(document, version);
    },
    find: (path, document) => sets.at(path).get(document),
    at(path) {
      const relied = new Map<DocumentId, number>();
      const around = [...readsByPath.keys()].filter((outer) => isUnder(path, outer));
      // The nearer reading is the later one, or it would have been replaced.
      for (const outer of around.toSorted((left, right) => left.length - right.length))
        for (const [document, version] of readsByPath.get(outer) ?? []) relied.set(document, version);
      addInside(path, relied, path);
      return relied;
    },
    inside(path) {
      const found = new Map<DocumentId, number>();
      addInside(path, found, undefined);
      return found;
    },
    adopt(path, reads) {
      for (const [document, version] of Object.entries(reads)) {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by the line that stored it
        sets.read(path, document as DocumentId, version);
      }
    },
  };
  return sets;
}
