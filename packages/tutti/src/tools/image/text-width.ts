// Advance widths of the signs from " " to "~" in hundredths of an em, those of DejaVu Sans: one of the widest fonts that a reader may have.
const asciiWidths = [
  32, 41, 46, 84, 64, 96, 78, 28, 40, 40, 50, 84, 32, 37, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34, 84,
  84, 84, 54, 100, 69, 69, 70, 78, 64, 58, 78, 76, 30, 30, 66, 56, 87, 75, 79, 61, 79, 70, 64, 62, 74, 69, 99, 69, 62,
  69, 40, 34, 40, 84, 50, 50, 62, 64, 55, 64, 62, 36, 64, 64, 28, 28, 58, 28, 98, 64, 62, 64, 64, 42, 53, 40, 64, 60,
  82, 60, 60, 53, 64, 34, 64, 84,
] as const;
// Cyrillic has the widest of the narrow scripts: щ and Щ.
const otherWidth = 95;
const capitalWidth = 110;
const fullWidth = 105;

const joining = /\p{M}|\p{Cf}/u;
const wide =
  /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|\p{Extended_Pictographic}/u;
const capital = /\p{Lu}/u;
const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

/** How wide a text is at most, in pixels, in any common sans-serif font. An estimate that errs on the wide side: nothing is measured. */
export function toTextWidth(text: string, fontSize: number): number {
  let hundredths = 0;
  for (const sign of text) hundredths += toSignWidth(sign);
  return (hundredths * fontSize) / 100;
}

function toSignWidth(sign: string): number {
  const code = sign.codePointAt(0) ?? 0;
  if (code >= 32 && code <= 126) return asciiWidths[code - 32] ?? otherWidth;
  if (joining.test(sign)) return 0;
  if (wide.test(sign)) return fullWidth;
  return capital.test(sign) ? capitalWidth : otherWidth;
}

/** The text, or its beginning with `…` where it would be wider, or nothing where not even that fits. What a reader sees as one sign is never cut apart. */
export function cutText(text: string, widthMax: number, fontSize: number): string {
  if (toTextWidth(text, fontSize) <= widthMax) return text;
  if (toTextWidth("…", fontSize) > widthMax) return "";
  let kept = "";
  for (const { segment } of segmenter.segment(text)) {
    if (toTextWidth(`${kept}${segment}…`, fontSize) > widthMax) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
}

/** Lines no wider than `widthMax`, broken at spaces, or inside a word that is too long; the last one is cut when there are more. */
export function wrapText(
  text: string,
  { widthMax, fontSize, linesMax }: { readonly widthMax: number; readonly fontSize: number; readonly linesMax: number },
): readonly string[] {
  const lines: string[] = [];
  let rest = text.replaceAll(/\s+/g, " ").trim();
  while (rest !== "" && lines.length < linesMax - 1) {
    const line = takeLine(rest, widthMax, fontSize);
    lines.push(line.trimEnd());
    rest = rest.slice(line.length).trimStart();
  }
  if (rest !== "") lines.push(cutText(rest, widthMax, fontSize));
  return lines;
}

function takeLine(text: string, widthMax: number, fontSize: number): string {
  let line = "";
  let atSpace = 0;
  for (const { segment } of segmenter.segment(text)) {
    if (line !== "" && toTextWidth(line + segment, fontSize) > widthMax) {
      return atSpace > 0 && segment !== " " ? line.slice(0, atSpace) : line;
    }
    line += segment;
    if (segment === " ") atSpace = line.length;
  }
  return line;
}
