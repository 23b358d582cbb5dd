import { pathToFileURL } from "node:url";

import { isTuttiError } from "../../base/errors.ts";
import { sha256 } from "../../base/hash.ts";
import { wholeFiles } from "../whole-files.ts";
import {
  checkContent,
  checkHash,
  checkNewObject,
  damaged,
  parseAbout,
  parseProvenance,
  toAboutText,
  toProvenanceText,
} from "./object-records.ts";
import {
  objectBytesMax,
  provenancesMax,
  toProvenanceName,
  type ObjectStore,
  type Provenance,
  type StoredObject,
} from "./object-store.ts";

export interface FolderStoreOptions {
  /** Is made when the first object comes. May be shared by several processes. */
  readonly folder: string;
  /** What the ledger calls it; `folder` by default. Needed when a tool has two. */
  readonly name?: string;
  /** Of one object; 64 MB by default. */
  readonly bytesMax?: number;
}

const recordBytesMax = 100_000;

/**
 * Objects in a folder: `objects/<two digits>/<hash>/` holds `content`, `about.json` and, for everyone who stored it, a record in `from/`.
 * The content is written last: an object that can be seen has its records.
 */
export function folderStore({ folder, name = "folder", bytesMax = objectBytesMax }: FolderStoreOptions): ObjectStore {
  const files = wholeFiles(folder);
  const uriOf = (hash: string): string => pathToFileURL(files.pathOf([...placeOf(hash), "content"])).href;

  const readAbout = async (hash: string): Promise<StoredObject | undefined> => {
    const record = await files.read([...placeOf(hash), "about.json"], recordBytesMax);
    if (record === undefined) return undefined;
    return { hash, ...parseAbout(record.toString("utf8"), uriOf(hash)), uri: uriOf(hash) };
  };
  const readFrom = async (hash: string): Promise<readonly Provenance[]> => {
    const place = [...placeOf(hash), "from"];
    const records: Provenance[] = [];
    for (const file of await files.list(place, provenancesMax)) {
      const record = await files.read([...place, file], recordBytesMax);
      if (record !== undefined) records.push(parseProvenance(record.toString("utf8"), uriOf(hash)));
    }
    return records;
  };

  return {
    name,
    async put(object, signal) {
      checkNewObject(object, bytesMax);
      const hash = sha256(object.content);
      const place = placeOf(hash);
      signal.throwIfAborted();
      const known = await readAbout(hash).catch((error: unknown) => {
        if (isTuttiError(error) && error.code === "TOOL_ANSWER_INVALID") return undefined; // damaged: written anew
        throw error;
      });
      if (known?.bytes !== object.content.length) await files.write([...place, "about.json"], toAboutText(object));
      signal.throwIfAborted();
      await files.write([...place, "from", `${toProvenanceName(object.from)}.json`], toProvenanceText(object.from));
      signal.throwIfAborted();
      // Written even if it is there: the other writer may not have made it durable yet, and a damaged one is repaired.
      await files.write([...place, "content"], object.content);
      const about = (await readAbout(hash)) ?? {
        hash,
        bytes: object.content.length,
        mediaType: object.mediaType,
        uri: uriOf(hash),
      };
      return about;
    },
    async get(hash, signal) {
      checkHash(hash);
      signal.throwIfAborted();
      const content = await files.read([...placeOf(hash), "content"], bytesMax);
      if (content === undefined) return undefined;
      checkContent(hash, content, uriOf(hash));
      const object = await readAbout(hash);
      if (object === undefined) throw damaged(uriOf(hash), "its record is missing");
      return { object, content };
    },
    async head(hash, signal) {
      checkHash(hash);
      signal.throwIfAborted();
      const isThere = (await files.list(placeOf(hash), 10)).includes("content");
      const object = isThere ? await readAbout(hash) : undefined;
      return object === undefined ? undefined : { ...object, from: await readFrom(hash) };
    },
  };
}

function placeOf(hash: string): readonly string[] {
  return ["objects", hash.slice(0, 2), hash];
}
