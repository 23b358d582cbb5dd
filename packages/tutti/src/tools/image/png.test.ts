import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import fc from "fast-check";
import { expect, test, vi } from "vitest";

import { drawChart } from "./draw-chart.ts";
import { toFont } from "./font.ts";
import { toPixels, toPng } from "./png.ts";
import { toColor } from "./svg.ts";
import { cutText, toTextWidth, wrapText } from "./text-width.ts";

const chart = {
  kind: "bar",
  title: "Города",
  labels: ["Москва", "Αθήνα"],
  series: [{ name: "n", values: [2, 3] }],
} as const;

test("an SVG becomes the same PNG each time, at the scale that is asked for, and without a system font", async () => {
  const svg = drawChart(chart);
  const png = Buffer.from(await toPng(svg));
  expect(png.subarray(1, 4).toString("latin1")).toBe("PNG");
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([1_280, 800]);
  expect(Buffer.from(await toPng(svg)).equals(png)).toBe(true);
  const { width, rgba } = await toPixels(svg, { scale: 1 });
  // The first bar's colour is in the picture, and the title's: letters were drawn.
  const colors = new Set(
    Array.from({ length: rgba.length / 4 }, (_, at) => Buffer.from(rgba.subarray(at * 4, at * 4 + 3)).toString("hex")),
  );
  expect(width).toBe(640);
  expect(colors).toContain("066ece");
  expect(colors).toContain("1f2328");
});

test("a second copy of Tutti in the process can draw too, though the library is loaded once", async () => {
  await toPng(drawChart(chart));
  vi.resetModules();
  const second = await import("./png.ts");
  expect(second.toPng).not.toBe(toPng);
  expect(Buffer.from(await second.toPng(drawChart(chart))).equals(Buffer.from(await toPng(drawChart(chart))))).toBe(
    true,
  );
});

test("a sign that no font can write is refused by name instead of becoming an empty box", async () => {
  const svg = drawChart({ ...chart, title: "東京 🎉" });
  await expect(toPng(svg)).rejects.toMatchObject({
    code: "TOOL_FAILED",
    message: 'no font can write "東" (U+6771) and 2 other signs',
    facts: { signs: "東京🎉" },
  });
});

test("what is no SVG, too large, or no font is refused", async () => {
  await expect(toPng("hello")).rejects.toMatchObject({ code: "INPUT_INVALID" });
  await expect(toPng(drawChart(chart), { scale: 9 })).rejects.toMatchObject({ code: "INPUT_INVALID" });
  const wide = `<svg xmlns="http://www.w3.org/2000/svg" width="9000" height="9000"/>`;
  await expect(toPng(wide)).rejects.toMatchObject({
    code: "INPUT_INVALID",
    message: expect.stringContaining("too large"),
  });
  await expect(toPng(drawChart(chart), { fonts: [Buffer.from("no font at all, only words")] })).rejects.toMatchObject({
    code: "INPUT_INVALID",
    message: "this is not a font that can be read",
  });
});

test("a packed font says which signs it has", async () => {
  const file = createRequire(import.meta.url).resolve(
    "@fontsource/dejavu-sans/files/dejavu-sans-latin-700-normal.woff",
  );
  const font = toFont(await readFile(file));
  expect(["A", "ß", "Ж", "א", "ع", "€"].every((sign) => font.has(sign.codePointAt(0) ?? 0))).toBe(true);
  expect(["東", "ก", "अ"].some((sign) => font.has(sign.codePointAt(0) ?? 0))).toBe(false);
});

const letters = fc.string({
  unit: fc.constantFrom(
    ...Array.from(
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:;-+%()/ÄÖÜßéñçŁÅабвгдежзийклмнопрстуфхцчшщыэюяАБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЭЮЯαβγδεζηθικλμνξοπρστυφχψωΑΒΓΔΘΛΞΠΣΦΨΩ",
    ),
  ),
  minLength: 12,
  maxLength: 40,
});

test("the estimated width of a text is no less than the drawn one", async () => {
  await fc.assert(
    fc.asyncProperty(letters, async (text) => {
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="800" height="30"><text x="0" y="20" font-size="16">${text}</text></svg>`;
      const { width, height, rgba } = await toPixels(svg, { scale: 1 });
      let right = 0;
      for (let pixel = 0; pixel < width * height; pixel++) {
        if ((rgba[pixel * 4 + 3] ?? 0) > 0) right = Math.max(right, pixel % width);
      }
      expect(toTextWidth(text, 16)).toBeGreaterThanOrEqual(right - 1);
    }),
    { numRuns: 40 },
  );
});

test("a text is cut between the signs that a reader sees, and never wider than allowed", () => {
  expect(cutText("short", 100, 12)).toBe("short");
  expect(cutText("👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 80, 12)).toBe("👩‍👩‍👧‍👦…");
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), fc.integer({ min: 20, max: 300 }), (text, widthMax) => {
      expect(toTextWidth(cutText(text, widthMax, 12), 12)).toBeLessThanOrEqual(widthMax);
      const lines = wrapText(text, { widthMax, fontSize: 12, linesMax: 3 });
      expect(lines.length).toBeLessThanOrEqual(3);
      for (const line of lines) expect(toTextWidth(line, 12)).toBeLessThanOrEqual(widthMax);
    }),
  );
});

// How eyes without one kind of cone see linear red, green and blue (after Machado, Oliveira and Fernandes, 2009).
const eyes = {
  all: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  withoutRed: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  withoutGreen: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  withoutBlue: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
} as const;

function toSeen(color: string, matrix: readonly number[]): readonly number[] {
  const linear = [1, 3, 5].map((at) => (Number.parseInt(color.slice(at, at + 2), 16) / 255) ** 2.2);
  const row = (at: number): number =>
    linear.reduce((sum, part, index) => sum + part * (matrix[at * 3 + index] ?? 0), 0);
  return [0, 1, 2].map((at) => 100 * Math.max(0, row(at)) ** (1 / 2.2));
}

/** How much two colours differ in lightness, from 1 to 21 (WCAG 2). */
function toContrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [one, other]
    .map((color) => {
      const [red = 0, green = 0, blue = 0] = [1, 3, 5].map(
        (at) => (Number.parseInt(color.slice(at, at + 2), 16) / 255) ** 2.2,
      );
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    })
    .toSorted((left, right) => left - right);
  return (light + 0.05) / (dark + 0.05);
}

test.for(["light", "dark"] as const)(
  "series stay apart in the %s theme for every common kind of colour blindness",
  (theme) => {
    const colors = Array.from({ length: 8 }, (_, index) => toColor(`series-${index}`, theme));
    const faint = colors.filter((color) => toContrast(color, toColor("paper", theme)) < 2.5);
    expect(faint).toEqual([]);
    const alike = Object.entries(eyes).flatMap(([eye, matrix]) =>
      colors.flatMap((one, index) =>
        colors.slice(index + 1).flatMap((other) => {
          const [seen, beside] = [toSeen(one, matrix), toSeen(other, matrix)];
          const distance = Math.hypot(...seen.map((part, at) => part - (beside[at] ?? 0)));
          return distance < 20 ? [`${one} and ${other} for eyes ${eye}: ${distance}`] : [];
        }),
      ),
    );
    expect(alike).toEqual([]);
  },
);
