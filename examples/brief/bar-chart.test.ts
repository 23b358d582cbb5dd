import { expect, test } from "vitest";

import { drawBarChart } from "./bar-chart.ts";

function attributes(svg: string, tag: string, name: string): number[] {
  return [...svg.matchAll(new RegExp(`<${tag}[^>]*? ${name}="([\\d.]+)"`, "g"))].map(([, value]) => Number(value));
}

const many = Array.from({ length: 25 }, (_, index) => ({
  label: `A document with a name that is much too long ${index}`,
  value: index,
}));

test("no label, bar or value of a chart touches another, however many and long they are", () => {
  for (const bars of [many, many.slice(0, 3), [{ label: "one", value: 0 }]]) {
    const svg = drawBarChart({ title: "Bars", bars });
    const [, , width = 0, height = 0] = /viewBox="([\d ]+)"/.exec(svg)?.[1]?.split(" ").map(Number) ?? [];
    const tops = attributes(svg, "rect", "y");
    for (const [index, top] of tops.slice(1).entries()) expect(top - (tops[index] ?? 0)).toBeGreaterThan(20);
    const lengths = attributes(svg, "rect", "width");
    for (const [index, left] of attributes(svg, "rect", "x").entries()) {
      expect(left + (lengths[index] ?? 0) + 30).toBeLessThanOrEqual(width);
    }
    expect((tops.at(-1) ?? 0) + 20).toBeLessThanOrEqual(height);
    for (const [, label = ""] of svg.matchAll(/class="label"[^>]*>([^<]*)</g))
      expect(label.length).toBeLessThanOrEqual(28);
  }
});

test("the longest bar stands first, and what is too much to show is summed up last", () => {
  const svg = drawBarChart({ title: "Bars", bars: many });
  const values = [...svg.matchAll(/class="value"[^>]*>(\d+)</g)].map(([, value]) => Number(value));
  expect(values).toHaveLength(10);
  expect(values.slice(0, 9)).toEqual([24, 23, 22, 21, 20, 19, 18, 17, 16]);
  expect(svg).toContain("16 others");
  expect(values.reduce((sum, value) => sum + value, 0)).toBe(many.reduce((sum, bar) => sum + bar.value, 0));
});

test("a chart says in words what it shows, and its words can't become marks", () => {
  const svg = drawBarChart({ title: "A & B", bars: [{ label: "<b>", value: 2 }] });
  expect(svg).toContain('role="img" aria-labelledby="chart-title chart-description"');
  expect(svg).toContain('<title id="chart-title">A &amp; B</title>');
  expect(svg).toContain("A bar chart. &lt;b&gt;: 2.");
  expect(svg).not.toContain("<b>");
});
