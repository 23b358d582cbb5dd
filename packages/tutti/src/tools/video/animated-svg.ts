import { element, toShort } from "../image/svg.ts";

/**
 * Drawings of one size as one SVG that moves by itself (SMIL), without a script. Lines that are the same in all frames stand in it once; of
 * those that change, one at a time is seen. Who can't play it sees the last frame.
 */
export function toAnimatedSvg(
  frames: readonly string[],
  { frameMs, holdMs, repeats }: { readonly frameMs: number; readonly holdMs: number; readonly repeats: boolean },
): string {
  const drawings = frames.map((frame) => frame.trimEnd().split("\n").slice(0, -1)); // without the closing tag
  const durationMs = frameMs * (frames.length - 1) + holdMs;
  const last = drawings.at(-1) ?? [];
  const lines = Array.from({ length: Math.max(...drawings.map((drawing) => drawing.length)) }, (_, at) => {
    const versions = drawings.map((drawing) => drawing[at] ?? "");
    const [first = ""] = versions;
    if (!isMark.test(versions.join(""))) return last[at] ?? ""; // the document's own lines: size, title, description, style
    if (versions.every((version) => version === first)) return first;
    const spans = toSpans(versions).filter(({ version }) => version !== "");
    return spans.map((span) => drawSpan(span, { frameMs, durationMs, frames: frames.length, repeats })).join("\n");
  });
  return `${lines.join("\n")}\n</svg>\n`;
}

const isMark = /^<(?:g|rect|path|line|text)\b/;

interface Span {
  readonly version: string;
  readonly from: number;
  readonly to: number;
}

interface Playing {
  readonly frameMs: number;
  readonly durationMs: number;
  readonly frames: number;
  readonly repeats: boolean;
}

function drawSpan({ version, from, to }: Span, { frameMs, durationMs, frames, repeats }: Playing): string {
  const isLast = to === frames;
  const shown = { from: (from * frameMs) / durationMs, to: isLast ? 1 : (to * frameMs) / durationMs };
  const hidden = isLast ? undefined : "hidden";
  return element("g", { visibility: hidden }, version, toAnimation(shown, durationMs, repeats));
}

/** Which version of a line is seen from which frame to which. */
function toSpans(versions: readonly string[]): readonly Span[] {
  const spans: { version: string; from: number; to: number }[] = [];
  for (const [at, version] of versions.entries()) {
    const current = spans.at(-1);
    if (current?.version === version) current.to = at + 1;
    else spans.push({ version, from: at, to: at + 1 });
  }
  return spans;
}

function toAnimation(
  { from, to }: { readonly from: number; readonly to: number },
  durationMs: number,
  repeats: boolean,
): string {
  const steps: (readonly [part: number, value: string])[] = [
    ...(from > 0 ? [[0, "hidden"] as const] : []),
    [from, "visible"],
    ...(to < 1 ? [[to, "hidden"] as const] : []),
  ];
  return element("animate", {
    attributeName: "visibility",
    calcMode: "discrete",
    values: steps.map(([, value]) => value).join(";"),
    keyTimes: steps.map(([part]) => String(Math.round(part * 1e5) / 1e5)).join(";"),
    dur: `${toShort(durationMs)}ms`,
    repeatCount: repeats ? "indefinite" : "1",
    fill: repeats ? undefined : "freeze",
  });
}
