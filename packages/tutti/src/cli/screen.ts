import { toColumns, toPlainLine } from "./terminal-text.ts";

/** The lower end of a terminal, drawn over in place. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  /** Shows these lines instead of the ones before. They must not be wider than the screen, and leave one row free. */
  draw(lines: readonly string[]): void;
  /** Leaves what is drawn, shows the cursor again and gives the terminal back. */
  close(): void;
}

export interface ScreenOptions {
  readonly stream: NodeJS.WriteStream;
  /** Other streams of the same terminal: what somebody writes to them appears above the drawing instead of in it. */
  readonly beside: readonly NodeJS.WriteStream[];
  /** The window's size has changed: draw again. */
  readonly onResize: () => void;
}

const hideCursor = "\u001B[?25l";
const showCursor = "\u001B[?25h";
// Between these two a terminal that knows them shows nothing half drawn; others pass over them.
const beginUpdate = "\u001B[?2026h";
const endUpdate = "\u001B[?2026l";
// A line that is wider than we think must not wrap, or every later line would be one off.
const noWrap = "\u001B[?7l";
const wrap = "\u001B[?7h";
// Written before a line, not after it: at the last column it would take the last letter with it.
const eraseLine = "\u001B[K";
// Also takes away what the terminal echoes, such as ^C.
const eraseBelow = "\u001B[J";

export function openScreen({ stream, beside, onResize }: ScreenOptions): Screen {
  let drawn: readonly string[] = [];
  let drawnColumns = stream.columns;
  let isOpen = true;
  let midLine = false;
  const write = stream.write.bind(stream);

  const up = (): string => {
    const rows = countRows(drawn, drawnColumns, stream.columns);
    return rows === 0 ? "" : `\u001B[${rows}A\r`;
  };

  const draw = (lines: readonly string[]): void => {
    if (!isOpen) return;
    const sameSize = drawnColumns === stream.columns;
    const body = lines
      .map((line, index) => (sameSize && drawn[index] === line ? "\n" : `${eraseLine}${line}\n`))
      .join("");
    write(beginUpdate + hideCursor + noWrap + (midLine ? "\n" : up()) + body + eraseBelow + wrap + endUpdate);
    drawn = lines;
    drawnColumns = stream.columns;
    midLine = false;
  };

  const restore = shareTerminal([stream, ...beside], (text) => {
    midLine = !text.endsWith("\n");
    if (drawn.length === 0) return;
    const lines = drawn;
    write(up() + eraseBelow + showCursor);
    drawn = [];
    setImmediate(() => {
      if (isOpen && drawn.length === 0) draw(lines);
    });
  });

  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    restore();
    stream.off("resize", onResize);
    process.off("exit", close);
    write(wrap + showCursor);
  };
  // However the process ends, the terminal has its cursor back.
  process.on("exit", close);
  stream.on("resize", onResize);

  return {
    get columns() {
      return stream.columns;
    },
    get rows() {
      return stream.rows;
    },
    draw,
    close,
  };
}

/** How many rows the drawn lines take now: terminals fold long lines anew when the window becomes narrower. */
function countRows(lines: readonly string[], drawnColumns: number, columns: number): number {
  if (columns >= drawnColumns) return lines.length;
  return lines.reduce(
    (rows, line) => rows + Math.max(1, Math.ceil(toColumns(toPlainLine(line)) / Math.max(1, columns))),
    0,
  );
}

/**
 * Puts `before` in front of every write of others, so that a flow's own console.log does not end up between the lines of the drawing.
 * Returns the function that puts everything back.
 */
function shareTerminal(streams: readonly NodeJS.WriteStream[], before: (text: string) => void): () => void {
  const originals = streams.map((stream) => ({
    stream,
    write: stream.write.bind(stream),
    own: Object.getOwnPropertyDescriptor(stream, "write"),
  }));
  for (const { stream, write } of originals) {
    const guarded = (...args: unknown[]): boolean => {
      before(String(args[0]));
      return Reflect.apply(write, undefined, args);
    };
    Object.defineProperty(stream, "write", { value: guarded, configurable: true, writable: true });
  }
  return () => {
    for (const { stream, own } of originals) {
      if (own === undefined) Reflect.deleteProperty(stream, "write");
      else Object.defineProperty(stream, "write", own);
    }
  };
}
