import { sha256 } from "../../base/hash.ts";

/** Something to keep, and where it came from. */
export interface NewObject {
  readonly content: Uint8Array;
  readonly mediaType: string;
  readonly from: Provenance;
}

/** Which step of which run made it, and what it was called there. */
export interface Provenance {
  readonly run: string;
  readonly step: string;
  readonly name?: string;
}

/** What is known of a stored object. Its name is what it holds: SHA-256, 64 hexadecimal digits. */
export interface StoredObject {
  readonly hash: string;
  readonly bytes: number;
  /** As it was first stored. */
  readonly mediaType: string;
  /** Where it is, for people and other programs. */
  readonly uri: string;
}

export interface ObjectInfo extends StoredObject {
  /** Everyone who stored this content, at most 100. */
  readonly from: readonly Provenance[];
}

/**
 * Keeps content under its hash. The same content is kept once, whoever stores it and however often. An object is visible as a whole, with
 * its provenance, or not at all.
 */
export interface ObjectStore {
  readonly name: string;
  /** Durable when it resolves. */
  put(object: NewObject, signal: AbortSignal): Promise<StoredObject>;
  /** Checked against its hash. @throws TuttiError TOOL_ANSWER_INVALID when it is damaged. */
  get(
    hash: string,
    signal: AbortSignal,
  ): Promise<{ readonly object: StoredObject; readonly content: Uint8Array } | undefined>;
  /** Without reading the content. */
  head(hash: string, signal: AbortSignal): Promise<ObjectInfo | undefined>;
}

/** Larger objects are refused, unless a store is given another limit. */
export const objectBytesMax = 64_000_000;
export const provenancesMax = 100;

export function isHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/** Names a record of provenance: the same step that stores the same thing again writes the same record. */
export function toProvenanceName(from: Provenance): string {
  return sha256(JSON.stringify([from.run, from.step, from.name ?? ""])).slice(0, 16);
}
