import { styleText } from "node:util";

// Escape sequences first and whole, so that nothing readable is left of them: string commands (titles, links, clipboard) with their
// content, then cursor and colour commands, then lone ones.
/* oxlint-disable no-control-regex -- finding control characters is what these are for */
const escapes =
  /(?:\u001B[\]PX^_]|[\u0090\u0098\u009D-\u009F])[^\u0007\u001B\u009C]*(?:\u0007|\u001B\\|\u009C)?|(?:\u001B\[|\u009B)[0-?]*[ -/]*[@-~]?|\u001B[ -/]*[0-~]?/gu;
const blanks = /[\t\n\v\f\r\u0085\u2028\u2029]+/gu;
// Control characters, and marks that reorder or hide what follows them: a line must read as what it is.
const controls =
  /[\u0000-\u001F\u007F-\u009F\u061C\u200B-\u200F\u202A-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E007F}]/gu;
/* oxlint-enable no-control-regex */

/** Text of agents, tools and people as one harmless line: no escape sequences, no control characters, no reordering marks. */
export function toPlainLine(text: string): string {
  return text.toWellFormed().replaceAll(escapes, "").replaceAll(blanks, " ").replaceAll(controls, "");
}

const printable = /^[ -~]*$/u;
const zeroWidth = /^[\p{Mark}\p{Cf}\u{FE00}-\u{FE0F}]+$/u;
// Scripts and signs that terminals draw over two columns. Too wide a guess only leaves a gap; too narrow a one would wrap the line.
const wide =
  /[\u1100-\u115F\u231A-\u231B\u2329-\u232A\u23E9-\u23F3\u25FD-\u25FE\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97C\uAC00-\uD7A3\uF900-\uFAFF\uFE10-\uFE19\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{16FE0}-\u{18DFF}\u{1AFF0}-\u{1B2FF}\u{1F000}-\u{1FAFF}\u{20000}-\u{3FFFD}]|\p{Emoji_Presentation}|\uFE0F/u;

let segmenter: Intl.Segmenter | undefined;

/** How many columns a terminal needs for a line without escape sequences. */
export function toColumns(line: string): number {
  if (printable.test(line)) return line.length;
  let columns = 0;
  segmenter ??= new Intl.Segmenter();
  for (const { segment } of segmenter.segment(line)) columns += columnsOf(segment);
  return columns;
}

/** The line cut to so many columns, with an ellipsis where something is missing. */
export function cutToColumns(line: string, columns: number): string {
  if (columns <= 0) return "";
  if (toColumns(line) <= columns) return line;
  let kept = "";
  let used = 0;
  segmenter ??= new Intl.Segmenter();
  for (const { segment } of segmenter.segment(line)) {
    used += columnsOf(segment);
    if (used > columns - 1) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
}

/** The line cut or filled up to exactly so many columns. */
export function fitToColumns(line: string, columns: number): string {
  const cut = cutToColumns(line, columns);
  return cut + " ".repeat(Math.max(0, columns - toColumns(cut)));
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

function columnsOf(segment: string): number {
  if (zeroWidth.test(segment)) return 0;
  return wide.test(segment) ? 2 : 1;
}

/** Colours a text, or leaves it alone. */
export type Paint = (format: Parameters<typeof styleText>[0], text: string) => string;

export function toPaint(color: boolean): Paint {
  return (format, text) => (color && text !== "" ? styleText(format, text, { validateStream: false }) : text);
}

/** Whether this stream takes colours: a terminal that knows them, NO_COLOR and FORCE_COLOR considered. */
export function takesColor(stream: NodeJS.WriteStream): boolean {
  return styleText("red", "x", { stream, validateStream: true }) !== "x";
}

/** A duration as a clock shows it: `0:07`, `12:34`, `1:02:03`, `3d 4h`. */
export function toElapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
  if (seconds < 86_400)
    return `${Math.floor(seconds / 3_600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return `${Math.floor(seconds / 86_400)}d ${Math.floor(seconds / 3_600) % 24}h`;
}

/** How long something took that is over: like `toElapsed`, but a part of a second is not nothing. */
export function toDuration(ms: number): string {
  return ms < 1_000 ? `${Math.max(0, Math.round(ms))}ms` : toElapsed(ms);
}

/** A moment for people: the time of day in UTC, with the date when it is not the same day as `now`. */
export function toMoment(at: number, now: number): string {
  const text = new Date(at).toISOString();
  const day = text.slice(0, 10);
  return day === new Date(now).toISOString().slice(0, 10)
    ? `${text.slice(11, 19)} UTC`
    : `${day} ${text.slice(11, 16)} UTC`;
}

export function toCount(count: number): string {
  if (count < 1_000) return String(count);
  return count < 1_000_000
    ? `${(count / 1_000).toFixed(count < 10_000 ? 1 : 0)}k`
    : `${(count / 1_000_000).toFixed(1)}M`;
}

export function toUsd(usd: number): string {
  return `$${usd < 0.1 ? usd.toFixed(4).replace(/0{1,2}$/u, "") : usd.toFixed(2)}`;
}

/** `1 retry`, `2 retries`. */
export function toNumberOf(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
