import type { Diagram } from "../../tools/image/diagram.ts";

/** A picture of who does what: boxes and arrows, before it is Mermaid or SVG. */
export interface Drawing {
  readonly title: string;
  readonly boxes: readonly DrawnBox[];
  readonly arrows: readonly DrawnArrow[];
  /** What can't be drawn, in sentences: nobody shall think that it is not there. */
  readonly remarks: readonly string[];
}

export interface DrawnBox {
  readonly id: string;
  readonly label: string;
  readonly shape: "end" | "task" | "decision" | "effect";
}

export interface DrawnArrow {
  readonly from: string;
  readonly to: string;
  readonly label?: string;
  /** `order`: one waits for the other, and takes nothing from it. `conflict`: not at the same time. */
  readonly kind: "data" | "order" | "conflict";
}

const shapes = { end: ["([", "])"], task: ["[", "]"], decision: ["{", "}"], effect: ["[[", "]]"] } as const;
const lines = { data: "-->", order: "-.->", conflict: "-.-" } as const;

/** The drawing as a Mermaid flowchart; what can't be drawn stands in comments. */
export function toMermaid({ title, boxes, arrows, remarks }: Drawing): string {
  const names = toNames(boxes);
  return [
    "---",
    `title: ${JSON.stringify(title)}`,
    "---",
    "flowchart TD",
    ...boxes.map(({ id, label, shape }) => `  ${names(id)}${shapes[shape][0]}"${toText(label)}"${shapes[shape][1]}`),
    ...arrows.map(({ from, to, label, kind }) => {
      const said = label === undefined || label === "" ? "" : `|"${toText(label)}"|`;
      return `  ${names(from)} ${lines[kind]}${said} ${names(to)}`;
    }),
    ...remarks.map((remark) => `%% ${remark.replaceAll(/\s+/gu, " ")}`),
    "",
  ].join("\n");
}

// Mermaid's own words and most characters can't be ids.
function toNames(boxes: readonly DrawnBox[]): (id: string) => string {
  const places = new Map(boxes.map(({ id }, place) => [id, `n${place}`]));
  return (id) => places.get(id) ?? "n";
}

function toText(label: string): string {
  return label
    .replaceAll("&", "#amp;")
    .replaceAll('"', "#quot;")
    .replaceAll("<", "#lt;")
    .replaceAll(">", "#gt;")
    .replaceAll("\n", "<br>");
}

/** The drawing for the renderer of SVG, which knows one kind of box and arrow: labels say the rest. */
export function toDiagram({ title, boxes, arrows }: Drawing): Diagram {
  return {
    title,
    boxes: boxes.map(({ id, label }) => ({ id, label: label.replaceAll("\n", " · ") })),
    arrows: arrows.map(({ from, to, label, kind }) => {
      const said = kind === "conflict" ? `not together: ${label ?? ""}` : (label ?? (kind === "order" ? "then" : ""));
      return { from, to, ...(said === "" ? {} : { label: said }) };
    }),
  };
}
