import { crc32, deflateSync } from "node:zlib";

import { assert } from "../../base/assert.ts";
import type { Pixels } from "../image/png.ts";

export interface ApngFrame {
  readonly pixels: Pixels;
  /** How long it is seen, up to 65,535 ms. */
  readonly delayMs: number;
}

const signature = Buffer.from("\u0089PNG\r\n\u001A\n", "latin1");
const bytesPerPixel = 3;
const upFilter = 2;

interface Region {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Opaque pictures of one size as an animated PNG, which every browser plays; what knows only PNG shows the first one. Each later frame holds
 * only the rectangle that changed. The same frames give the same bytes.
 */
export function toApng(frames: readonly ApngFrame[], plays: number): Uint8Array {
  const [first] = frames;
  assert(first !== undefined, "an animation has a frame");
  const { width, height } = first.pixels;
  const chunks = [
    signature,
    toChunk("IHDR", toHeader(width, height)),
    toChunk("acTL", toNumbers(frames.length, plays)),
  ];
  let sequence = 0;
  let before: Pixels | undefined;
  for (const { pixels, delayMs } of frames) {
    assert(pixels.width === width && pixels.height === height, "all frames of an animation have one size");
    const region = before === undefined ? { left: 0, top: 0, width, height } : findChange(before, pixels);
    chunks.push(toChunk("fcTL", toControl(sequence++, region, delayMs)));
    const data = deflateSync(toRows(pixels, region), { level: 9 });
    chunks.push(
      before === undefined ? toChunk("IDAT", data) : toChunk("fdAT", Buffer.concat([toNumbers(sequence++), data])),
    );
    before = pixels;
  }
  return Buffer.concat([...chunks, toChunk("IEND", Buffer.alloc(0))]);
}

function toHeader(width: number, height: number): Buffer {
  // 8 bits, red-green-blue, deflate, the filters of PNG, not interlaced.
  return Buffer.concat([toNumbers(width, height), Buffer.from([8, 2, 0, 0, 0])]);
}

function toControl(sequence: number, { left, top, width, height }: Region, delayMs: number): Buffer {
  const delay = Buffer.alloc(6); // … over 1000; leave the frame; overwrite what was there
  delay.writeUInt16BE(Math.min(Math.round(delayMs), 65_535), 0);
  delay.writeUInt16BE(1_000, 2);
  return Buffer.concat([toNumbers(sequence, width, height, left, top), delay]);
}

/** The rectangle in which two pictures differ; one pixel where they don't. */
function findChange(before: Pixels, after: Pixels): Region {
  const { width, height } = after;
  const one = new Uint32Array(
    before.rgba.buffer.slice(before.rgba.byteOffset, before.rgba.byteOffset + before.rgba.byteLength),
  );
  const other = new Uint32Array(
    after.rgba.buffer.slice(after.rgba.byteOffset, after.rgba.byteOffset + after.rgba.byteLength),
  );
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (one[y * width + x] === other[y * width + x]) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  }
  if (right < 0) return { left: 0, top: 0, width: 1, height: 1 };
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** The rectangle row by row, each as its difference from the one above: flat areas become zeros, which deflate to nothing. */
function toRows({ rgba, width }: Pixels, region: Region): Buffer {
  const rowBytes = region.width * bytesPerPixel;
  const rows = Buffer.alloc((rowBytes + 1) * region.height);
  let at = 0;
  for (let y = region.top; y < region.top + region.height; y++) {
    rows[at++] = upFilter;
    for (let x = region.left; x < region.left + region.width; x++) {
      const pixel = (y * width + x) * 4;
      for (let part = 0; part < bytesPerPixel; part++) {
        const above = y === region.top ? 0 : (rgba[pixel - width * 4 + part] ?? 0);
        rows[at++] = ((rgba[pixel + part] ?? 0) - above) & 0xff;
      }
    }
  }
  return rows;
}

function toChunk(type: string, data: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(type, "latin1"), data]);
  return Buffer.concat([toNumbers(data.byteLength), named, toNumbers(crc32(named))]);
}

function toNumbers(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length);
  for (const [index, number] of numbers.entries()) bytes.writeUInt32BE(number, 4 * index);
  return bytes;
}
