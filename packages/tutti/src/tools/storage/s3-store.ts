import { hash as digest } from "node:crypto";

import { sha256 } from "../../base/hash.ts";
import type { HttpAnswer } from "../http/exchange.ts";
import {
  checkContent,
  checkHash,
  checkNewObject,
  damaged,
  parseProvenance,
  toProvenanceText,
} from "./object-records.ts";
import {
  objectBytesMax,
  provenancesMax,
  toProvenanceName,
  type NewObject,
  type ObjectStore,
  type Provenance,
  type StoredObject,
} from "./object-store.ts";
import { s3Client, type S3Options, type S3Request } from "./s3-client.ts";

const recordBytesMax = 100_000;
const listBytesMax = 1_000_000;

/**
 * Objects in a bucket of a service that speaks S3: the content under its hash, and for everyone who stored it a record under
 * `<hash>.from/`. The content is written last, on condition that it is not there, and the service checks it against its hash.
 * @throws TuttiError DEFINITION_INVALID
 */
export function s3Store(options: S3Options): ObjectStore {
  const ask = s3Client(options);
  const { name = "s3", bucket, prefix = "", bytesMax = objectBytesMax, conditionalWrites = true } = options;
  const uriOf = (hash: string): string => `s3://${bucket}/${prefix}${hash}`;
  const toObject = (hash: string, { headers }: HttpAnswer): StoredObject => ({
    hash,
    bytes: Number(headers["content-length"] ?? "0"),
    mediaType: headers["content-type"] ?? "application/octet-stream",
    uri: uriOf(hash),
  });
  const headObject = async (hash: string, signal: AbortSignal): Promise<StoredObject | undefined> => {
    const answer = await ask({ method: "HEAD", key: hash, bytesMax: 0, accepts: 404 }, signal);
    return answer.status === 404 ? undefined : toObject(hash, answer);
  };
  return {
    name,
    async put(object, signal) {
      checkNewObject(object, bytesMax);
      const hash = sha256(object.content);
      const record = `${hash}.from/${toProvenanceName(object.from)}.json`;
      const content = Buffer.from(toProvenanceText(object.from));
      await ask(toPut(record, { content, mediaType: "application/json" }, conditionalWrites), signal);
      const { status } = await ask(toPut(hash, object, conditionalWrites), signal);
      const stored = { hash, bytes: object.content.length, mediaType: object.mediaType, uri: uriOf(hash) };
      if (status !== 412) return stored;
      const known = await headObject(hash, signal);
      if (known?.bytes !== stored.bytes) throw damaged(uriOf(hash), "something else is stored under its hash");
      return known;
    },
    async get(hash, signal) {
      checkHash(hash);
      const answer = await ask({ method: "GET", key: hash, bytesMax, accepts: 404 }, signal);
      if (answer.status === 404) return undefined;
      checkContent(hash, answer.body, uriOf(hash));
      return { object: { ...toObject(hash, answer), bytes: answer.body.length }, content: answer.body };
    },
    async head(hash, signal) {
      checkHash(hash);
      const object = await headObject(hash, signal);
      if (object === undefined) return undefined;
      const query = { "list-type": "2", prefix: `${prefix}${hash}.from/`, "max-keys": String(provenancesMax) };
      const list = await ask({ method: "GET", key: "", query, bytesMax: listBytesMax }, signal);
      const from: Provenance[] = [];
      for (const key of keysIn(readList(list.body, uriOf(hash)), hash)) {
        const record = await ask({ method: "GET", key, bytesMax: recordBytesMax }, signal);
        from.push(parseProvenance(toText(record.body), uriOf(hash)));
      }
      return { ...object, from };
    },
  };
}

/** 412: it is there already. */
function toPut(
  key: string,
  { content, mediaType }: Pick<NewObject, "content" | "mediaType">,
  onlyNew: boolean,
): S3Request {
  return {
    method: "PUT",
    key,
    body: content,
    headers: {
      "content-type": mediaType,
      "x-amz-checksum-sha256": digest("sha256", content, "base64"),
      ...(onlyNew ? { "if-none-match": "*" } : {}),
    },
    bytesMax: recordBytesMax,
    accepts: 412,
  };
}

function toText(body: Uint8Array): string {
  return Buffer.from(body).toString("utf8");
}

/** @throws TuttiError TOOL_ANSWER_INVALID when it is no list, or not all of it */
function readList(body: Uint8Array, uri: string): string {
  const xml = toText(body);
  if (/<ListBucketResult[\s>][^]*<\/ListBucketResult>\s*$/.test(xml)) return xml;
  throw damaged(uri, "the service did not list who stored it");
}

/** The keys of an object's records in a list of a bucket. They are of letters, digits and dots only, so nothing in the XML is escaped. */
function keysIn(xml: string, hash: string): readonly string[] {
  return [...xml.matchAll(new RegExp(`<Key>[^<]*?(${hash}\\.from/[0-9a-f]{16}\\.json)</Key>`, "g"))]
    .map((match) => match[1] ?? "")
    .slice(0, provenancesMax);
}
