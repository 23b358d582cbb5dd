import fc from "fast-check";
import { expect, test } from "vitest";

import { findOutside, findTouching, readPicture } from "../../../../../test/pictures/read-picture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { toBins } from "./bins.ts";
import type { Chart, LabelChart } from "./chart.ts";
import { drawChart } from "./draw-chart.ts";

const words = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.constantFrom(
    "",
    "Q1",
    "A name that is much too long for any axis and any legend",
    "Санкт-Петербург",
    "東京都千代田区",
    "القاهرة",
    "<b>&\"'",
  ),
);
const amount = fc.oneof(
  fc.integer({ min: -1_000, max: 1_000 }),
  fc.double({ min: -1e100, max: 1e100, noNaN: true }),
  fc.constantFrom(0, 1e-9, 1e22, -3.5e7),
);
const look = {
  title: words,
  width: fc.integer({ min: 320, max: 1_200 }),
  height: fc.integer({ min: 320, max: 800 }),
  theme: fc.constantFrom("auto" as const, "light" as const, "dark" as const),
};
const axes = { xTitle: words, yTitle: words };

const labelCharts: fc.Arbitrary<LabelChart> = fc
  .tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 8 }))
  .chain(([places, series]) =>
    fc.record({
      kind: fc.constantFrom("bar" as const, "stacked" as const, "line" as const),
      ...look,
      ...axes,
      labels: fc.array(words, { minLength: places, maxLength: places }),
      series: fc.array(fc.record({ name: words, values: fc.array(amount, { minLength: places, maxLength: places }) }), {
        minLength: series,
        maxLength: series,
      }),
    }),
  );
const rowCharts = labelCharts.map(({ kind, ...chart }): LabelChart => ({
  ...chart,
  kind: kind === "line" ? "bar" : kind,
  direction: "right",
}));
const charts: fc.Arbitrary<Chart> = fc.oneof(
  { weight: 3, arbitrary: labelCharts },
  { weight: 2, arbitrary: rowCharts },
  fc.record({
    kind: fc.constant("scatter" as const),
    ...look,
    ...axes,
    series: fc.array(
      fc.record({
        name: words,
        points: fc.array(fc.record({ x: amount, y: amount }), { minLength: 1, maxLength: 30 }),
      }),
      { minLength: 1, maxLength: 8 },
    ),
  }),
  fc.record({
    kind: fc.constant("histogram" as const),
    ...look,
    ...axes,
    values: fc.array(amount, { minLength: 1, maxLength: 200 }),
    bins: fc.integer({ min: 1, max: 40 }),
  }),
  fc.record({
    kind: fc.constantFrom("pie" as const, "donut" as const),
    ...look,
    parts: fc
      .array(
        fc.record({ label: words, value: fc.oneof(fc.nat(1_000), fc.double({ min: 0, max: 1e50, noNaN: true })) }),
        { minLength: 1, maxLength: 30 },
      )
      .filter((parts) => parts.some(({ value }) => value > 0)),
  }),
);

test(
  "whatever the data, every mark and every text is inside the picture, and the same data gives the same text",
  verifies("K2"),
  () => {
    fc.assert(
      fc.property(charts, (chart) => {
        const svg = drawChart(chart);
        expect(svg).not.toMatch(/NaN|Infinity|undefined/);
        expect(findOutside(readPicture(svg))).toEqual([]);
        expect(drawChart(structuredClone(chart))).toBe(svg);
      }),
      { numRuns: 400 },
    );
  },
);

test("no label of an axis, no mark's number and no line of a legend touches another", () => {
  fc.assert(
    fc.property(charts, (chart) => {
      const { texts } = readPicture(drawChart(chart));
      for (const kind of ["tick", "label", "row", "legend"]) {
        expect(findTouching(texts.filter((text) => text.kinds.includes(kind)))).toEqual([]);
      }
      const values = texts.filter((text) => text.kinds.includes("value"));
      const labels = texts.filter((text) => text.kinds.includes("label") || text.kinds.includes("row"));
      expect(values.filter((value) => labels.some((label) => findTouching([value, label]).length > 0))).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test("bars are as long as their values, from zero, to both sides", () => {
  const chart = {
    kind: "bar",
    title: "Bars",
    labels: ["a", "b", "c"],
    series: [{ name: "n", values: [10, -5, 0] }],
  } as const;
  const bars = readPicture(drawChart(chart)).marks.filter((mark) => mark.kinds.includes("mark"));
  const [up, down, none] = bars.map((bar) => bar.bottom - bar.top);
  expect(up).toBeCloseTo(2 * (down ?? 0), 1);
  expect(none).toBe(0);
  expect(bars[0]?.bottom).toBeCloseTo(bars[1]?.top ?? 0, 1);
});

test("bars that lie are as long as their values too, and as high as their labels need", () => {
  const labels = Array.from({ length: 30 }, (_, index) => `A document with a long name ${index}`);
  const series = [{ name: "n", values: labels.map((_, index) => index - 10) }];
  const picture = readPicture(drawChart({ kind: "bar", direction: "right", title: "Rows", labels, series }));
  const bars = picture.marks.filter((mark) => mark.kinds.includes("mark"));
  const [first, second, tenth] = [bars[0], bars[1], bars[20]].map((bar) => (bar?.right ?? 0) - (bar?.left ?? 0));
  expect(first).toBeCloseTo(tenth ?? 0, 1);
  expect(second).toBeCloseTo(0.9 * (first ?? 0), 1);
  expect(picture.height).toBeGreaterThan(900);
  expect(picture.texts.filter((text) => text.kinds.includes("row"))).toHaveLength(30);
});

test("stacked bars stand on each other, negative ones below zero", () => {
  const chart = {
    kind: "stacked",
    title: "Bars",
    labels: ["a"],
    series: [4, 6, -2].map((value, index) => ({ name: String(index), values: [value] })),
  } as const;
  const [first, second, below] = readPicture(drawChart(chart)).marks.filter((mark) => mark.kinds.includes("mark"));
  expect(second?.bottom).toBeCloseTo(first?.top ?? 0, 1);
  expect(below?.top).toBeCloseTo(first?.bottom ?? 0, 1);
});

test("a histogram counts every value once and between its edges, also those on the last edge", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 100 }), (values) => {
      const bins = toBins({ kind: "histogram", title: "", values });
      const last = bins.length - 1;
      for (const [index, { from, to, count }] of bins.entries()) {
        const inside = values.filter((value) => value >= from && (index === last ? value <= to : value < to));
        expect(count).toBe(inside.length);
      }
      expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(values.length);
    }),
  );
});

test("a chart says in words what it shows, and words can't become marks", () => {
  const svg = drawChart({
    kind: "bar",
    title: `A & "B"`,
    labels: ["<script>x</script>", "b\u0000\uD800"],
    series: [{ name: "n", values: [2, 3] }],
  });
  const [, id = ""] = /aria-labelledby="(\w+)-title/.exec(svg) ?? [];
  expect(svg).toContain(`role="img" aria-labelledby="${id}-title ${id}-description"`);
  expect(svg).toContain(`<title id="${id}-title">A &amp; &quot;B&quot;</title>`);
  expect(svg).toContain("A bar chart. &lt;script&gt;x&lt;/script&gt; 2; b\uFFFD\uFFFD 3.");
  expect(svg).not.toContain("<script");
});

test("light colours give way to dark ones where the reader prefers them; a theme that is asked for is kept", () => {
  const chart = { kind: "pie", title: "Parts", parts: [{ label: "a", value: 1 }] } as const;
  expect(drawChart(chart)).toContain("@media (prefers-color-scheme:dark){");
  expect(drawChart({ ...chart, theme: "dark" })).toContain('fill="#0d1117"');
  expect(drawChart({ ...chart, theme: "light" })).not.toContain("@media");
});

test.for<[string, unknown, string]>([
  [
    "a number that is none",
    { kind: "bar", title: "", labels: ["a"], series: [{ name: "n", values: [Number.NaN] }] },
    "series[0].values[0] should be a finite number up to 1e100, not NaN",
  ],
  [
    "an endless number",
    { kind: "scatter", title: "", series: [{ name: "n", points: [{ x: 1, y: Infinity }] }] },
    "series[0].points[0].y should be a finite number up to 1e100, not Infinity",
  ],
  [
    "too few values",
    { kind: "line", title: "", labels: ["a", "b"], series: [{ name: "n", values: [1] }] },
    "series[0].values should be a list of 2, one per label, not a list of 1",
  ],
  ["nothing", { kind: "histogram", title: "", values: [] }, "values should be a list of 1 to 100000, not a list of 0"],
  [
    "a negative part",
    { kind: "pie", title: "", parts: [{ label: "a", value: -1 }] },
    "parts[0].value should be 0 or more: a part can't be negative, not -1",
  ],
  [
    "no part",
    { kind: "donut", title: "", parts: [{ label: "a", value: 0 }] },
    "parts should be parts of which one at least is more than 0, not 0",
  ],
  [
    "lines that lie",
    { kind: "line", title: "", direction: "right", labels: ["a"], series: [{ name: "n", values: [1] }] },
    "direction should be up for lines, not string",
  ],
  [
    "an unknown kind",
    { kind: "radar", title: "" },
    "kind should be one of bar, stacked, line, scatter, histogram, pie, donut, not string",
  ],
  [
    "too many series",
    { kind: "line", title: "", labels: ["a"], series: Array.from({ length: 9 }, () => ({ name: "n", values: [1] })) },
    "series should be a list of 1 to 8, not a list of 9",
  ],
])("%s is refused with its place", ([, chart, message]) => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what plain JavaScript may pass
  expect(() => drawChart(chart as Chart)).toThrow(
    expect.objectContaining({ code: "INPUT_INVALID", message: `the chart can't be drawn: ${message}` }),
  );
});
