// What pictures cost: node scripts/run.mjs packages/tutti/src/tools/image/picture.bench.ts
// Each line gives the first time and the median of the rest, in milliseconds, and the bytes of the result.
import { animateAsApng, animateAsSvg } from "../video/animation-tool.ts";
import type { LabelChart } from "./chart.ts";
import { drawChart } from "./draw-chart.ts";
import { drawDiagram } from "./draw-diagram.ts";
import { toPng } from "./png.ts";

const year = (title: string, values: readonly number[]): LabelChart => ({
  kind: "bar",
  title,
  labels: ["Reports", "Interviews", "Minutes"],
  series: [{ name: "findings", values }],
});
const chart = year("2024", [3, 8, 1]);
const animation = { charts: [chart, year("2025", [9, 4, 6])] };
const boxes = Array.from({ length: 60 }, (_, index) => ({ id: String(index), label: `Box ${index}` }));
const arrows = boxes.slice(1).map(({ id }, index) => ({ from: String(index >> 1), to: id }));

await measure("chart as SVG", 200, () => drawChart(chart));
await measure("diagram of 60 boxes as SVG", 20, () => drawDiagram({ title: "Tree", boxes, arrows }));
await measure("chart as PNG, 1280 × 800", 10, () => toPng(drawChart(chart)));
await measure("15 frames as SVG", 10, () => animateAsSvg({ animation }));
await measure("15 frames as animated PNG, 640 × 400", 3, () => animateAsApng({ animation }));

async function measure(
  what: string,
  rounds: number,
  work: () => string | Uint8Array | Promise<Uint8Array>,
): Promise<void> {
  const times: number[] = [];
  let bytes = 0;
  for (let round = 0; round <= rounds; round++) {
    const begun = performance.now();
    bytes = Buffer.byteLength(await work());
    times.push(performance.now() - begun);
  }
  const [first = 0, ...rest] = times;
  const median = rest.toSorted((one, other) => one - other)[rest.length >> 1] ?? 0;
  process.stdout.write(
    `${what.padEnd(38)} ${first.toFixed(1).padStart(8)} ${median.toFixed(1).padStart(8)} ${bytes}\n`,
  );
}
