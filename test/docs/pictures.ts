import { drawChart } from "../../packages/tutti/src/tools/image/draw-chart.ts";
import { drawDiagram } from "../../packages/tutti/src/tools/image/draw-diagram.ts";
import { animateAsSvg } from "../../packages/tutti/src/tools/video/animation-tool.ts";

/** The pictures of docs/image-video.md, by file. Each is drawn by the code that the page describes. */
export function toPictures(): Readonly<Record<string, string>> {
  return {
    "docs/chart.svg": drawChart({
      kind: "stacked",
      title: "Findings by source, each quarter",
      yTitle: "findings",
      height: 320,
      labels: ["Q1", "Q2", "Q3", "Q4"],
      series: [
        { name: "Reports", values: [12, 19, 17, 24] },
        { name: "Interviews", values: [7, 4, 9, 11] },
        { name: "Minutes", values: [3, 6, 2, 5] },
        { name: "withdrawn", values: [-2, 0, -4, -1] },
      ],
    }),
    "docs/diagram.svg": drawDiagram({
      title: "From a question to a page",
      direction: "right",
      boxes: ["Planner", "Researcher", "Writer", "Reviewer", "Page"].map((label) => ({ id: label, label })),
      arrows: [
        { from: "Planner", to: "Researcher", label: "questions" },
        { from: "Researcher", to: "Writer", label: "quotes" },
        { from: "Writer", to: "Reviewer" },
        { from: "Reviewer", to: "Writer", label: "changes" },
        { from: "Reviewer", to: "Page" },
      ],
    }),
    "docs/animation.svg": animateAsSvg({
      animation: {
        charts: [
          [3, 8, 1],
          [9, 4, 6],
          [12, 5, 9],
        ].map((values, index) => ({
          kind: "bar",
          title: `Findings in ${2024 + index}`,
          height: 320,
          labels: ["Reports", "Interviews", "Minutes"],
          series: [{ name: "findings", values }],
        })),
      },
    }),
  };
}
