import { inflateSync } from "node:zlib";

import fc from "fast-check";
import { expect, test } from "vitest";

import { toApng, type ApngFrame } from "./apng.ts";

interface Shown {
  readonly delayMs: number;
  /** Red, green and blue of the whole picture, after this frame was put on the ones before. */
  readonly rgb: Buffer;
}

/** Plays an animated PNG as its specification says: an independent reading of what the encoder wrote. */
function play(file: Uint8Array): { readonly plays: number; readonly frames: readonly Shown[] } {
  const bytes = Buffer.from(file);
  const frames: Shown[] = [];
  let [width, plays] = [0, -1];
  let canvas = Buffer.alloc(0);
  let control = Buffer.alloc(0);
  for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    const type = bytes.toString("latin1", at + 4, at + 8);
    const data = bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at));
    if (type === "IHDR") {
      width = data.readUInt32BE(0);
      canvas = Buffer.alloc(width * data.readUInt32BE(4) * 3);
    } else if (type === "acTL") plays = data.readUInt32BE(4);
    else if (type === "fcTL") control = data;
    else if (type === "IDAT" || type === "fdAT") {
      put(canvas, width, { control, rows: inflateSync(type === "IDAT" ? data : data.subarray(4)) });
      frames.push({ delayMs: control.readUInt16BE(20), rgb: Buffer.from(canvas) });
    }
  }
  return { plays, frames };
}

function put(
  canvas: Buffer,
  width: number,
  { control, rows }: { readonly control: Buffer; readonly rows: Buffer },
): void {
  const [partWidth = 0, partHeight = 0, left = 0, top = 0] = [4, 8, 12, 16].map((at) => control.readUInt32BE(at));
  const rowBytes = partWidth * 3;
  for (let y = 0; y < partHeight; y++) {
    const row = rows.subarray(y * (rowBytes + 1) + 1, (y + 1) * (rowBytes + 1));
    expect(rows[y * (rowBytes + 1)]).toBe(2);
    for (let at = 0; at < rowBytes; at++) {
      const target = ((top + y) * width + left) * 3 + at;
      const above = y === 0 ? 0 : (canvas[target - width * 3] ?? 0);
      canvas[target] = (row[at] ?? 0) + above;
    }
  }
}

const animations = fc
  .record({ width: fc.integer({ min: 1, max: 9 }), height: fc.integer({ min: 1, max: 9 }) })
  .chain(({ width, height }) => {
    const pixel = fc.constantFrom(0, 0, 0, 255, 17);
    const rgba = fc
      .array(pixel, { minLength: width * height * 4, maxLength: width * height * 4 })
      .map((values) => Uint8Array.from(values, (value, at) => (at % 4 === 3 ? 255 : value)));
    return fc.array(
      fc.record({
        pixels: rgba.map((values) => ({ width, height, rgba: values })),
        delayMs: fc.integer({ min: 0, max: 5_000 }),
      }),
      { minLength: 1, maxLength: 6 },
    );
  });

test("what is played is exactly what was drawn, frame by frame", () => {
  fc.assert(
    fc.property(animations, fc.nat(3), (frames: readonly ApngFrame[], plays) => {
      const played = play(toApng(frames, plays));
      expect(played.plays).toBe(plays);
      expect(played.frames.map(({ delayMs }) => delayMs)).toEqual(frames.map(({ delayMs }) => delayMs));
      for (const [index, { rgb }] of played.frames.entries()) {
        const drawn = (frames[index]?.pixels.rgba ?? new Uint8Array()).filter((_, at) => at % 4 !== 3);
        expect(rgb.equals(drawn)).toBe(true);
      }
    }),
    { numRuns: 200 },
  );
});

test("the same frames give the same bytes, and a frame without a change costs next to nothing", () => {
  const pixels = { width: 200, height: 200, rgba: new Uint8Array(160_000).fill(255) };
  const one = toApng([{ pixels, delayMs: 100 }], 0);
  const many = toApng(
    Array.from({ length: 50 }, () => ({ pixels, delayMs: 100 })),
    0,
  );
  expect(many.byteLength - one.byteLength).toBeLessThan(50 * 80);
  expect(Buffer.from(toApng([{ pixels, delayMs: 100 }], 0)).equals(one)).toBe(true);
});
