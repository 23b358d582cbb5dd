import { TuttiError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import { toJsonText } from "../base/json.ts";
import { knowsSecrets } from "../base/known-secrets.ts";
import { refuseSecrets } from "../base/refuse-secrets.ts";
import type { Blob } from "../ledger/ledger.ts";

/** Larger values are stored once, by content hash, and their entry holds a reference. */
const inlineBytesMax = 32 * 1024;

/** A value on its way into an entry: its JSON and the blob, if it needs one. */
export interface StoredValue {
  /** `"out":…` or `"outRef":…`, ready to be put into a body; "" for nothing. */
  readonly field: string;
  readonly json: string | undefined;
  readonly blobs: readonly Blob[] | undefined;
}

type FieldName = "out" | "input" | "payload" | "data" | "value";

/** @throws TuttiError VALUE_NOT_STORABLE */
export function toStoredValue(name: FieldName, value: unknown, where: string): StoredValue {
  const json = toJsonText(value, where);
  if (json === undefined) return { field: "", json, blobs: undefined };
  if (isShort(json)) return { field: `"${name}":${json}`, json, blobs: undefined };
  const hash = sha256(json);
  return {
    field: `"${name}Ref":{"hash":"${hash}","bytes":${Buffer.byteLength(json)}}`,
    json,
    blobs: [{ hash, content: json }],
  };
}

/**
 * A result on its way into its first entry. One that repeats a secret is refused here, where the refusal is recorded as the step's failure;
 * what else an entry says is checked by the ledger.
 * @throws TuttiError VALUE_NOT_STORABLE, SECRET_EXPOSED
 */
export function toStoredOutput(value: unknown, where: string): StoredValue {
  const stored = toStoredValue("out", value, where);
  if (knowsSecrets()) refuseSecrets(stored.json, `what ${where} returned`, "done");
  return stored;
}

// A character has at most three bytes, so most texts need no counting.
function isShort(json: string): boolean {
  return json.length * 3 <= inlineBytesMax || Buffer.byteLength(json) <= inlineBytesMax;
}

/** The JSON text of a body from its small fields and its stored values. */
export function toBody(fields: Readonly<Record<string, unknown>>, ...values: readonly StoredValue[]): string {
  let body = JSON.stringify(fields).slice(0, -1);
  for (const { field } of values) {
    if (field !== "") body += body === "{" ? field : `,${field}`;
  }
  return `${body}}`;
}

/** What replay will see: a fresh copy, so that the first execution sees nothing else. */
export function toSeen(json: string | undefined, value: unknown): unknown {
  return json === undefined ? undefined : typeof value === "object" && value !== null ? JSON.parse(json) : value;
}

interface BlobRef {
  readonly hash: string;
}

/** A stored value read back. Its blob must have been fetched before, because results are handed over in one macrotask. */
export function fromStored(
  value: unknown,
  reference: BlobRef | undefined,
  blobs: ReadonlyMap<string, string>,
): unknown {
  if (reference === undefined) return value;
  const content = blobs.get(reference.hash);
  if (content === undefined) {
    throw new TuttiError("LEDGER_CORRUPT", `blob ${reference.hash} is missing`, {
      hint: "Run `tutti verify`, and restore the ledger from a backup.",
    });
  }
  return JSON.parse(content);
}

const referencePattern = /"(?:out|input|payload|data|value)Ref":\{"hash":"([0-9a-f]{64})"/gu;

/** The hashes of all blobs that a body refers to. A quick look at the text: most bodies have none. */
export function blobHashesOf(body: string): readonly string[] {
  if (!body.includes('Ref":{"hash"')) return [];
  return [...body.matchAll(referencePattern)].map((match) => match[1] ?? "");
}
