import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { inflateSync } from "node:zlib";

import { assert } from "../../base/assert.ts";
import { TuttiError } from "../../base/errors.ts";

/** A font that letters are drawn with, and what it can write. */
export interface Font {
  readonly content: Uint8Array;
  has(codePoint: number): boolean;
}

const woffSignature = 0x77_4f_46_46; // "wOFF"
const woffHeader = 44;
const woffRecord = 20;
const sfntHeader = 12;
const sfntRecord = 16;

let shipped: Promise<Font> | undefined;

/** DejaVu Sans, which comes with Tutti: Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew, Arabic and many signs. Read once. */
export function readShippedFont(): Promise<Font> {
  shipped ??= readFile(
    createRequire(import.meta.url).resolve("@fontsource/dejavu-sans/files/dejavu-sans-latin-400-normal.woff"),
  ).then((woff) => toFont(unpackWoff(woff)));
  return shipped;
}

/** @throws TuttiError INPUT_INVALID for anything but a TrueType or OpenType font, packed as WOFF or not. */
export function toFont(given: Uint8Array): Font {
  const bytes = Buffer.from(given);
  try {
    const content = bytes.readUInt32BE(0) === woffSignature ? unpackWoff(bytes) : bytes;
    const ranges = readRanges(content);
    return { content, has: (codePoint) => ranges.some(([first, last]) => codePoint >= first && codePoint <= last) };
  } catch (error) {
    throw new TuttiError("INPUT_INVALID", "this is not a font that can be read", {
      hint: "Give the bytes of a TrueType or OpenType file (.ttf, .otf) or of a .woff; .woff2 is not read.",
      cause: error,
    });
  }
}

/** WOFF is a font whose tables are deflated one by one (W3C, WOFF 1.0); the drawing library reads plain ones only. */
function unpackWoff(woff: Buffer): Buffer<ArrayBuffer> {
  const count = woff.readUInt16BE(12);
  const directory = Buffer.alloc(sfntHeader + count * sfntRecord);
  woff.copy(directory, 0, 4, 8);
  directory.writeUInt16BE(count, 4);
  const tables: Uint8Array[] = [directory];
  let offset = directory.length;
  for (let index = 0; index < count; index++) {
    const from = woffHeader + index * woffRecord;
    const to = sfntHeader + index * sfntRecord;
    const [start, packedLength, length] = [
      woff.readUInt32BE(from + 4),
      woff.readUInt32BE(from + 8),
      woff.readUInt32BE(from + 12),
    ];
    const stored = woff.subarray(start, start + packedLength);
    const table = packedLength < length ? inflateSync(stored, { maxOutputLength: length }) : stored;
    assert(table.length === length, "a table of a font is as long as the font says");
    woff.copy(directory, to, from, from + 4);
    woff.copy(directory, to + 4, from + 16, from + 20);
    directory.writeUInt32BE(offset, to + 8);
    directory.writeUInt32BE(length, to + 12);
    const padding = Buffer.alloc((4 - (length % 4)) % 4);
    tables.push(table, padding);
    offset += length + padding.length;
  }
  return Buffer.concat(tables);
}

/** The signs of a font as ranges of code points, from its `cmap` table (formats 4 and 12). */
function readRanges(font: Buffer): readonly (readonly [first: number, last: number])[] {
  const tables = font.readUInt16BE(4);
  for (let index = 0; index < tables; index++) {
    const record = sfntHeader + index * sfntRecord;
    if (font.toString("latin1", record, record + 4) !== "cmap") continue;
    const cmap = font.subarray(font.readUInt32BE(record + 8));
    return Array.from({ length: cmap.readUInt16BE(2) }, (_, at) => cmap.readUInt32BE(8 + 8 * at)).flatMap((at) =>
      readSubtable(cmap.subarray(at)),
    );
  }
  throw new RangeError("the font has no table of its signs");
}

function readSubtable(table: Buffer): readonly (readonly [number, number])[] {
  const format = table.readUInt16BE(0);
  if (format === 12) {
    return Array.from({ length: table.readUInt32BE(12) }, (_, index) => {
      const group = 16 + 12 * index;
      return [table.readUInt32BE(group), table.readUInt32BE(group + 4)];
    });
  }
  if (format !== 4) return [];
  const segments = table.readUInt16BE(6) / 2;
  return Array.from({ length: segments }, (_, index): readonly [number, number] => {
    const first = table.readUInt16BE(16 + 2 * (segments + index));
    return [first, table.readUInt16BE(14 + 2 * index)];
  }).filter(([first]) => first !== 0xff_ff); // the last segment is an end mark
}
