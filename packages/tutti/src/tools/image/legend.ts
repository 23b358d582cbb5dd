import { below, labelSize, type Box } from "./axes.ts";
import { drawMarker } from "./markers.ts";
import { toSeriesRole, type Pen } from "./svg.ts";
import { cutText, toTextWidth } from "./text-width.ts";

const rowHeight = 20;
const signWidth = 10;
const signGap = 6;
const entryGap = 18;
const nameWidthMin = 90;

export interface Legend {
  readonly names: readonly string[];
  readonly sign: "square" | "marker";
}

/** One entry per series in rows, each cut to a third of the width, and the room that is left under them. */
export function drawLegend(
  pen: Pen,
  { names, sign }: Legend,
  room: Box,
): { readonly marks: readonly string[]; readonly room: Box } {
  const widthMax = Math.max(nameWidthMin, room.width / 3) - signWidth - signGap;
  let x = room.left;
  let row = 0;
  const marks = names.map((name, index) => {
    const shown = cutText(name, widthMax, labelSize);
    const width = signWidth + signGap + toTextWidth(shown, labelSize);
    if (x > room.left && x + width > room.left + room.width) {
      x = room.left;
      row++;
    }
    const at = x;
    const y = room.top + row * rowHeight + 7;
    x += width + entryGap;
    return (
      (sign === "marker"
        ? drawMarker(pen, { x: at + signWidth / 2, y, which: index, tooltip: "" })
        : drawSquare(pen, { x: at, y, which: index })) +
      pen.text(shown, { x: at + signWidth + signGap, y: y + 4, "font-size": labelSize, class: "legend" })
    );
  });
  return { marks, room: below(room, (row + 1) * rowHeight + 4) };
}

/** A square in the colour of a series, its middle at `y`. */
export function drawSquare(
  pen: Pen,
  { x, y, which }: { readonly x: number; readonly y: number; readonly which: number },
): string {
  const place = { x, y: y - signWidth / 2, width: signWidth, height: signWidth, rx: 2 };
  return pen.mark("rect", { ...place, fill: toSeriesRole(which) });
}
