import { TuttiError } from "../../base/errors.ts";
import { sha256 } from "../../base/hash.ts";
import { fields, integer, text } from "../../base/shape.ts";
import { isHash, type NewObject, type Provenance } from "./object-store.ts";

/** @throws TuttiError INPUT_INVALID */
export function checkNewObject({ content, mediaType }: NewObject, bytesMax: number): void {
  if (content.length > bytesMax)
    throw new TuttiError("INPUT_INVALID", `the object has ${content.length} bytes; ${bytesMax} are allowed`, {
      hint: "Raise the store's bytesMax, or store it in parts.",
      facts: { bytes: content.length, bytesMax },
    });
  if (
    !/^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+(?:; ?[a-z0-9-]+=[A-Za-z0-9._-]+)*$/.test(mediaType) ||
    mediaType.length > 200
  )
    throw new TuttiError("INPUT_INVALID", `${JSON.stringify(mediaType.slice(0, 200))} is no media type`, {
      hint: "Write it like text/plain or image/png, in small letters.",
    });
}

/** @throws TuttiError INPUT_INVALID */
export function checkHash(hash: string): void {
  if (isHash(hash)) return;
  throw new TuttiError("INPUT_INVALID", `${JSON.stringify(hash.slice(0, 80))} is not the hash of an object`, {
    hint: "Use the hash that storage.put returned: 64 hexadecimal digits.",
  });
}

/** @throws TuttiError TOOL_ANSWER_INVALID when the content is not what its name says. */
export function checkContent(hash: string, content: Uint8Array, place: string): void {
  const found = sha256(content);
  if (found !== hash) throw damaged(place, `it holds other content (${found.slice(0, 12)}…)`);
}

export function damaged(place: string, why: string, cause?: unknown): TuttiError {
  return new TuttiError("TOOL_ANSWER_INVALID", `the object at ${place} is damaged: ${why}`, {
    hint: "Take it from a backup. A folder is also repaired by storing the content again.",
    effect: "none",
    cause,
  });
}

const about = fields({ bytes: integer, mediaType: text });
const provenance = fields({ run: text, step: text }, { name: text });

/** The record beside an object. People read it too. */
export function toAboutText(object: NewObject): string {
  return `${JSON.stringify({ hash: sha256(object.content), bytes: object.content.length, mediaType: object.mediaType }, undefined, 2)}\n`;
}

export function parseAbout(record: string, place: string): { readonly bytes: number; readonly mediaType: string } {
  return parseRecord(record, place, about);
}

export function toProvenanceText({ run, step, name }: Provenance): string {
  return `${JSON.stringify({ run, step, ...(name === undefined ? {} : { name }) }, undefined, 2)}\n`;
}

export function parseProvenance(record: string, place: string): Provenance {
  return parseRecord(record, place, provenance);
}

function parseRecord<Value>(record: string, place: string, shape: (value: unknown, path: string) => Value): Value {
  try {
    return shape(JSON.parse(record), "");
  } catch (error) {
    throw damaged(place, "its record can't be read", error);
  }
}
