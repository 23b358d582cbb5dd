import { expect, onTestFinished, test } from "vitest";

import { openStage, plainFlow } from "../../../../../test/engine/engine-fixture.ts";
import { findOutside, readPicture } from "../../../../../test/pictures/read-picture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { toJsonSchema } from "../../contracts/schema.ts";
import type { LabelChart } from "../image/chart.ts";
import { toFrames } from "./animate-chart.ts";
import { animateAsApng, animateAsSvg, animationTool } from "./animation-tool.ts";

const year = (title: string, values: readonly number[]): LabelChart => ({
  kind: "bar",
  title,
  labels: ["Reports", "Interviews", "Minutes"],
  width: 360,
  height: 320,
  series: [{ name: "n", values }],
});
const animation = { charts: [year("2024", [3, 8, -1]), year("2025", [9, 4, 6])], seconds: 0.5, framesPerSecond: 10 };

function barsOf(svg: string): readonly number[] {
  return readPicture(svg)
    .marks.filter((mark) => mark.kinds.includes("mark"))
    .map((bar) => bar.bottom - bar.top);
}

test("charts become each other evenly on one axis, from the first to the last", () => {
  const { svgs, frameMs } = toFrames(animation);
  expect([svgs.length, frameMs]).toEqual([6, 100]);
  const heights = svgs.map((svg) => barsOf(svg)[0] ?? Number.NaN);
  expect(heights.toSorted((one, other) => one - other)).toEqual(heights);
  expect((heights.at(-1) ?? 0) / (heights[0] ?? 1)).toBeCloseTo(3, 1);
  const ticks = svgs.map((svg) =>
    readPicture(svg)
      .texts.filter((text) => text.kinds.includes("tick"))
      .map((text) => text.content)
      .join(" "),
  );
  expect(new Set(ticks).size).toBe(1);
  expect(svgs.flatMap((svg) => findOutside(readPicture(svg)))).toEqual([]);
});

test("bars that lie move, and nothing else does", () => {
  const lying = animation.charts.map((chart): LabelChart => ({ ...chart, direction: "right" }));
  const pictures = toFrames({ ...animation, charts: lying }).svgs.map(readPicture);
  const still = pictures.map(({ texts }) =>
    JSON.stringify(texts.filter(({ kinds }) => kinds.includes("row") || kinds.includes("label"))),
  );
  expect(new Set(still).size).toBe(1);
  expect(new Set(pictures.map(({ marks }) => marks[0]?.right)).size).toBeGreaterThan(3);
  expect(pictures.flatMap(findOutside)).toEqual([]);
});

test("a single chart grows from zero", () => {
  const { svgs } = toFrames({ charts: [year("2025", [9, 4, 6])], seconds: 0.5, framesPerSecond: 4 });
  expect(barsOf(svgs[0] ?? "")).toEqual([0, 0, 0]);
  expect(barsOf(svgs.at(-1) ?? "").every((height) => height > 20)).toBe(true);
});

test("an animated SVG shows each moment once in its time, needs no script, and is the last chart where nothing plays", () => {
  const svg = animateAsSvg({ animation });
  const bars = [...svg.matchAll(/<g( visibility="hidden")?>(?=<rect class="mark)[\s\S]*?keyTimes="([\d.;]+)"/g)];
  expect(bars.filter(([, hidden]) => hidden === undefined)).toHaveLength(3);
  for (const [, , times = ""] of bars) {
    const parts = times.split(";").map(Number);
    expect(parts[0]).toBe(0);
    expect(parts.toSorted((one, other) => one - other)).toEqual(parts);
  }
  expect(svg).not.toContain("<script");
  expect(svg.match(/<svg/g)).toHaveLength(1);
  expect(animateAsSvg({ animation, repeats: false })).toContain('repeatCount="1" fill="freeze"');
  expect(animateAsSvg({ animation })).toBe(svg);
});

test("titles of one and of two lines may follow each other", () => {
  const long = "A title that is so long that it does not fit into one line of a chart that is as narrow as this one";
  const svg = animateAsSvg({ animation: { ...animation, charts: [year(long, [1, 2, 3]), year("short", [3, 2, 1])] } });
  expect(svg).toContain(">short</text>");
  expect(svg).toContain(">A title that is so long");
});

test("a flow gets an animation that plays wherever PNG is shown, and no key is needed", verifies("K2"), async () => {
  const stage = openStage();
  const moving = plainFlow("moving", (run) => run.call(animationTool(), { animation, format: "apng" }));
  const tutti = await stage.open([moving]);
  onTestFinished(() => tutti.close());
  const bytes = await animateAsApng({ animation });
  expect(Buffer.from(bytes).toString("latin1").match(/fcTL/g)).toHaveLength(6);
  expect(await tutti.run(moving, {})).toMatchObject({
    mediaType: "image/apng",
    bytes: bytes.byteLength,
    content: { kind: "base64", base64: Buffer.from(bytes).toString("base64") },
  });
});

test.for<[string, unknown, string]>([
  [
    "other labels",
    { charts: [year("a", [1, 2, 3]), { ...year("b", [1, 2, 3]), labels: ["x", "y", "z"] }] },
    "charts[1] should be a chart of the same labels as the first",
  ],
  [
    "a pie",
    { charts: [{ kind: "pie", title: "", parts: [{ label: "a", value: 1 }] }] },
    "charts[0].kind should be bar, stacked or line",
  ],
  [
    "too many frames",
    { charts: Array.from({ length: 60 }, () => year("a", [1, 2, 3])), seconds: 5 },
    "the value should be an animation of at most 240 frames, not 3541",
  ],
])("%s in an animation is refused with its place", ([, given, message]) => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what plain JavaScript may pass
  expect(() => toFrames(given as typeof animation)).toThrow(
    expect.objectContaining({ code: "INPUT_INVALID", message: expect.stringContaining(message) }),
  );
});

test("models are told what an animation consists of", () => {
  expect(toJsonSchema(animationTool().input, "input", "chart.animate")).toMatchObject({ required: ["animation"] });
});
