import { toSeriesRole, toShort, type Pen } from "./svg.ts";

// Colour alone would leave some readers out, so every series has a shape too.
const shapes = [
  "M-4 0A4 4 0 1 0 4 0A4 4 0 1 0 -4 0Z",
  "M-3.5-3.5H3.5V3.5H-3.5Z",
  "M0-4.5L4.2 3.3H-4.2Z",
  "M0-5L5 0L0 5L-5 0Z",
  "M0 4.5L4.2-3.3H-4.2Z",
  "M-1.5-4.5H1.5V-1.5H4.5V1.5H1.5V4.5H-1.5V1.5H-4.5V-1.5H-1.5Z",
  "M0-5L4.8-1.5L2.9 4H-2.9L-4.8-1.5Z",
  "M-5-2.2H5V2.2H-5Z",
] as const;

export interface Marker {
  readonly x: number;
  readonly y: number;
  /** The series' number, which says colour and shape. */
  readonly which: number;
  /** A `title` element, or nothing. */
  readonly tooltip: string;
}

/** A value as a small shape, 10 pixels wide at most. */
export function drawMarker(pen: Pen, { x, y, which, tooltip }: Marker): string {
  const place = { transform: `translate(${toShort(x)} ${toShort(y)})`, d: shapes[which % shapes.length] };
  const look = { fill: toSeriesRole(which), stroke: "paper", "stroke-width": 0.75, class: "mark" } as const;
  return pen.mark("path", { ...place, ...look }, tooltip);
}
